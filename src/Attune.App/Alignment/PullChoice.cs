using System.Globalization;

namespace Attune.App.Alignment;

/// <summary>Who chose the value of what holds a version to its start.</summary>
internal enum PullSource
{
    /// <summary>Nobody: it is the method's published default, and a sweep may better it.</summary>
    Usual,

    /// <summary>The user.</summary>
    Given,

    /// <summary>The sweep, which is trying it or has found it best.</summary>
    Swept,
}

/// <summary>Why what holds a version to its start has the value that it has.</summary>
/// <param name="Source">Who chose it.</param>
/// <param name="Because">The reason, for lineage and people.</param>
internal sealed record PullChoice(PullSource Source, string Because)
{
    /// <summary>Nobody gave it a value.</summary>
    public static PullChoice Usual { get; } = new(PullSource.Usual, "the usual value, not swept");

    /// <summary>A run of the sweep.</summary>
    public static PullChoice Tried { get; } = new(PullSource.Swept, "tried on a share of the data");

    /// <summary>The user gave it by an option.</summary>
    public static PullChoice GivenBy(string option) => new(PullSource.Given, $"given by --{option}");

    /// <summary>It won most of those that were tried.</summary>
    public static PullChoice Winner(double winRate, int values, double share) => new(PullSource.Swept,
        string.Create(CultureInfo.InvariantCulture, $"won most ({winRate * 100:F1}%) of {values} values that were tried on {share * 100:0.#}% of the data"));

    /// <summary>All that were tried went too far.</summary>
    public static PullChoice NoneKept(int values) => new(PullSource.Usual, string.Create(CultureInfo.InvariantCulture, $"the usual value: all {values} that were tried passed the KL bound"));
}
