namespace Attune.Core.Tokens.Patterns;

/// <summary>What one step of a pattern does.</summary>
internal enum Op
{
    /// <summary>The pattern has matched.</summary>
    Done,

    /// <summary>One character of the set.</summary>
    Set,

    /// <summary>As many characters of the set as there are, at least X and at most Y, giving back one by one.</summary>
    Greedy,

    /// <summary>As few characters of the set as will do, at least X and at most Y.</summary>
    Lazy,

    /// <summary>As many as there are, giving none back.</summary>
    Possessive,

    /// <summary>Go on at X; if that fails, at Y.</summary>
    Split,

    /// <summary>Go on at X.</summary>
    Jump,

    /// <summary>Remember the place in register X.</summary>
    Mark,

    /// <summary>Fails where nothing was consumed since the mark X: a loop of nothing ends.</summary>
    Moved,

    /// <summary>The part must match here (X 1) or must not (X 0), and consumes nothing.</summary>
    Ahead,

    /// <summary>The part, Y characters long, must (X 1) or must not (X 0) end here.</summary>
    Behind,

    /// <summary>The part matches once and is not tried another way.</summary>
    Atomic,

    /// <summary>Start of the text.</summary>
    TextStart,

    /// <summary>End of the text.</summary>
    TextEnd,

    /// <summary>End of the text, or the line end at its end.</summary>
    TextEndOrLast,

    /// <summary>Start of a line.</summary>
    LineStart,

    /// <summary>End of a line.</summary>
    LineEnd,

    /// <summary>A word begins or ends here (X 1), or does not (X 0).</summary>
    WordEdge,
}

/// <summary>A step with its operands.</summary>
internal sealed record Step(Op Op, int X = 0, int Y = 0, CharSet? Set = null, PatternProgram? Part = null);

/// <summary>A compiled pattern.</summary>
internal sealed record PatternProgram(IReadOnlyList<Step> Steps, int Marks)
{
    public Step[] Code { get; } = [.. Steps];
}
