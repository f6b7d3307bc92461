using Attune.Prompts;

namespace Attune.Core.Worlds;

/// <summary>A world that cannot be made as its options ask. Codes 3500 to 3599.</summary>
public sealed class WorldException : AttuneException
{
    /// <summary>An error with its stable code.</summary>
    public WorldException(string code, string message, Exception? inner = null)
        : base(code, message, inner)
    {
    }

    internal static WorldException BadOption(string field, string message, string hint) =>
        new("ATT3501", message) { Field = field, Hint = hint };

    /// <summary>ATT3502: there is no question set of that name.</summary>
    public static WorldException UnknownSet(string name) =>
        new("ATT3502", $"The world has no question set named '{name}'.")
        {
            Field = "set",
            Hint = $"The sets are: {string.Join(", ", QuestionSets.Names)}.",
        };
}
