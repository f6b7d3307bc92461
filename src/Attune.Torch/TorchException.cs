using Attune.Prompts;

namespace Attune.Torch;

/// <summary>An error of the training room: codes ATT5000 to ATT5999.</summary>
public sealed class TorchException : AttuneException
{
    /// <inheritdoc cref="AttuneException(string, string, Exception?)"/>
    public TorchException(string code, string message, Exception? inner = null)
        : base(code, message, inner)
    {
    }

    internal static TorchException DoesNotLoad(Exception inner) => new("ATT5000", "libtorch does not load.", inner)
    {
        Hint = "Build on this machine (dotnet build fits the native library to the host); on Linux libstdc++ must provide GLIBCXX_3.4.30 or newer.",
    };

    internal static TorchException BrokenBatch() => new("ATT5010", "A batch needs tokens, no empty row, and labels and positions as long as its ids.")
    {
        Hint = "Make batches with RaggedBatch.Of and drop empty rows before.",
    };

    internal static TorchException BeyondPositions(int tokens, int positions) =>
        new("ATT5012", FormattableString.Invariant($"A row has {tokens} tokens; the model has a table of {positions} positions."))
        {
            Hint = "Shorten the row (--overlong truncate), or use a model with rotary positions.",
        };

    internal static TorchException LabelOutside(long label, long vocabulary) =>
        new("ATT5011", FormattableString.Invariant($"A label is {label}; the model's vocabulary has {vocabulary} tokens."))
        {
            Hint = "The tokenizer and the model do not belong together.",
        };
}
