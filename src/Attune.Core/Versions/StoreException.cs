using Attune.Prompts;

namespace Attune.Core.Versions;

/// <summary>A store, reference or version that is not as it should be. Codes ATT2050 to ATT2069.</summary>
public sealed class StoreException : AttuneException
{
    /// <inheritdoc cref="AttuneException(string, string, Exception?)"/>
    public StoreException(string code, string message, Exception? inner = null)
        : base(code, message, inner)
    {
    }
}
