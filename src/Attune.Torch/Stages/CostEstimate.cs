using System.Diagnostics;
using Attune.Core.Checkpoints;
using Attune.Torch.Native;
using Attune.Torch.Optimisers;

namespace Attune.Torch.Stages;

/// <summary>What a run will take, told before it starts.</summary>
public sealed record CostEstimate
{
    /// <summary>A run shorter than this is over before a trial would tell.</summary>
    public const long StepsWorthATrial = 50;

    /// <summary>The same for a stage that draws its answers, in iterations.</summary>
    public const long IterationsWorthATrial = 8;

    /// <summary>Parameters of the model, a tied embedding counted once.</summary>
    public required long Parameters { get; init; }

    /// <summary>Numbers that are trained.</summary>
    public required long Trained { get; init; }

    /// <summary>Bytes of the weights: plain, held in fewer bits, adapters.</summary>
    public required long WeightBytes { get; init; }

    /// <summary>Bytes of the gradients.</summary>
    public required long GradientBytes { get; init; }

    /// <summary>Bytes of the optimiser's state.</summary>
    public required long OptimiserBytes { get; init; }

    /// <summary>Bytes that the forward pass keeps for the backward pass and what that needs beside it, by formula.</summary>
    public required long ActivationBytes { get; init; }

    /// <summary>Bytes of the logits that are there at a time.</summary>
    public required long LogitBytes { get; init; }

    /// <summary>Bytes of the models and the engine that the stage holds beside what it trains.</summary>
    public long BesideBytes { get; init; }

    /// <summary>Real tokens per second of a trial pass, or null where none was made.</summary>
    public double? TokensPerSecond { get; init; }

    /// <summary>Seconds of the whole run at that pace.</summary>
    public double? Seconds { get; init; }

    /// <summary>Of those, seconds of drawing and scoring answers, where a stage does that; else null.</summary>
    public double? AnswerSeconds { get; init; }

    /// <summary>The most memory that the process has held when the trial was over, or null where none was made.</summary>
    public long? TrialBytes { get; init; }

    /// <summary>All of it, the runtime's own share included: the most that the process will hold.</summary>
    public long TotalBytes => WeightBytes + GradientBytes + OptimiserBytes + ActivationBytes + LogitBytes + BesideBytes + MemoryPlan.RuntimeBytes;

    /// <summary>By formula, for micro-batches of N tokens.</summary>
    public static CostEstimate Of(MemoryPlan plan) => new()
    {
        Parameters = plan.Config.Parameters,
        Trained = plan.Trained,
        WeightBytes = plan.WeightBytes,
        GradientBytes = plan.GradientBytes,
        OptimiserBytes = plan.OptimiserBytes,
        ActivationBytes = plan.ActivationBytes,
        LogitBytes = plan.LogitBytes,
    };

    /// <summary>The same of a stage whose optimiser is there.</summary>
    /// <param name="config">The model.</param>
    /// <param name="options">Of the stage.</param>
    /// <param name="optimiser">What is trained, and its state.</param>
    /// <param name="tokens">N.</param>
    public static CostEstimate Of(DecoderConfig config, TrainingOptions options, Optimiser optimiser, long tokens) => Of(MemoryPlan.Of(config, options, tokens)) with
    {
        Trained = optimiser.Parameters.Sum(p => p.Value.numel()),
        GradientBytes = sizeof(float) * optimiser.Parameters.Sum(p => p.Value.numel()),
        OptimiserBytes = optimiser.StateBytes,
    };

    /// <summary>By formula, for a stage with all that it holds beside the model: what its value model trains is trained twice.</summary>
    public static CostEstimate Of(MemoryPlan plan, StageModels models)
    {
        var one = Of(plan);
        var trained = models.Values ? 2 : 1;
        return one with { Trained = trained * one.Trained, GradientBytes = trained * one.GradientBytes, OptimiserBytes = trained * one.OptimiserBytes, BesideBytes = models.Bytes(plan) };
    }

    /// <summary>The same of a stage whose optimiser is there.</summary>
    /// <param name="config">The model.</param>
    /// <param name="options">Of the stage.</param>
    /// <param name="optimiser">What is trained, and its state.</param>
    /// <param name="tokens">N.</param>
    /// <param name="models">What it holds beside.</param>
    public static CostEstimate Of(DecoderConfig config, TrainingOptions options, Optimiser optimiser, long tokens, StageModels models) =>
        Of(config, options, optimiser, tokens) with { BesideBytes = models.Bytes(MemoryPlan.Of(config, options, tokens)) };

    /// <summary>
    /// The time that a run of so many tokens would take: operations over what this machine's matrix product reaches, at
    /// the share of it that training is taken to reach.
    /// </summary>
    /// <param name="plan">Operations of a token.</param>
    /// <param name="ceilingPerSecond">See <see cref="MatmulCeiling"/>.</param>
    /// <param name="runTokens">Real tokens of the whole run.</param>
    public CostEstimate WithCeiling(MemoryPlan plan, double ceilingPerSecond, double runTokens)
    {
        var pace = ShareOfCeiling * ceilingPerSecond / plan.OperationsPerToken;
        return this with { TokensPerSecond = pace, Seconds = runTokens / pace };
    }

    /// <summary>The share of the ceiling that a step is taken to reach before a trial says better.</summary>
    public const double ShareOfCeiling = 0.5;

    /// <summary>With the pace of a trial: a forward and backward pass that changes nothing, the fastest of as many as fit a second, and of two at least.</summary>
    /// <param name="trial">Makes the pass and returns its tokens.</param>
    /// <param name="runTokens">Real tokens of the whole run.</param>
    public CostEstimate WithTrial(Func<long> trial, double runTokens)
    {
        var (tokens, seconds) = Fastest(trial);
        return Taking(runTokens, runTokens * seconds / tokens);
    }

    /// <summary>The same of a stage that draws its answers: those of the first iteration, which are no trial but the run's own, and a trial update with them.</summary>
    /// <param name="trial">Makes the pass of an update and returns its tokens.</param>
    /// <param name="answers">Seconds of drawing and scoring an iteration's answers.</param>
    /// <param name="iterations">Iterations of the whole run.</param>
    /// <param name="steps">Updates of the whole run.</param>
    public CostEstimate WithTrial(Func<long> trial, double answers, long iterations, long steps)
    {
        var (tokens, seconds) = Fastest(trial);
        return Taking(steps * tokens, iterations * answers + steps * seconds) with { AnswerSeconds = iterations * answers };
    }

    /// <summary>Of a run that is resumed: as it went so far.</summary>
    /// <param name="state">Where it stands.</param>
    /// <param name="steps">Updates of the whole run.</param>
    public CostEstimate AsSoFar(RunState state, long steps)
    {
        var share = (double)steps / state.Step;
        return this with { TokensPerSecond = state.Tokens / state.Seconds, Seconds = share * state.Seconds, AnswerSeconds = share * state.SamplingSeconds };
    }

    private CostEstimate Taking(double tokens, double seconds) => this with { TokensPerSecond = tokens / seconds, Seconds = seconds, TrialBytes = PeakMemory.Bytes };

    // The first is no measure: code is compiled, and memory taken.
    private static (long Tokens, double Seconds) Fastest(Func<long> trial)
    {
        var (tokens, seconds, start) = (trial(), double.PositiveInfinity, Stopwatch.GetTimestamp());
        do
        {
            var begun = Stopwatch.GetTimestamp();
            trial();
            seconds = Math.Min(seconds, Math.Max(1e-9, Stopwatch.GetElapsedTime(begun).TotalSeconds));
        }
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < 1);
        return (tokens, seconds);
    }
}
