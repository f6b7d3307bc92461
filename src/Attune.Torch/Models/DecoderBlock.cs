using Attune.Core.Checkpoints;
using Attune.Torch.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>
/// One layer. In most families x + attention(norm(x)), then the same with the feed-forward part; norms may stand behind the
/// parts as well or instead, and the two parts may read the same x side by side.
/// </summary>
public sealed class DecoderBlock : nn.Module<Tensor, TokenStream, RotaryTable?, Tensor>
{
    private readonly Norm? _attentionNorm, _attentionOutNorm, _feedForwardNorm, _feedForwardOutNorm;
    private readonly Attention _attention;
    private readonly FeedForward _feedForward;
    private readonly DecoderConfig _config;
    private readonly bool _isLlama;

    /// <param name="config">The decoder's shape.</param>
    /// <param name="layer">The index of this block.</param>
    public DecoderBlock(DecoderConfig config, int layer)
        : base(nameof(DecoderBlock))
    {
        (_config, Layer) = (config, layer);
        _isLlama = BlockFunction.Covers(config, layer);
        var (names, place) = (config.Names, config.NormPlacement);
        var (before, after) = (place != NormPlacement.After, place is NormPlacement.After or NormPlacement.BeforeAndAfter);
        _attentionNorm = NormWhere(before, names.AttentionNorm);
        register_module(names.Attention, _attention = new(config, layer));
        _attentionOutNorm = NormWhere(after, names.AttentionOutNorm);
        _feedForwardNorm = NormWhere(before && place != NormPlacement.Shared, names.FeedForwardNorm);
        register_module(names.FeedForward, _feedForward = new(config));
        _feedForwardOutNorm = NormWhere(after, names.FeedForwardOutNorm);
    }

    /// <summary>The index of this block.</summary>
    public int Layer { get; }

    /// <summary>Before attention; null where norms stand only behind.</summary>
    public Norm? AttentionNorm => _attentionNorm;

    /// <summary>The attention part.</summary>
    public Attention Attention => _attention;

    /// <summary>Before the feed-forward part, where it has one of its own.</summary>
    public Norm? FeedForwardNorm => _feedForwardNorm;

    /// <summary>The feed-forward part.</summary>
    public FeedForward FeedForward => _feedForward;

    /// <summary>Whether <see cref="forward"/> may take the kernels where they fit; off, it is the plain definition.</summary>
    internal bool Kernels { get; set; } = true;

    /// <summary>Whether activations are computed again in backward instead of kept.</summary>
    internal bool Recompute { get; set; }

    /// <summary>[N, D] → [N, D].</summary>
    public override Tensor forward(Tensor x_ND, TokenStream stream, RotaryTable? rotary) => At(x_ND, stream, rotary, null);

    /// <summary>[N, D] → [M, D]: the outputs of some tokens alone, of all where <paramref name="needed"/> is null.</summary>
    internal Tensor At(Tensor x_ND, TokenStream stream, RotaryTable? rotary, NeededRows? needed) =>
        Recompute && is_grad_enabled() ? RecomputeFunction.Run(x_ND, this, stream, rotary, needed) : Once(x_ND, stream, rotary, needed);

    /// <summary>The block itself, keeping what backward needs.</summary>
    internal Tensor Once(Tensor x_ND, TokenStream stream, RotaryTable? rotary, NeededRows? needed)
    {
        if (Kernels && _isLlama && !(stream.Plan.Longest > _config.WindowOf(Layer)) && BlockFunction.Fits(x_ND, this))
            return BlockFunction.Run(x_ND, this, stream, rotary!, needed);

        using var scope = NewDisposeScope();
        var normal_ND = Normal(_attentionNorm, x_ND);
        var attended_ND = _attention.forward(normal_ND, stream, rotary);
        // Behind attention every token is by itself: what nobody reads is left out.
        using var index_M = needed?.Index(x_ND.device);
        var (x_MD, attended_MD) = (Picked(x_ND, index_M), Scaled(Normal(_attentionOutNorm, Picked(attended_ND, index_M))));
        if (_config.ParallelResidual)
        {
            var beside_MD = _feedForward.forward(_feedForwardNorm is null ? Picked(normal_ND, index_M) : _feedForwardNorm.forward(x_MD));
            return (x_MD + attended_MD + Scaled(Normal(_feedForwardOutNorm, beside_MD))).MoveToOuterDisposeScope();
        }
        var middle_MD = x_MD + attended_MD;
        return (middle_MD + Scaled(Normal(_feedForwardOutNorm, _feedForward.forward(Normal(_feedForwardNorm, middle_MD))))).MoveToOuterDisposeScope();
    }

    /// <summary>The sizes for the kernels.</summary>
    internal BlockShape ShapeFor(int tokens, int needed) => new(
        tokens, needed, _config.HiddenSize, _config.Heads, _config.KeyValueHeads, _config.HeadSize, _config.IntermediateSize, (float)_config.NormEpsilon);

    private static Tensor Picked(Tensor x_ND, Tensor? index_M) => index_M is null ? x_ND : x_ND.index_select(0, index_M);

    private static Tensor Normal(Norm? norm, Tensor x) => norm is null ? x : norm.forward(x);

    private Tensor Scaled(Tensor x) => _config.ResidualScale is { } scale ? x * scale : x;

    private Norm? NormWhere(bool present, string name)
    {
        if (!present)
            return null;
        var norm = Norm.Of(_config, _config.HiddenSize);
        register_module(name, norm);
        return norm;
    }

    /// <summary>Does nothing: the parts were registered by their family's names, and not by those of the fields.</summary>
    protected override void RegisterComponents()
    {
    }
}
