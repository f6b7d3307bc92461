using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Losses;

/// <summary>What every loss on preference pairs is made of: log-probabilities of P pairs under policy and reference.</summary>
public sealed class PairLogProbs
{
    /// <summary>π_c: Σ ln p of each chosen completion under the policy, P.</summary>
    public required Tensor Chosen { get; init; }

    /// <summary>π_r: the same of the rejected, P.</summary>
    public required Tensor Rejected { get; init; }

    /// <summary>ref_c: Σ ln p of each chosen completion under the reference, P.</summary>
    public required Tensor ReferenceChosen { get; init; }

    /// <summary>ref_r: the same of the rejected, P.</summary>
    public required Tensor ReferenceRejected { get; init; }

    /// <summary>n_c: tokens of each chosen completion, P.</summary>
    public required Tensor ChosenTokens { get; init; }

    /// <summary>n_r: tokens of each rejected completion, P.</summary>
    public required Tensor RejectedTokens { get; init; }

    /// <summary>m: how far apart the data has each pair, P; zero unless given.</summary>
    public Tensor Margins { get => field ?? 0 * Chosen.detach(); init; }

    /// <summary>u = π_c − ref_c, P.</summary>
    public Tensor U => Chosen - ReferenceChosen;

    /// <summary>v = π_r − ref_r, P.</summary>
    public Tensor V => Rejected - ReferenceRejected;

    /// <summary>Δ = u − v, P.</summary>
    public Tensor Delta => U - V;

    /// <summary>u/n_c − v/n_r, P.</summary>
    public Tensor MeanDelta => U / ChosenTokens - V / RejectedTokens;
}
