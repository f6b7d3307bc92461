using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>
/// Rotary positions (Su et al. 2021) in the half-rotation form of Hugging Face: element i of a head turns together with
/// element i + C/2 by the angle position · θ^(−2i/C). Angles are float32 products, as there, so that long positions
/// agree too. The table grows to the longest row seen and is shared by all layers.
/// </summary>
public sealed class RotaryTable(int headSize, double theta) : IDisposable
{
    private readonly float[] _frequencies = [.. Enumerable.Range(0, headSize / 2).Select(i => 1f / (float)Math.Pow(theta, (float)(2 * i) / headSize))];
    private (Tensor Cos, Tensor Sin)? _onDevice;

    /// <summary>cos of every angle, positions × C/2, row by row.</summary>
    public float[] Cos { get; private set; } = [];

    /// <summary>sin of every angle, positions × C/2, row by row.</summary>
    public float[] Sin { get; private set; } = [];

    /// <summary>Makes sure that positions below <paramref name="length"/> are in the table.</summary>
    public void Reach(int length)
    {
        var half = _frequencies.Length;
        if (length * half <= Cos.Length)
            return;

        length = Math.Max(length, 2 * Cos.Length / half);
        var (cos, sin) = (new float[length * half], new float[length * half]);
        for (var position = 0; position < length; position++)
        {
            for (var i = 0; i < half; i++)
            {
                var angle = position * _frequencies[i];
                (sin[position * half + i], cos[position * half + i]) = ((float)Math.Sin(angle), (float)Math.Cos(angle));
            }
        }
        (Cos, Sin) = (cos, sin);
        Dispose();
    }

    /// <summary>Turns the heads of every token by its position: [N, heads, C] → the same. The plain path.</summary>
    public Tensor Turn(Tensor x_NHC, TokenStream stream)
    {
        Reach(stream.Plan.Reach);
        using var scope = NewDisposeScope();
        var (cos, sin) = OnDevice(x_NHC);
        var cos_N1C = cos.index_select(0, stream.Positions_N).unsqueeze(1);
        var sin_N1C = sin.index_select(0, stream.Positions_N).unsqueeze(1);
        var halves = x_NHC.chunk(2, -1);
        var (a, b) = (halves[0], halves[1]);
        return cat([a * cos_N1C - b * sin_N1C, b * cos_N1C + a * sin_N1C], -1).MoveToOuterDisposeScope();
    }

    /// <summary>Frees the tables on the device; they come back when needed.</summary>
    public void Dispose()
    {
        _onDevice?.Cos.Dispose();
        _onDevice?.Sin.Dispose();
        _onDevice = null;
    }

    private (Tensor Cos, Tensor Sin) OnDevice(Tensor like)
    {
        if (_onDevice is not { } tables || tables.Cos.device != like.device || tables.Cos.dtype != like.dtype)
        {
            Dispose();
            var half = _frequencies.Length;
            tables = (Upload(Cos), Upload(Sin));
            _onDevice = tables;

            Tensor Upload(float[] values) => tensor(values).view(-1, half).to(like.dtype, like.device).DetachFromDisposeScope();
        }
        return tables;
    }
}
