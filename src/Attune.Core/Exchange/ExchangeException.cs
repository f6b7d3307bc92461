using Attune.Prompts;

namespace Attune.Core.Exchange;

/// <summary>A model that cannot be imported or exported as asked. Codes ATT3401 to ATT3499.</summary>
public sealed class ExchangeException(string code, string message, Exception? inner = null) : AttuneException(code, message, inner);
