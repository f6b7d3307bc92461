using Attune.Core.Data;
using Attune.Torch.Optimisers;

namespace Attune.Torch.Stages;

/// <summary>
/// Which micro-batches a step takes: those that its number leads to, so that the step alone says where a run stands.
/// Every epoch has the same number of micro-batches, for best fit looks at lengths only.
/// </summary>
public sealed class StepPlan(BatchPlan plan, int accumulation)
{
    private readonly int _perEpoch = plan.BatchesIn(0);

    /// <summary>Micro-batches of an epoch.</summary>
    public int PerEpoch => _perEpoch;

    /// <summary>The row indices of the micro-batches of a step.</summary>
    /// <param name="step">Counted from zero.</param>
    public IEnumerable<int[]> At(long step)
    {
        for (var i = 0L; i < accumulation; i++)
        {
            var (epoch, batch) = Math.DivRem(step * accumulation + i, _perEpoch);
            yield return plan.RowsAt(new BatchCursor((int)epoch, (int)batch));
        }
    }

    /// <summary>Refuses micro-batches that a row of full length would not fit.</summary>
    /// <exception cref="TrainingException">ATT5123.</exception>
    public static void Check(int microBatchTokens, int sequenceLength)
    {
        if (microBatchTokens < sequenceLength)
            throw new TrainingException("ATT5123", FormattableString.Invariant($"A micro-batch of {microBatchTokens} tokens cannot hold a row of {sequenceLength}."))
            {
                Field = "micro_batch_tokens",
                Hint = "Give micro_batch_tokens at least sequence_length.",
            };
    }
}
