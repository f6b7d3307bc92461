using Attune.Core.Checkpoints;
using Attune.Inference.Kernels;

namespace Attune.Inference;

/// <summary>One norm as the engine runs it: RMSNorm (Gemma's one is added when it is read) or LayerNorm, weight and bias.</summary>
internal sealed unsafe class NormWeights : IDisposable
{
    private readonly NativeFloats? _bias;
    private readonly int _width;
    private readonly float _epsilon;

    /// <param name="config">Says which norm.</param>
    /// <param name="width">Elements that it is taken over.</param>
    /// <param name="padded">The same with what rows are filled up to.</param>
    public NormWeights(DecoderConfig config, int width, int padded)
    {
        (_width, _epsilon) = (width, (float)config.NormEpsilon);
        Weight = new(padded);
        _bias = config.Norm is NormKind.Layer or NormKind.LayerWithoutBias ? new(padded) : null;
    }

    public NativeFloats Weight { get; }

    /// <summary>Only in a LayerNorm; zero where the model has none.</summary>
    public NativeFloats Bias => _bias ?? throw new InvalidOperationException("An RMSNorm has no bias.");

    /// <summary>x → y, which may be the same memory.</summary>
    public void Apply(float* x, float* y)
    {
        if (_bias is null)
            Elementwise.RmsNorm(x, Weight.Pointer, y, _width, (int)Weight.Length, _epsilon);
        else
            Elementwise.LayerNorm(x, Weight.Pointer, _bias.Pointer, y, _width, (int)Weight.Length, _epsilon);
    }

    public void Dispose()
    {
        Weight.Dispose();
        _bias?.Dispose();
    }
}
