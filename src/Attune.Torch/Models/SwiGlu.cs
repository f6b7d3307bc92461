using Attune.Core.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>The gated feed-forward layer (Shazeer 2020): down(silu(gate(x)) · up(x)), silu(z) = z · σ(z).</summary>
public sealed class SwiGlu : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "gate_proj")]
    private readonly Projection _gate;
    [ComponentName(Name = "up_proj")]
    private readonly Projection _up;
    [ComponentName(Name = "down_proj")]
    private readonly Projection _down;

    /// <param name="config">The decoder's shape.</param>
    public SwiGlu(DecoderConfig config)
        : base(nameof(SwiGlu))
    {
        _gate = new(config.HiddenSize, config.IntermediateSize);
        _up = new(config.HiddenSize, config.IntermediateSize);
        _down = new(config.IntermediateSize, config.HiddenSize);
        RegisterComponents();
    }

    /// <summary>[F, D].</summary>
    public Projection Gate => _gate;

    /// <summary>[F, D].</summary>
    public Projection Up => _up;

    /// <summary>[D, F].</summary>
    public Projection Down => _down;

    /// <summary>[N, D] → [N, D].</summary>
    public override Tensor forward(Tensor x_ND)
    {
        using var scope = NewDisposeScope();
        var gated_NF = nn.functional.silu(_gate.forward(x_ND)) * _up.forward(x_ND);
        return _down.forward(gated_NF).MoveToOuterDisposeScope();
    }
}
