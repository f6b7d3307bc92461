using Attune.Core.Randomness;
using Attune.Torch.Optimisers;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>
/// Low-rank adaptation (Hu et al., arXiv 2106.09685): W = W₀ + (α/r)·B·A with W₀ frozen. The adapter is merged into the
/// weight before each step and its gradient taken from the weight's: dB = (α/r)·dW·Aᵀ, dA = (α/r)·Bᵀ·dW. That is
/// exact, needs nothing of the layers, and keeps their fused kernels; the price is the full weight's gradient, so it
/// saves optimiser state and forgetting, not arithmetic.
/// </summary>
public sealed class Lora : IDisposable
{
    private readonly IReadOnlyList<Adapter> _adapters;
    private readonly double _scale;

    private sealed record Adapter(string Name, Tensor Weight, Tensor Frozen, Tensor A_RI, Tensor B_OR);

    private Lora(IReadOnlyList<Adapter> adapters, double scale) => (_adapters, _scale) = (adapters, scale);

    /// <summary>The projections that a name in <c>targets</c> may mean.</summary>
    public static IReadOnlyList<string> Projections { get; } = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

    /// <summary>
    /// Puts an adapter on every matrix whose layer has one of the target names and freezes everything else. A starts
    /// uniform in ±1/√inputs, B at zero, so the model starts as it was.
    /// </summary>
    /// <param name="parameters">Every parameter of the model.</param>
    /// <param name="rank">r.</param>
    /// <param name="alpha">α.</param>
    /// <param name="targets">Names of <see cref="Projections"/>.</param>
    /// <param name="random">Where A is drawn from.</param>
    /// <exception cref="TrainingException">ATT5101: no projection has that name.</exception>
    public static Lora Attach(IEnumerable<(string Name, Tensor Value)> parameters, int rank, double alpha, IReadOnlyList<string> targets, RandomStream random)
    {
        foreach (var target in targets.Except(Projections, StringComparer.Ordinal))
            throw TrainingException.Unsupported("LoRA target", target, Projections);
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var adapters = new List<Adapter>();
        foreach (var (name, value) in parameters)
        {
            var isTarget = targets.Any(t => name.EndsWith($".{t}.weight", StringComparison.Ordinal));
            value.requires_grad_(isTarget);
            if (!isTarget)
                continue;
            var a_RI = empty(rank, value.shape[1]);
            foreach (ref var a in a_RI.Floats())
                a = (float)((2 * random.NextDouble() - 1) / Math.Sqrt(value.shape[1]));
            adapters.Add(new Adapter(name, value, Own(value.detach().clone()), Own(a_RI).requires_grad_(), Own(zeros(value.shape[0], rank)).requires_grad_()));
        }
        return new Lora(adapters, alpha / rank);
    }

    /// <summary>A and B of every adapter, under PEFT's names.</summary>
    public IEnumerable<(string Name, Tensor Value)> Parameters => _adapters.SelectMany(a => new[]
    {
        (Key(a.Name, "A"), a.A_RI), (Key(a.Name, "B"), a.B_OR),
    });

    /// <summary>Writes W₀ + (α/r)·B·A into the weights.</summary>
    public void Merge()
    {
        using var noGradient = no_grad();
        foreach (var adapter in _adapters)
        {
            using var scope = NewDisposeScope();
            adapter.Weight.copy_(adapter.Frozen).addmm_(adapter.B_OR, adapter.A_RI, alpha: (float)_scale);
        }
    }

    /// <summary>Turns the gradients of the weights into those of A and B, and clears the former.</summary>
    public void PullGradients()
    {
        using var noGradient = no_grad();
        foreach (var (_, weight, _, a_RI, b_OR) in _adapters)
        {
            using var scope = NewDisposeScope();
            if (weight.grad is not { } gradient_OI)
                continue;
            Give(a_RI, b_OR.t().mm(gradient_OI).mul_(_scale));
            Give(b_OR, gradient_OI.mm(a_RI.t()).mul_(_scale));
            gradient_OI.zero_();
        }
    }

    private static void Give(Tensor parameter, Tensor gradient)
    {
        if (parameter.grad is { } existing)
            existing.copy_(gradient);
        else
            parameter.grad = gradient;
    }

    private static string Key(string name, string part) => $"base_model.model.{name[..^".weight".Length]}.lora_{part}.weight";

    private static Tensor Own(Tensor tensor) => tensor.DetachFromDisposeScope();

    /// <summary>Frees the adapters; the weights stay as the last <see cref="Merge"/> left them.</summary>
    public void Dispose()
    {
        foreach (var (_, _, frozen, a_RI, b_OR) in _adapters)
        {
            frozen.Dispose();
            a_RI.Dispose();
            b_OR.Dispose();
        }
    }
}
