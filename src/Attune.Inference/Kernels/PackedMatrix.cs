namespace Attune.Inference.Kernels;

/// <summary>
/// A weight matrix W[N, K] packed for <see cref="Tile"/>: panels of 16 rows, k-major, so that x·Wᵀ streams through it
/// once, for one token as for many. Rows beyond N are zero. Float32 for now; other formats pack the same panels.
/// </summary>
internal sealed unsafe class PackedMatrix(int rows, int columns) : IDisposable
{
    private readonly NativeFloats _data = new((long)Tile.Padded(rows) * columns);

    /// <summary>N.</summary>
    public int Rows => rows;

    /// <summary>N, rounded up to whole panels: the width of a product.</summary>
    public int PaddedRows => Tile.Padded(rows);

    /// <summary>K.</summary>
    public int Columns => columns;

    public int Panels => PaddedRows / Tile.Width;

    /// <summary>Floats between panels.</summary>
    public nint PanelStride => (nint)columns * Tile.Width;

    public float* Data => _data.Pointer;

    /// <summary>Puts a part of a row in, from column <paramref name="first"/> on.</summary>
    public void SetRow(int row, ReadOnlySpan<float> values, int first = 0)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)rows);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(values.Length, columns - first);
        var target = Data + (row / Tile.Width) * PanelStride + (nint)first * Tile.Width + row % Tile.Width;
        foreach (var value in values)
        {
            *target = value;
            target += Tile.Width;
        }
    }

    /// <summary>Puts one value in.</summary>
    public void Set(int row, int column, float value)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)rows);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)column, (uint)columns);
        Data[(row / Tile.Width) * PanelStride + (nint)column * Tile.Width + row % Tile.Width] = value;
    }

    /// <summary>A row as it was put in: an embedding is read from the head that it is tied to.</summary>
    public void CopyRow(int row, float* target)
    {
        var source = Data + (row / Tile.Width) * PanelStride + row % Tile.Width;
        for (nint k = 0; k < columns; k++)
            target[k] = source[k * Tile.Width];
    }

    /// <summary>
    /// This worker's share of C[m, N] (+)= A[m, K] · Wᵀ: whole panels, in fixed order. Blocks of k keep a panel in L1
    /// and blocks of rows keep A in L2; they change no bit, because the sums go on from where they stopped.
    /// </summary>
    public void Multiply(float* a, nint lda, int m, float* c, nint ldc, bool add, int worker, int workers)
    {
        // One row runs four panels at a time, so shares are cut at multiples of four where there are enough.
        var unit = Panels >= 4 * workers ? 4 : 1;
        var units = (Panels + unit - 1) / unit;
        var from = Math.Min((int)((long)units * worker / workers) * unit, Panels);
        var to = Math.Min((int)((long)units * (worker + 1) / workers) * unit, Panels);
        if (from == to)
            return;
        if (m <= Tile.MaxRows)
        {
            Tile.Multiply(a, lda, m, Data + from * PanelStride, PanelStride, to - from, columns, c + (nint)from * Tile.Width, ldc, add);
            return;
        }
        const int rowBlock = 96, depthBlock = 256;
        for (var row = 0; row < m; row += rowBlock)
        {
            var rowEnd = Math.Min(row + rowBlock, m);
            for (var k = 0; k < columns; k += depthBlock)
            {
                var depth = Math.Min(depthBlock, columns - k);
                for (var p = from; p < to; p++)
                {
                    var panel = Data + p * PanelStride + (nint)k * Tile.Width;
                    for (var i = row; i < rowEnd;)
                    {
                        // Six at a time, and fours at the end rather than a six that is half empty: 32 = 4 × 6 + 2 × 4.
                        var left = rowEnd - i;
                        var take = left > 8 || left is 5 or 6 ? Math.Min(6, left) : Math.Min(4, left);
                        Tile.Multiply(a + i * lda + k, lda, take, panel, PanelStride, 1, depth, c + i * ldc + (nint)p * Tile.Width, ldc, add || k > 0);
                        i += take;
                    }
                }
            }
        }
    }

    public void Dispose() => _data.Dispose();
}
