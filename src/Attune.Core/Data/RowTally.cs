namespace Attune.Core.Data;

/// <summary>What became of rows on their way to training, by reason: nothing is lost without being counted here.</summary>
public sealed class RowTally
{
    /// <summary>Rows that were in the files.</summary>
    public int Read { get; set; }

    /// <summary>Rows left out, by reason.</summary>
    public SortedDictionary<string, int> Dropped { get; } = new(StringComparer.Ordinal);

    /// <summary>Rows cut to the window, by what the cut took.</summary>
    public SortedDictionary<string, int> Truncated { get; } = new(StringComparer.Ordinal);

    /// <summary>Rows in which no token is trained, by reason; they are left out too.</summary>
    public SortedDictionary<string, int> Masked { get; } = new(StringComparer.Ordinal);

    /// <summary>Where each reason was first met.</summary>
    public SortedDictionary<string, RowOrigin> First { get; } = new(StringComparer.Ordinal);

    /// <summary>Rows left out for whatever reason.</summary>
    public int DroppedRows => Dropped.Values.Sum() + Masked.Values.Sum();

    /// <summary>Rows that are trained on.</summary>
    public int Kept => Read - DroppedRows;

    /// <summary>Counts a row as left out.</summary>
    public void Drop(string reason, RowOrigin where) => Count(Dropped, reason, where);

    /// <summary>Counts a row as cut.</summary>
    public void Truncate(string reason, RowOrigin where) => Count(Truncated, reason, where);

    /// <summary>Counts a row as without signal.</summary>
    public void Mask(string reason, RowOrigin where) => Count(Masked, reason, where);

    /// <summary>"12 × reason, 3 × reason".</summary>
    public string DescribeDropped() => string.Join(", ", Dropped.Concat(Masked).Select(d => FormattableString.Invariant($"{d.Value} × {d.Key}")));

    private void Count(SortedDictionary<string, int> counts, string reason, RowOrigin where)
    {
        counts[reason] = counts.GetValueOrDefault(reason) + 1;
        First.TryAdd(reason, where);
    }
}
