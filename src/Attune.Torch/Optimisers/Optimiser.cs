using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Optimisers;

/// <summary>The constants of both update rules.</summary>
public sealed record OptimiserSettings
{
    /// <summary>AdamW's decay of the first moment.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>AdamW's decay of the second moment.</summary>
    public double Beta2 { get; init; } = 0.95;

    /// <summary>AdamW's ε.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Muon's momentum.</summary>
    public double Momentum { get; init; } = 0.95;

    /// <summary>Muon's scaling.</summary>
    public MuonScale Scale { get; init; } = MuonScale.MatchRms;
}

/// <summary>Updates a model's parameters, each by its own rule, and owns the state that this needs.</summary>
public sealed class Optimiser : IDisposable
{
    private readonly AdamW _adam;
    private readonly Muon _muon;
    private readonly SpacedWordTie? _tie;

    /// <summary>Takes the parameters as they are; the state starts at zero.</summary>
    /// <param name="parameters">What is trained.</param>
    /// <param name="settings">Constants of the rules.</param>
    /// <param name="tie">Rows that are trained as one, or null; its offsets are trained too, and it is disposed of with the optimiser.</param>
    public Optimiser(IReadOnlyList<Trainable> parameters, OptimiserSettings settings, SpacedWordTie? tie = null)
    {
        _tie = tie;
        if (tie is not null)
            parameters = [.. parameters, .. tie.Offsets];
        Parameters = parameters;
        _adam = new AdamW(parameters.Where(p => p.Rule == UpdateRule.AdamW), settings.Beta1, settings.Beta2, settings.Epsilon);
        _muon = new Muon(parameters.Where(p => p.Rule == UpdateRule.Muon), settings.Momentum, settings.Scale);
    }

    /// <summary>What is trained.</summary>
    public IReadOnlyList<Trainable> Parameters { get; }

    /// <summary>Every tensor of the state by name, for a checkpoint: written out and copied back bit by bit.</summary>
    public IEnumerable<(string Name, Tensor Value)> State => _adam.State.Concat(_muon.State);

    /// <summary>Bytes of the state.</summary>
    public long StateBytes => State.Sum(s => s.Value.numel() * sizeof(float));

    /// <summary>One update.</summary>
    /// <param name="step">Counted from one.</param>
    /// <param name="rate">The learning rate of this step.</param>
    public void Step(long step, double rate)
    {
        _tie?.ShareGradients();
        _adam.Step(step, rate);
        _muon.Step(rate);
        _tie?.Hold();
    }

    /// <summary>Sets every gradient to zero, in place.</summary>
    public void ZeroGradients()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        foreach (var parameter in Parameters)
            parameter.Value.grad?.zero_();
    }

    /// <summary>Frees the state.</summary>
    public void Dispose()
    {
        _adam.Dispose();
        _muon.Dispose();
        _tie?.Dispose();
    }
}
