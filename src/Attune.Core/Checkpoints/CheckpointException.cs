using Attune.Prompts;

namespace Attune.Core.Checkpoints;

/// <summary>A model file that is missing, broken, or cannot be written. Codes ATT2003 to ATT2039.</summary>
public class CheckpointException : AttuneException
{
    /// <inheritdoc cref="AttuneException(string, string, Exception?)"/>
    public CheckpointException(string code, string message, Exception? inner = null)
        : base(code, message, inner)
    {
    }
}

/// <summary>A model file that is sound, but asks for something that Attune cannot run. Code ATT2022.</summary>
public sealed class UnsupportedCheckpointException(string message) : CheckpointException("ATT2022", message);
