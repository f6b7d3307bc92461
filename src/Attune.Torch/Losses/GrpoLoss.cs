using Attune.Torch.Optimisers;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Losses;

/// <summary>What GRPO minimises, beside its data.</summary>
public sealed record GrpoObjective
{
    /// <summary>One of <see cref="GrpoLoss.Names"/>.</summary>
    public string Form { get; init; } = "dapo";

    /// <summary>Whether ρ is of a whole row (GSPO) and not of a token.</summary>
    public bool SequenceRatio { get; init; }

    /// <summary>β: weight of the KL to the reference; 0 needs no reference.</summary>
    public double Beta { get; init; }

    /// <summary>ε_low.</summary>
    public double ClipLow { get; init; } = 0.2;

    /// <summary>ε_high; for cispo the largest ratio itself.</summary>
    public double ClipHigh { get; init; } = 0.2;

    /// <summary>The length that dr_grpo divides by.</summary>
    public int MaxLength { get; init; } = 1;
}

/// <summary>The size of the whole update that a micro-batch is a part of: the parts' losses add up to the update's.</summary>
/// <param name="MicroBatches">Micro-batches.</param>
/// <param name="Rows">Rows of all of them.</param>
/// <param name="Tokens">Completion tokens of all of them.</param>
public readonly record struct UpdateSize(int MicroBatches, long Rows, long Tokens);

/// <summary>
/// Group relative policy optimisation (Shao et al., arXiv 2402.03300) and its current forms. For each token
/// ℓ = −min(ρA, clip(ρ, 1 − ε_low, 1 + ε_high)A) + β·ρ·k3 (ρ, for the tokens are drawn from π_old; arXiv 2512.02556), then
/// grpo: mean over the tokens of a row, then over rows;
/// bnpo: mean over the tokens of a micro-batch, then over micro-batches;
/// dr_grpo: sum/(rows × max length) (Liu et al., arXiv 2503.20783);
/// dapo: sum/(tokens of the whole update) (Yu et al., arXiv 2503.14476);
/// cispo: as dapo with ℓ = −min(ρ, ε_high)·A·ln π, no gradient through ρ (MiniMax, arXiv 2506.13585).
/// With the ratio of a sequence ρ = e^(mean ln ρ_t) (GSPO, Zheng et al., arXiv 2507.18071).
/// </summary>
public static class GrpoLoss
{
    /// <summary>Every form there is.</summary>
    public static IReadOnlyList<string> Names { get; } = ["grpo", "bnpo", "dr_grpo", "dapo", "cispo"];

    /// <summary>Refuses what is not there.</summary>
    /// <exception cref="TrainingException">ATT5101, ATT5201.</exception>
    public static void Check(GrpoObjective objective)
    {
        if (!Names.Contains(objective.Form))
            throw TrainingException.Unsupported("GRPO loss", objective.Form, Names);
        if (objective.Beta < 0 || objective.ClipLow is < 0 or >= 1 || objective.ClipHigh < 0)
            throw new TrainingException("ATT5201", FormattableString.Invariant($"beta {objective.Beta}, clip_low {objective.ClipLow}, clip_high {objective.ClipHigh} are not all possible.")) { Field = "clip_low", Hint = "clip_low is from 0 to below 1, the others are not negative." };
        if (objective.Form == "cispo" && objective.ClipHigh < 1)
            throw new TrainingException("ATT5201", FormattableString.Invariant($"cispo's clip_high of {objective.ClipHigh} would hold every ratio below one.")) { Field = "clip_high", Hint = "For cispo it is the largest ratio itself: 5 is usual." };
    }

    /// <summary>The loss of one micro-batch of S rows with M tokens.</summary>
    /// <param name="objective">What is minimised.</param>
    /// <param name="tokens">Which token is of which row.</param>
    /// <param name="logProbs_M">ln π.</param>
    /// <param name="old_M">ln π_old.</param>
    /// <param name="reference_M">ln ref, or null where β is 0.</param>
    /// <param name="advantages_S">A of each row.</param>
    /// <param name="size">The whole update.</param>
    public static Tensor Of(GrpoObjective objective, CompletionTokens tokens, Tensor logProbs_M, Tensor old_M, Tensor? reference_M, Tensor advantages_S, UpdateSize size)
    {
        using var scope = NewDisposeScope();
        var advantages_M = tokens.Spread(advantages_S);
        var ratio_M = Ratio(objective, tokens, logProbs_M, old_M);
        var losses_M = objective.Form == "cispo"
            ? -ratio_M.detach().clamp(max: objective.ClipHigh) * advantages_M * logProbs_M
            : -minimum(ratio_M * advantages_M, ratio_M.clamp(1 - objective.ClipLow, 1 + objective.ClipHigh) * advantages_M);
        if (objective.Beta != 0)
            losses_M += objective.Beta * ratio_M * KlEstimate.K3(logProbs_M, reference_M!);
        var loss = objective.Form switch
        {
            "grpo" => tokens.Means(losses_M).sum() / (double)size.Rows,
            "bnpo" => losses_M.mean() / (double)size.MicroBatches,
            "dr_grpo" => losses_M.sum() / ((double)size.Rows * objective.MaxLength),
            _ => losses_M.sum() / (double)size.Tokens,
        };
        return loss.MoveToOuterDisposeScope();
    }

    /// <summary>ρ of each token, M: its own, or its row's.</summary>
    public static Tensor Ratio(GrpoObjective objective, CompletionTokens tokens, Tensor logProbs_M, Tensor old_M)
    {
        using var scope = NewDisposeScope();
        var ratio_M = objective.SequenceRatio
            ? tokens.Spread(PpoLoss.Ratio(tokens.Means(logProbs_M - old_M), zeros(tokens.Rows, device: logProbs_M.device)))
            : PpoLoss.Ratio(logProbs_M, old_M);
        return ratio_M.MoveToOuterDisposeScope();
    }
}
