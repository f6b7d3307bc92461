using Attune.Core.Data;
using Attune.Core.Versions;

namespace Attune.Torch.Stages;

/// <summary>
/// How far a policy has moved from what it started as: KL(π ‖ ref) = E over answers of π of Σ_t (ln π_t − ln ref_t), in nats
/// an answer. The answers must be π's own, drawn at temperature 1: then the mean is unbiased (the estimator k1 of
/// Schulman 2020). A single answer's difference may be negative; their mean tends to the divergence, which is not.
/// </summary>
public static class PolicyDistance
{
    /// <summary>Σ (ln π − ln ref) of each answer.</summary>
    /// <param name="policy">π.</param>
    /// <param name="reference">ref, of the same tokenizer.</param>
    /// <param name="answers">Prompt and answer; trained is the answer, its end of turn included.</param>
    /// <param name="cancel">Stops between passes.</param>
    public static IReadOnlyList<double> Of(ModelFiles policy, ModelFiles reference, IReadOnlyList<TokenRow> answers, CancellationToken cancel = default)
    {
        var (of, to) = (RowLogProbs.Sums(policy, answers, cancel), RowLogProbs.Sums(reference, answers, cancel));
        return [.. of.Zip(to, (p, r) => (double)p - r)];
    }
}
