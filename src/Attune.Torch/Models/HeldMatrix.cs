using System.Buffers;
using System.Runtime.InteropServices;
using Attune.Core.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>
/// A frozen matrix in fewer bits, widened to float32 for the moment that it is multiplied, one matrix at a time.
/// int8: symmetric, one scale for 128 numbers of a row. int4: NF4 (Dettmers et al., arXiv 2305.14314), the sixteen
/// quantiles of a normal distribution, one scale for 64 numbers of a row.
/// </summary>
internal sealed class HeldMatrix : IDisposable
{
    /// <summary>Numbers that share a scale.</summary>
    public const int Int8Block = 128, Int4Block = 64;

    /// <summary>QLoRA's table (appendix E): quantiles of N(0, 1), scaled to [−1, 1], zero among them.</summary>
    public static readonly float[] Nf4 =
    [
        -1f, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f, -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0f,
        0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f, 0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1f,
    ];

    // Where one quantile is as near as the next.
    private static readonly float[] Nf4Edges = [.. Nf4.Zip(Nf4.Skip(1), (a, b) => (a + b) / 2)];

    private readonly long _columns;
    private readonly Tensor _codes;
    private readonly Tensor? _scales_OG1, _table;

    private HeldMatrix(BaseWeights format, long columns, Tensor codes, Tensor? scales, Tensor? table) =>
        (Format, _columns, _codes, _scales_OG1, _table) = (format, columns, codes, scales, table);

    /// <summary>The device that it is on.</summary>
    public Device Place => _codes.device;

    /// <summary>In which bits.</summary>
    public BaseWeights Format { get; }

    /// <summary>What it takes, without the table that all int4 matrices have.</summary>
    public long Bytes => _codes.numel() * _codes.element_size() + (_scales_OG1?.numel() ?? 0) * sizeof(float);

    /// <summary>O.</summary>
    public long RowCount => _codes.shape[0];

    /// <summary>Bytes that a matrix takes.</summary>
    public static long BytesOf(BaseWeights format, long rows, long columns) => format switch
    {
        BaseWeights.F32 => rows * columns * sizeof(float),
        BaseWeights.Bf16 => rows * columns * 2,
        BaseWeights.Int8 => rows * Groups(columns, Int8Block) * (Int8Block + sizeof(float)),
        _ => rows * Groups(columns, Int4Block) * (Int4Block / 2 + sizeof(float)),
    };

    /// <summary>Reads a matrix row by row and holds it; the full floats are never there.</summary>
    /// <param name="read">Fills floats from an element of the matrix on.</param>
    /// <param name="format">Not <see cref="BaseWeights.F32"/>.</param>
    /// <param name="rows">O.</param>
    /// <param name="columns">I.</param>
    /// <param name="device">Where it shall be.</param>
    public static unsafe HeldMatrix Read(Action<long, Memory<float>> read, BaseWeights format, long rows, long columns, Device device)
    {
        using var scope = NewDisposeScope();
        var block = format == BaseWeights.Int4 ? Int4Block : Int8Block;
        var groups = Groups(columns, block);
        var codes = format switch
        {
            BaseWeights.Bf16 => empty([rows, columns], dtype: bfloat16),
            BaseWeights.Int8 => empty([rows, groups, block], dtype: int8),
            _ => empty([rows, groups, block / 2], dtype: uint8),
        };
        var scales_OG1 = format == BaseWeights.Bf16 ? null : empty([rows, groups, 1L], dtype: float32);
        var code = (byte*)Kernels.TensorMemory.Start(codes);
        var scale = scales_OG1 is null ? null : (float*)Kernels.TensorMemory.Start(scales_OG1);
        var stride = (int)(codes.numel() / Math.Max(1, rows) * codes.element_size());
        // A few million numbers at a time, so that reading, converting and writing all stay small.
        var step = (int)Math.Clamp((1 << 22) / columns, 1, rows);
        // Rented: an array of this size for each matrix would be garbage of gigabytes before it is collected.
        var values = ArrayPool<float>.Shared.Rent((int)(step * columns));
        for (var first = 0L; first < rows; first += step)
        {
            var (from, count) = (first, (int)Math.Min(step, rows - first));
            read(from * columns, values.AsMemory(0, (int)(count * columns)));
            Parallel.For(0, count, row =>
            {
                var source = values.AsSpan((int)(row * columns), (int)columns);
                var target = new Span<byte>(code + (from + row) * stride, stride);
                if (scale is null)
                    Narrow(source, MemoryMarshal.Cast<byte, ushort>(target));
                else
                    Encode(source, target, new Span<float>(scale + (from + row) * groups, (int)groups), block, format);
            });
        }
        ArrayPool<float>.Shared.Return(values);
        return new HeldMatrix(format, columns, Keep(codes), scales_OG1 is null ? null : Keep(scales_OG1), format == BaseWeights.Int4 ? Keep(Pairs()) : null);

        Tensor Keep(Tensor x) => x.to(device).DetachFromDisposeScope();
    }

