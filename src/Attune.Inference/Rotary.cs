using Attune.Core.Checkpoints;
using Attune.Inference.Kernels;

namespace Attune.Inference;

/// <summary>
/// Cosines and sines of the rows of a step, computed once for all layers and heads that turn alike. Angles are float32
/// products of the position with float32 frequencies, as in transformers: the difference to exact angles is visible at large positions.
/// </summary>
internal sealed unsafe class Rotary : IDisposable
{
    private readonly NativeFloats _cos, _sin;
    private readonly RotaryFrequencies _frequencies;

    public Rotary(RotaryFrequencies frequencies, int maxRows)
    {
        _frequencies = frequencies;
        Half = frequencies.Pairs;
        (_cos, _sin) = (new NativeFloats((long)maxRows * Half), new NativeFloats((long)maxRows * Half));
    }

    /// <summary>R / 2: elements of a head that turn with as many others.</summary>
    public int Half { get; }

    /// <summary>Sets the angles of a row.</summary>
    /// <param name="row">The row of the step.</param>
    /// <param name="position">Its position in its text.</param>
    /// <param name="isLong">Whether that text turns by the frequencies of long ones.</param>
    public void Set(int row, int position, bool isLong)
    {
        var turns = _frequencies.For(isLong ? int.MaxValue : 0);
        for (var i = 0; i < Half; i++)
        {
            var (sin, cos) = Math.SinCos(position * turns[i]);
            _cos.Pointer[(nint)row * Half + i] = (float)cos * _frequencies.Factor;
            _sin.Pointer[(nint)row * Half + i] = (float)sin * _frequencies.Factor;
        }
    }

    public void Apply(float* x, int row) => Elementwise.Rotate(x, _cos.Pointer + (nint)row * Half, _sin.Pointer + (nint)row * Half, Half);

    public void Dispose()
    {
        _cos.Dispose();
        _sin.Dispose();
    }
}
