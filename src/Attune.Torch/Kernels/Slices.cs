namespace Attune.Torch.Kernels;

/// <summary>
/// Rows cut into slices of one size, as many for every worker: with slices of a fixed size one worker had a slice more, or
/// the last had a few rows only, and all others waited at the barrier.
/// </summary>
internal readonly struct Slices
{
    private readonly int _rows;

    /// <param name="rows">How many rows there are.</param>
    /// <param name="most">Rows of a slice at most.</param>
    /// <param name="workers">Who shares them.</param>
    public Slices(int rows, int most, int workers = 1)
    {
        _rows = rows;
        var even = Math.Max(1, Ceiling(rows, Most(rows, most, workers)));
        // As many as a tile of a product has, the last slice apart.
        var rounded = Ceiling(even, Tile512.Rows) * Tile512.Rows;
        Size = rounded <= most ? rounded : even;
        Count = Ceiling(rows, Size);
    }

    /// <summary>Rows of a slice; the last may have fewer.</summary>
    public int Size { get; }

    /// <summary>How many slices there are.</summary>
    public int Count { get; }

    /// <summary>The rows of a slice.</summary>
    public (int From, int Count) this[int slice] => (slice * Size, Math.Min(Size, _rows - slice * Size));

    /// <summary>How many slices so many rows, or fewer, are cut into at most.</summary>
    public static int Most(int rows, int most, int workers) => Math.Max(1, Ceiling(rows, most * workers)) * workers;

    /// <summary>count / size, up.</summary>
    public static int Ceiling(int count, int size) => (count + size - 1) / size;
}
