namespace Attune.Bench;

/// <summary>What a part of <see cref="BigModel"/> took.</summary>
internal sealed record BigPart
{
    /// <summary>The most resident memory of the process, mapped pages included.</summary>
    public long PeakBytes { get; init; }

    /// <summary>Of it what no file backs, at most.</summary>
    public long AnonymousBytes { get; init; }

    /// <summary>The most while it loaded.</summary>
    public long LoadBytes { get; init; }

    /// <summary>The most in the steps.</summary>
    public long StepBytes { get; init; }

    /// <summary>The most while it merged and stored.</summary>
    public long SaveBytes { get; init; }

    /// <summary>All of it.</summary>
    public double Seconds { get; init; }

    /// <summary>Of it up to the first step.</summary>
    public double LoadSeconds { get; init; }

    /// <summary>Of the faster step.</summary>
    public double StepSeconds { get; init; }

    /// <summary>After the last step.</summary>
    public double SaveSeconds { get; init; }

    /// <summary>Tokens of all steps.</summary>
    public long Tokens { get; init; }

    /// <summary>Of the last step.</summary>
    public double Loss { get; init; }

    /// <summary>The machine's, measured after the run.</summary>
    public double CeilingGflops { get; init; }
}
