using Attune.Core.Checkpoints;
using Attune.Inference.Kernels;

namespace Attune.Inference;

/// <summary>
/// Cosines and sines of the rows of a step, computed once for all layers and heads. Angles are float32 products of the
/// position with float32 frequencies, as in transformers: the difference to exact angles is visible at large positions.
/// </summary>
internal sealed unsafe class Rotary : IDisposable
{
    private readonly NativeFloats _cos, _sin;
    private readonly float[] _frequencies;

    public Rotary(DecoderConfig config, int maxRows)
    {
        Half = config.HeadSize / 2;
        _frequencies = new float[Half];
        for (var i = 0; i < Half; i++)
            _frequencies[i] = 1f / MathF.Pow((float)config.RopeTheta, 2f * i / config.HeadSize);
        (_cos, _sin) = (new NativeFloats((long)maxRows * Half), new NativeFloats((long)maxRows * Half));
    }

    /// <summary>C / 2.</summary>
    public int Half { get; }

    public void Set(int row, int position)
    {
        for (var i = 0; i < Half; i++)
        {
            var (sin, cos) = Math.SinCos(position * _frequencies[i]);
            _cos.Pointer[(nint)row * Half + i] = (float)cos;
            _sin.Pointer[(nint)row * Half + i] = (float)sin;
        }
    }

    public void Apply(float* x, int row) => Elementwise.Rotate(x, _cos.Pointer + (nint)row * Half, _sin.Pointer + (nint)row * Half, Half);

    public void Dispose()
    {
        _cos.Dispose();
        _sin.Dispose();
    }
}
