using Attune.Core.Checkpoints;
using Attune.Core.Data;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>
/// Rotary positions (Su et al. 2021): two elements of a head turn together by the angle position · frequency, in the
/// half-rotation form of Hugging Face element i with element i + R/2, in the other one neighbours. Angles are float32 products,
/// as there, so that long positions agree too. The table grows to the longest row seen and is shared by all layers.
/// </summary>
/// <param name="frequencies">Radians for each position.</param>
/// <param name="neighbours">Whether elements 2i and 2i + 1 turn together.</param>
public sealed class RotaryTable(RotaryFrequencies frequencies, bool neighbours = false) : IDisposable
{
    private int _reach;
    private (Tensor Cos, Tensor Sin)? _onDevice;

    /// <summary>cos of every angle, positions × R/2, row by row; those of long texts behind the usual ones where they differ.</summary>
    public float[] Cos { get; private set; } = [];

    /// <summary>sin of every angle, laid out as <see cref="Cos"/>.</summary>
    public float[] Sin { get; private set; } = [];

    /// <summary>Makes sure that positions below <paramref name="length"/> are in the table.</summary>
    public void Reach(int length)
    {
        if (length <= _reach)
            return;
        _reach = Math.Max(length, 2 * _reach);
        var (half, tables) = (frequencies.Pairs, frequencies.LongBeyond is null ? 1 : 2);
        var (cos, sin) = (new float[tables * _reach * half], new float[tables * _reach * half]);
        for (var table = 0; table < tables; table++)
        {
            var turns = frequencies.For(table == 0 ? 0 : int.MaxValue);
            for (var position = 0; position < _reach; position++)
            {
                for (var i = 0; i < half; i++)
                {
                    var (angle, at) = (position * turns[i], (table * _reach + position) * half + i);
                    (sin[at], cos[at]) = ((float)Math.Sin(angle) * frequencies.Factor, (float)Math.Cos(angle) * frequencies.Factor);
                }
            }
        }
        (Cos, Sin) = (cos, sin);
        Dispose();
    }

    /// <summary>Whether a row of the batch turns by other frequencies than the row that its prefix stands in (longrope), so that the prefix cannot be both.</summary>
    internal bool IsDividedIn(RaggedBatch batch) =>
        frequencies.LongBeyond is not null && batch.Prefixes is not null && Enumerable.Range(0, batch.Rows).Any(row => Divides(batch, row));

    /// <summary>The same of one row.</summary>
    internal bool Divides(RaggedBatch batch, int row) => batch.Prefixes?[row] is { Length: > 0 } prefix
        && IsLong(batch, row) != IsLong(batch, Array.FindLastIndex(batch.Starts, start => start <= prefix.Start));

    /// <summary>Turns the heads of every token by its position: [N, heads, C] → the same. The plain path.</summary>
    public Tensor Turn(Tensor x_NHC, TokenStream stream)
    {
        Reach(stream.Plan.Reach);
        using var scope = NewDisposeScope();
        var (cos, sin) = OnDevice(x_NHC);
        var rows_N = Rows(stream);
        var (cos_N1P, sin_N1P) = (cos.index_select(0, rows_N).unsqueeze(1), sin.index_select(0, rows_N).unsqueeze(1));

        var (size, rotated) = (x_NHC.shape[2], 2L * frequencies.Pairs);
        var turned_NHR = rotated == size ? x_NHC : x_NHC.narrow(-1, 0, rotated);
        var (a, b) = neighbours ? Neighbours(turned_NHR) : Halves(turned_NHR);
        Tensor[] pair = [a * cos_N1P - b * sin_N1P, b * cos_N1P + a * sin_N1P];
        var result = neighbours ? stack(pair, -1).flatten(-2) : cat(pair, -1);
        if (rotated < size)
            result = cat([result, x_NHC.narrow(-1, rotated, size - rotated)], -1);
        return result.MoveToOuterDisposeScope();
    }

    /// <summary>Frees the tables on the device; they come back when needed.</summary>
    public void Dispose()
    {
        _onDevice?.Cos.Dispose();
        _onDevice?.Sin.Dispose();
        _onDevice = null;
    }

    private static (Tensor, Tensor) Halves(Tensor x)
    {
        var halves = x.chunk(2, -1);
        return (halves[0], halves[1]);
    }

    private static (Tensor, Tensor) Neighbours(Tensor x)
    {
        var pairs = x.reshape(x.shape[0], x.shape[1], -1, 2);
        return (pairs.select(-1, 0), pairs.select(-1, 1));
    }

    // Which row of the table each token takes: its position, further down where its text is a long one.
    private Tensor Rows(TokenStream stream)
    {
        var batch = stream.Batch;
        if (frequencies.LongBeyond is null || !Enumerable.Range(0, batch.Rows).Any(r => IsLong(batch, r)))
            return stream.Positions_N;
        var rows = new long[batch.Tokens];
        for (var r = 0; r < batch.Rows; r++)
        {
            var offset = IsLong(batch, r) ? _reach : 0;
            for (var i = batch.Starts[r]; i < batch.Starts[r + 1]; i++)
                rows[i] = batch.Positions[i] + offset;
        }
        return tensor(rows, device: stream.Positions_N.device);
    }

    private bool IsLong(RaggedBatch batch, int row) => frequencies.IsLong(batch.Positions[batch.Starts[row + 1] - 1] + 1);

    private (Tensor Cos, Tensor Sin) OnDevice(Tensor like)
    {
        if (_onDevice is not { } tables || tables.Cos.device != like.device || tables.Cos.dtype != like.dtype)
        {
            Dispose();
            tables = (Upload(Cos), Upload(Sin));
            _onDevice = tables;

            Tensor Upload(float[] values) => tensor(values).view(-1, frequencies.Pairs).to(like.dtype, like.device).DetachFromDisposeScope();
        }
        return tables;
    }
}
