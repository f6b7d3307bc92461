using Attune.Core.Data;
using Attune.Core.Randomness;

namespace Attune.Torch.Stages;

/// <summary>
/// Which prompts an iteration takes and which of its answers an update learns from: functions of the step, so that the step
/// alone says where a run stands.
/// </summary>
internal sealed class RolloutPlan(RolloutOptions options, string stage, int prompts)
{
    private readonly StepPlan _plan = new(BatchPlan.ByRows(prompts, options.Prompts, options.Seed, stage, options.Order), 1);

    /// <summary>Updates in the run.</summary>
    public long Steps => options.Steps ?? Math.Max(1, (long)Math.Ceiling(options.Epochs * _plan.PerEpoch)) * options.UpdatesPerIteration;

    /// <summary>Iterations in the run.</summary>
    public long Iterations => (Steps + options.UpdatesPerIteration - 1) / options.UpdatesPerIteration;

    /// <summary>The most tokens that go through the model together, where a prompt with its answer has so many.</summary>
    public long MostTokens(long answered) => Math.Min(Math.Max(options.MicroBatchTokens, answered), options.Prompts * (long)options.Samples * answered);

    /// <summary>The prompts of an iteration.</summary>
    public int[] Prompts(long iteration) => _plan.At(iteration).Single();

    /// <summary>The stream that an iteration samples from.</summary>
    public RandomStream Sampling(long iteration) => RandomStream.Of(options.Seed, stage, FormattableString.Invariant($"answers of iteration {iteration}"));

    /// <summary>The stream that says which answers of an iteration a judge compares.</summary>
    public RandomStream Judging(long iteration) => RandomStream.Of(options.Seed, stage, FormattableString.Invariant($"judged answers of iteration {iteration}"));

    /// <summary>The answers of an update, in micro-batches: each pass in an order of its own.</summary>
    /// <param name="step">Counted from zero.</param>
    /// <param name="rollouts">The answers of its iteration.</param>
    public IReadOnlyList<int[]> MicroBatches(long step, IReadOnlyList<Rollout> rollouts)
    {
        var (iteration, update) = Math.DivRem(step, options.UpdatesPerIteration);
        var (pass, part) = Math.DivRem(update, options.MiniBatches);
        var order = RandomStream.Of(options.Seed, stage, FormattableString.Invariant($"order of iteration {iteration}, pass {pass}")).Permutation(rollouts.Count);
        var mine = order[(int)(rollouts.Count * part / options.MiniBatches)..(int)(rollouts.Count * (part + 1) / options.MiniBatches)];
        // Fewer answers than parts, at the end of an epoch: every update has one at least.
        if (mine.Length == 0)
            mine = [order[(int)(part % order.Length)]];
        Rollout[] some = [.. mine.Select(i => rollouts[i])];
        return [.. RolloutScores.Bins(some, options.MicroBatchTokens).Select(bin => bin.Select(i => mine[i]).ToArray())];
    }
}
