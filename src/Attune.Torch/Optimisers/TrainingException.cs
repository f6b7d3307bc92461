using Attune.Prompts;

namespace Attune.Torch.Optimisers;

/// <summary>What can go wrong in a loss, an optimiser or a stage. Codes 5100 to 5199.</summary>
public sealed class TrainingException : AttuneException
{
    /// <inheritdoc cref="AttuneException(string, string, Exception?)"/>
    public TrainingException(string code, string message, Exception? inner = null)
        : base(code, message, inner)
    {
    }

    /// <summary>The error of a name (a loss form, a schedule, an optimiser) that is not built.</summary>
    /// <param name="what">What kind of thing was named: <c>DPO loss</c>.</param>
    /// <param name="name">The name as given.</param>
    /// <param name="known">Every name that exists.</param>
    public static TrainingException Unsupported(string what, string name, IEnumerable<string> known) =>
        new("ATT5101", $"There is no {what} '{name}'.") { Field = what, Hint = $"Known: {string.Join(", ", known)}." };
}
