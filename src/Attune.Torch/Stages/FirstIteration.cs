namespace Attune.Torch.Stages;

/// <summary>
/// What a stage that draws its answers tells before it starts. A run of some length draws those of its first iteration,
/// which are no trial but the run's own, and tries an update with them; one that is resumed tells how it went so far; a short
/// one is over before a trial would tell.
/// </summary>
/// <param name="Estimate">With time, where it is known.</param>
/// <param name="State">Where the run stands: the time of the answers is its own.</param>
/// <param name="Answers">The answers, where they were drawn.</param>
internal sealed record FirstIteration(CostEstimate Estimate, RunState State, RolloutSet? Answers)
{
    /// <param name="estimate">Memory.</param>
    /// <param name="state">Where the run stands.</param>
    /// <param name="run">Its folder.</param>
    /// <param name="plan">Its iterations.</param>
    /// <param name="context">The clock.</param>
    /// <param name="warm">Draws an answer for nothing.</param>
    /// <param name="answer">Draws and scores those of the first iteration.</param>
    /// <param name="trial">A pass on them that changes nothing, and gives its tokens.</param>
    public static FirstIteration Of(CostEstimate estimate, RunState state, RunFolder run, RolloutPlan plan, StageContext context, Action warm, Func<RolloutSet> answer, Func<RolloutSet, Func<long>> trial)
    {
        if (state.Step > 0)
            return new(estimate.AsSoFar(state, plan.Steps), state, null);
        if (plan.Iterations < CostEstimate.IterationsWorthATrial || RolloutFile.Any(run.Path))
            return new(estimate, state, null);
        warm();
        var start = context.Time.GetTimestamp();
        var answers = answer();
        state = state.Answered(context.Time.GetElapsedTime(start));
        return new(estimate.WithTrial(trial(answers), state.SamplingSeconds, plan.Iterations, plan.Steps), state, answers);
    }
}
