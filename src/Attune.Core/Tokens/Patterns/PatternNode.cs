namespace Attune.Core.Tokens.Patterns;

/// <summary>How eagerly a repetition repeats.</summary>
internal enum Greed
{
    Greedy,
    Lazy,
    Possessive,
}

/// <summary>A pattern as its parser understood it.</summary>
internal abstract record PatternNode
{
    public sealed record Chars(CharSet Set) : PatternNode;

    public sealed record Sequence(IReadOnlyList<PatternNode> Items) : PatternNode;

    public sealed record Choice(IReadOnlyList<PatternNode> Items) : PatternNode;

    public sealed record Repeat(PatternNode Item, int Least, int Most, Greed Greed) : PatternNode;

    public sealed record Look(PatternNode Item, bool Behind, bool Wanted) : PatternNode;

    public sealed record Atomic(PatternNode Item) : PatternNode;

    public sealed record Place(Op Op, int X = 0) : PatternNode;

    /// <summary>The number of characters it always takes, or null where that varies.</summary>
    public int? Width() => this switch
    {
        Chars => 1,
        Sequence s => s.Items.Aggregate((int?)0, (sum, item) => sum + item.Width()),
        Choice c => c.Items.Select(i => i.Width()).Distinct().ToArray() is [var one] ? one : null,
        Repeat r => r.Least == r.Most ? r.Item.Width() * r.Least : null,
        Atomic a => a.Item.Width(),
        _ => 0,
    };
}
