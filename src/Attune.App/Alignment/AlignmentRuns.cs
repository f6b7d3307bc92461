using System.Text.Json;
using Attune.App.Cli;
using Attune.App.Recipes;
using Attune.App.Runs;
using Attune.Core.Checkpoints;
using Attune.Core.Options;
using Attune.Core.Versions;
using Attune.Prompts;
using Attune.Torch.Stages;
using Spectre.Console;

namespace Attune.App.Alignment;

/// <summary>What a stage of an arm cost, and the version it made.</summary>
internal sealed record StageRun(string Stage, ModelVersion Version, RunFacts Facts, int RecipeLines);

/// <summary>One arm trained with one seed.</summary>
internal sealed record ArmRun(AlignmentArm Arm, long Seed, ModelVersion Start, IReadOnlyList<StageRun> Stages)
{
    /// <summary>The policy that came out; the start where nothing was trained.</summary>
    public ModelVersion Version => Stages.LastOrDefault(s => s.Stage is not ("reward" or "refresh"))?.Version ?? Start;

    /// <summary>Whether it is the start itself.</summary>
    public bool IsStart => Stages.Count == 0;

    /// <summary>The reward model on the way, or null.</summary>
    public ModelVersion? Reward => Stages.FirstOrDefault(s => s.Stage == "reward")?.Version;
}

/// <summary>
/// Trains the arms, each stage in a folder named by all that decides it: a stage that two arms share is trained once, a
/// finished one never again, and one that was interrupted goes on where it stopped.
/// </summary>
internal sealed class AlignmentRuns(string folder, string store, ModelVersion instruct, ModelVersion baseVersion, int threads)
{
    /// <summary>Trains all of them.</summary>
    public IReadOnlyList<ArmRun> Run(IReadOnlyList<AlignmentArm> plan, CancellationToken cancel)
    {
        // Every option is bound before the first stage runs: a misspelt one costs no training.
        foreach (var stage in plan.SelectMany(a => a.Stages))
            Bind(stage, 1);
        var runs = new List<ArmRun>();
        var count = plan.Sum(a => a.Versions);
        // Seeds outside, arms inside: an interrupted comparison has whole rows of the table first.
        foreach (var (arm, seed) in plan.SelectMany(a => a.Seeds.Select(s => (a, s))).OrderBy(x => x.s))
        {
            cancel.ThrowIfCancellationRequested();
            if (arm.Versions > 0)
                Terminal.Error.Line($"[bold]{runs.Count(r => !r.IsStart) + 1}/{count} {arm.Key}[/], seed {seed}");
            runs.Add(Run(arm, seed, cancel));
        }
        return runs;
    }

    private ArmRun Run(AlignmentArm arm, long seed, CancellationToken cancel)
    {
        var (start, stages, reward, policy) = (arm.FromBase ? baseVersion : instruct, new List<StageRun>(), "", "");
        foreach (var planned in arm.Stages)
        {
            var stage = planned with { Options = planned.Options.ToDictionary(o => o.Key, o => o.Value is "${reward}" ? reward : o.Value is "${policy}" ? policy : o.Value, StringComparer.Ordinal) };
            var parent = stage.Stage == "refresh" ? reward : start.Digest;
            var (place, options) = Bind(stage, seed);
            StageOutcome outcome;
            try
            {
                outcome = StageRunner.Run(options, place with { Store = store, Parent = parent, Threads = threads, Run = Path.Combine(folder, $"{stage.Stage}-{Key(stage, seed, Running.Open(store, parent).Version!.Digest)}") }, cancel);
            }
            catch (AttuneException e) when (stage.Stage == "refresh")
            {
                // Upkeep is measured, not needed: where it finds nothing to learn from, the comparison goes on without its line.
                Terminal.Error.Line($"  [yellow]note[/]: no upkeep: {e.Message}");
                continue;
            }
            stages.Add(new StageRun(stage.Stage, outcome.Version, outcome.Facts, planned.RecipeLines));
            if (stage.Stage == "reward")
                reward = outcome.Version.Digest;
            else
                policy = outcome.Version.Digest;
        }
        return new ArmRun(arm, seed, start, stages);
    }

    private static (Place Place, TrainingOptions Options) Bind(ArmStage stage, long seed)
    {
        var layer = OptionLayer.FromValues(stage.Options, stage.Stage);
        var (where, what) = layer.Split<Place>();
        return (OptionsBinder.Bind<Place>(null, where), RecipeRunner.BindTraining(stage.Stage, what, OptionLayer.FromValues(new Dictionary<string, object?> { ["seed"] = seed }, "the plan")));
    }

    // Data by what is in it, not by where it lies: other rows are another run.
    private static string Key(ArmStage stage, long seed, string parent)
    {
        var options = stage.Options.OrderBy(o => o.Key, StringComparer.Ordinal).Select(o => new[] { o.Key, AlignmentData.IsFile(o.Key) ? string.Join(' ', AlignmentData.Files(o.Value).Select(Digests.Sha256Of)) : OptionText.Of(o.Value) });
        return Digests.Sha256Of(JsonSerializer.SerializeToUtf8Bytes(new { stage.Stage, Options = options, seed, parent }))[..12];
    }
}
