using Attune.Core.Checkpoints;
using Attune.Torch.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>One layer: x + attention(norm(x)), then the same with the feed-forward part.</summary>
public sealed class DecoderBlock : nn.Module<Tensor, TokenStream, RotaryTable, Tensor>
{
    [ComponentName(Name = "input_layernorm")]
    private readonly RmsNorm _inputNorm;
    [ComponentName(Name = "self_attn")]
    private readonly Attention _attention;
    [ComponentName(Name = "post_attention_layernorm")]
    private readonly RmsNorm _postAttentionNorm;
    [ComponentName(Name = "mlp")]
    private readonly SwiGlu _feedForward;

    private readonly DecoderConfig _config;

    /// <param name="config">The decoder's shape.</param>
    public DecoderBlock(DecoderConfig config)
        : base(nameof(DecoderBlock))
    {
        _config = config;
        _inputNorm = new(config.HiddenSize, config.NormEpsilon);
        _attention = new(config);
        _postAttentionNorm = new(config.HiddenSize, config.NormEpsilon);
        _feedForward = new(config);
        RegisterComponents();
    }

    /// <summary>Before attention.</summary>
    public RmsNorm InputNorm => _inputNorm;

    /// <summary>The attention part.</summary>
    public Attention Attention => _attention;

    /// <summary>Before the feed-forward part.</summary>
    public RmsNorm PostAttentionNorm => _postAttentionNorm;

    /// <summary>The feed-forward part.</summary>
    public SwiGlu FeedForward => _feedForward;

    /// <summary>Whether <see cref="forward"/> may take the kernels where they fit; off, it is the plain definition.</summary>
    internal bool Kernels { get; set; } = true;

    /// <summary>Whether activations are computed again in backward instead of kept.</summary>
    internal bool Recompute { get; set; }

    /// <summary>[N, D] → [N, D].</summary>
    public override Tensor forward(Tensor x_ND, TokenStream stream, RotaryTable rotary) =>
        Recompute && is_grad_enabled() ? RecomputeFunction.Run(x_ND, this, stream, rotary) : Once(x_ND, stream, rotary);

    /// <summary>The block itself, keeping what backward needs.</summary>
    internal Tensor Once(Tensor x_ND, TokenStream stream, RotaryTable rotary)
    {
        if (Kernels && BlockFunction.Fits(x_ND, this))
            return BlockFunction.Run(x_ND, this, stream, rotary);

        using var scope = NewDisposeScope();
        var middle_ND = x_ND + _attention.forward(_inputNorm.forward(x_ND), stream, rotary);
        return (middle_ND + _feedForward.forward(_postAttentionNorm.forward(middle_ND))).MoveToOuterDisposeScope();
    }

    /// <summary>The sizes for the kernels.</summary>
    internal BlockShape ShapeFor(int tokens) => new(
        tokens, _config.HiddenSize, _config.Heads, _config.KeyValueHeads, _config.HeadSize, _config.IntermediateSize, (float)_config.NormEpsilon);
}
