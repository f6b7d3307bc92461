using Attune.Prompts;

namespace Attune.Inference;

/// <summary>Something that cannot be run or generated as asked. Codes ATT6000 to ATT6999.</summary>
public class InferenceException(string code, string message, Exception? inner = null) : AttuneException(code, message, inner)
{
    internal static InferenceException Unsupported(string field, string what) => new("ATT6001", $"The engine cannot run this: {what}.")
    {
        Field = field,
        Hint = "It runs language models of the architectures in docs/guides/checkpoints.md.",
    };

    internal static InferenceException BadToken(int id, int vocabulary) =>
        new("ATT6003", FormattableString.Invariant($"There is no token {id}; the model knows 0 to {vocabulary - 1}."))
        {
            Hint = "The tokenizer and the weights do not belong together.",
        };

    internal static InferenceException NoDistribution() => new("ATT6005", "The model gives no number that a token could be chosen by: its logits are not finite.")
    {
        Hint = "The weights are damaged, or training diverged. attune versions verify checks the files.",
    };

    internal static InferenceException BadOption(string field, string message) => new("ATT6004", message) { Field = field };
}

/// <summary>A text and what is to be added to it are longer than the model's window. Code ATT6002.</summary>
public sealed class WindowOverflowException(int tokens, int window)
    : InferenceException("ATT6002", FormattableString.Invariant($"{tokens} tokens do not fit the model's window of {window}."))
{
    /// <summary>Tokens that were to stand in the window.</summary>
    public int Tokens => tokens;

    /// <summary>Tokens that fit.</summary>
    public int Window => window;
}
