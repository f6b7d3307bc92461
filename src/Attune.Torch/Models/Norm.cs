using Attune.Core.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>What normalises hidden states, over their last dimension.</summary>
public abstract class Norm : nn.Module<Tensor, Tensor>
{
    private protected Norm(string name)
        : base(name)
    {
    }

    /// <summary>w, [D].</summary>
    public abstract Tensor Weight { get; }

    /// <summary>Whether <c>forward</c> may take the kernel where it fits; off, it is the plain definition.</summary>
    internal bool Kernels { get; set; } = true;

    /// <summary>The norm that a config asks for.</summary>
    /// <param name="config">The decoder's shape.</param>
    /// <param name="size">D.</param>
    public static Norm Of(DecoderConfig config, int size) => config.Norm switch
    {
        NormKind.Rms => new RmsNorm(size, config.NormEpsilon),
        NormKind.RmsPlusOne => new RmsNorm(size, config.NormEpsilon, plusOne: true),
        NormKind.Layer => new LayerNorm(size, config.NormEpsilon, bias: true),
        _ => new LayerNorm(size, config.NormEpsilon, bias: false),
    };
}