    /// <summary>The matrix in float32, [O, I], in the caller's scope.</summary>
    public Tensor Floats() => Widen(_codes, _scales_OG1);

    /// <summary>Rows [from, from + count) in float32.</summary>
    public Tensor Floats(long from, long count)
    {
        using var scope = NewDisposeScope();
        return Widen(_codes.narrow(0, from, count), _scales_OG1?.narrow(0, from, count)).MoveToOuterDisposeScope();
    }

    /// <summary>Rows by number, int64 [N] → float32 [N, I].</summary>
    public Tensor Rows(Tensor ids)
    {
        using var scope = NewDisposeScope();
        return Widen(_codes.index_select(0, ids), _scales_OG1?.index_select(0, ids)).MoveToOuterDisposeScope();
    }

    private Tensor Widen(Tensor codes, Tensor? scales_OG1)
    {
        if (Format == BaseWeights.Bf16)
            return codes.to(float32);
        using var scope = NewDisposeScope();
        var rows = codes.shape[0];
        var values = Format == BaseWeights.Int8
            ? codes.to(float32)
            : _table!.index_select(0, codes.reshape(-1).to(int32)).view(rows, codes.shape[1], Int4Block);
        return values.mul_(scales_OG1!).view(rows, -1).narrow(1, 0, _columns).contiguous().MoveToOuterDisposeScope();
    }

    private static void Encode(ReadOnlySpan<float> row, Span<byte> codes, Span<float> scales, int block, BaseWeights format)
    {
        codes.Clear();
        for (var g = 0; g < scales.Length; g++)
        {
            var part = row.Slice(g * block, Math.Min(block, row.Length - g * block));
            var most = 0f;
            foreach (var value in part)
                most = Math.Max(most, Math.Abs(value));
            var scale = format == BaseWeights.Int8 ? most / 127 : most;
            scales[g] = scale;
            var inverse = scale > 0 ? 1 / scale : 0;
            if (format == BaseWeights.Int8)
            {
                for (var i = 0; i < part.Length; i++)
                    codes[g * block + i] = (byte)(sbyte)Math.Clamp(MathF.Round(part[i] * inverse), -127, 127);
            }
            else
            {
                // Padding must be zero too: its code is that of 0.
                for (var i = 0; i < block; i++)
                    codes[(g * block + i) / 2] |= (byte)(Nearest(i < part.Length ? part[i] * inverse : 0) << (i % 2 == 0 ? 4 : 0));
            }
        }
    }

    private static int Nearest(float value)
    {
        var (low, high) = (0, Nf4Edges.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (value > Nf4Edges[middle])
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    private static void Narrow(ReadOnlySpan<float> row, Span<ushort> codes)
    {
        for (var i = 0; i < row.Length; i++)
            codes[i] = FloatConversion.ToBFloat16(row[i]);
    }

    // Both numbers of every byte, [256, 2].
    private static Tensor Pairs() => tensor([.. Enumerable.Range(0, 256).SelectMany(b => new[] { Nf4[b >> 4], Nf4[b & 15] })]).view(256, 2);

    private static long Groups(long columns, int block) => (columns + block - 1) / block;

    /// <summary>Frees it.</summary>
    public void Dispose()
    {
        _codes.Dispose();
        _scales_OG1?.Dispose();
        _table?.Dispose();
    }
}
