namespace Attune.Prompts;

/// <summary>A prompt contract is broken, or does not fit what it is used with. Codes ATT1100 to ATT1199.</summary>
public sealed class PromptException(string code, string message, Exception? inner = null) : AttuneException(code, message, inner);
