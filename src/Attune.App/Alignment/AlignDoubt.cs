using System.Globalization;

namespace Attune.App.Alignment;

/// <summary>
/// What speaks against the labels, or against the figure that praises the result. Held-out pairs are labelled by whoever
/// labelled the rest: where chosen and rejected are exchanged in all of them, that figure looks as good as ever.
/// </summary>
/// <param name="Name">What the report calls it.</param>
/// <param name="What">A sentence for people.</param>
internal sealed record AlignDoubt(string Name, string What)
{
    /// <summary>Before training: the start itself leans to the rejected answers.</summary>
    /// <param name="lean">Share of the pairs whose chosen answer the start finds likelier, by length.</param>
    public static AlignDoubt? OfLean(WinRate lean) => lean.High >= 0.5 ? null : new("exchanged",
        $"Before any training the version finds the chosen answer the likelier one in {Percent(lean)} of the pairs. That may be what the data is to change; or are chosen and rejected exchanged? Look at a few.");

    /// <summary>After training: what the labels ask was not learnt in a way that carries over to prompts that were not learnt.</summary>
    /// <param name="rounds">After each round, the share of held-out labelled items that moved as their labels ask.</param>
    public static AlignDoubt? OfSignal(IReadOnlyList<WinRate> rounds) => rounds.Count == 0 || rounds.Any(r => r.Low > 0.5) ? null : new("no-signal",
        $"The labels carry no signal that could be learnt: of what was held out, {Percent(rounds[^1])} moved as its labels ask, where chance is one half; or too little is held out to see it.");

    /// <summary>After training: does anything that does not come from the labels say the same?</summary>
    /// <param name="labels">The share of held-out labelled items that moved as their labels ask.</param>
    /// <param name="judged">The win rate by whoever judges answers, or null where nobody does.</param>
    /// <param name="hasTasks">Whether task figures stand beside it.</param>
    public static AlignDoubt? OfEvidence(WinRate labels, WinRate? judged, bool hasTasks) => judged switch
    {
        _ when labels.Low <= 0.5 => null,
        { High: < 0.5 } worse => new("against-judge",
            $"What the labels ask was learnt ({Percent(labels)}), and the judge finds the answers worse for it (won {Percent(worse)}): are chosen and rejected exchanged? If not, the training broke more than it taught: a smaller rate, or a larger beta."),
        { Low: <= 0.5 } same => new("unconfirmed",
            $"What the labels ask was learnt ({Percent(labels)}), and the judge cannot tell the answers from the start's (won {Percent(same)})."),
        null when !hasTasks => new("own-labels",
            $"What the labels ask was learnt ({Percent(labels)}), and nothing else says that this is better: labels that are all exchanged would look the same. Give --tasks, --judge or --world."),
        _ => null,
    };

    private static string Percent(WinRate rate) => string.Create(CultureInfo.InvariantCulture, $"{rate.Value * 100:F1}% ({rate.Low * 100:F1} to {rate.High * 100:F1}, n {rate.N})");
}
