using Attune.Core.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>
/// The feed-forward layer: gated, down(act(gate(x)) · up(x)) (Shazeer 2020, SwiGLU where act is silu), or plain,
/// down(act(up(x))).
/// </summary>
public sealed class FeedForward : nn.Module<Tensor, Tensor>
{
    private readonly Projection? _gate, _up, _gateUp;
    private readonly Projection _down;
    private readonly Activation _activation;

    /// <param name="config">The decoder's shape.</param>
    public FeedForward(DecoderConfig config)
        : base(nameof(FeedForward))
    {
        _activation = config.Activation;
        var (names, d, f, bias) = (config.Names, config.HiddenSize, config.IntermediateSize, config.FeedForwardBias);
        if (names.GateUp is { } fused)
        {
            register_module(fused, _gateUp = new(d, 2 * f, bias, names.Transposed));
        }
        else
        {
            if (config.GatedFeedForward)
                register_module(names.Gate, _gate = new(d, f, bias, names.Transposed));
            register_module(names.Up, _up = new(d, f, bias, names.Transposed));
        }
        register_module(names.Down, _down = new(f, d, bias, names.Transposed));
    }

    /// <summary>[F, D]; null where there is none, or where it is one with up.</summary>
    public Projection? Gate => _gate;

    /// <summary>[F, D].</summary>
    public Projection? Up => _up;

    /// <summary>[2F, D]: gate, then up; null where they are two.</summary>
    public Projection? GateUp => _gateUp;

    /// <summary>[D, F].</summary>
    public Projection Down => _down;

    /// <summary>[N, D] → [N, D].</summary>
    public override Tensor forward(Tensor x_ND)
    {
        using var scope = NewDisposeScope();
        if (_gateUp is not null)
        {
            var both = _gateUp.forward(x_ND).chunk(2, -1);
            return _down.forward(Act(both[0]) * both[1]).MoveToOuterDisposeScope();
        }
        var up_NF = _up!.forward(x_ND);
        return _down.forward(_gate is null ? Act(up_NF) : Act(_gate.forward(x_ND)) * up_NF).MoveToOuterDisposeScope();
    }

    private Tensor Act(Tensor x) => _activation switch
    {
        Activation.Silu => nn.functional.silu(x),
        Activation.Gelu => nn.functional.gelu(x),
        _ => GeluTanh(x),
    };

    /// <summary>½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))) (Hendrycks and Gimpel 2016).</summary>
    private static Tensor GeluTanh(Tensor x) => 0.5 * x * (1 + (Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x.pow(3))).tanh());

    /// <summary>Does nothing: the parts were registered by their family's names, and not by those of the fields.</summary>
    protected override void RegisterComponents()
    {
    }
}
