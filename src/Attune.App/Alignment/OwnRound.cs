using System.Globalization;

namespace Attune.App.Alignment;

/// <summary>Whether a version's own answers, scored, are learnt after the given ones.</summary>
internal enum OwnAnswersUse
{
    /// <summary>Where the given answers lie far from what the version says, and the budget allows it.</summary>
    Auto,

    /// <summary>Always.</summary>
    Always,

    /// <summary>Never.</summary>
    Never,
}

/// <summary>Whether there is a round on the version's own answers after those on the given ones, and why.</summary>
/// <param name="Drawn">Whether there is.</param>
/// <param name="Because">The reason, for lineage and people: nothing of the clock.</param>
internal sealed record OwnRound(bool Drawn, string Because)
{
    /// <summary>Decides.</summary>
    /// <param name="use">What the user wants.</param>
    /// <param name="gap">How far the given answers lie from the version's own; null where that cannot be measured.</param>
    /// <param name="answers">Answers that would be drawn.</param>
    /// <param name="left">Time that the rounds on the given answers leave.</param>
    public static OwnRound Of(OwnAnswersUse use, OffPolicyGap? gap, long answers, TimeSpan left) => use switch
    {
        OwnAnswersUse.Always => new(true, "given by --own-answers"),
        OwnAnswersUse.Never => new(false, "given by --own-answers"),
        _ when gap is null => new(false, "no prompt leaves room for an answer"),
        _ when !gap.IsFar => new(false, gap.Describe()),
        _ when gap.SecondsAnAnswer * answers > left.TotalSeconds => new(false, string.Create(CultureInfo.InvariantCulture, $"{gap.Describe()}, but the budget leaves no time for {answers} answers")),
        _ => new(true, gap.Describe()),
    };
}
