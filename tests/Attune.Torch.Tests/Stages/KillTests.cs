using System.Diagnostics;
using Attune.Core.Randomness;
using Attune.Torch.Stages;
using Xunit;

namespace Attune.Torch.Tests.Stages;

/// <summary>
/// A whole life, from text to every kind of aligned version, in a process of its own that is killed (SIGKILL) at a random
/// moment inside every one of its stages and started anew: every version has the bits of a life that nobody disturbed (failure 6).
/// </summary>
public sealed class KillTests : IDisposable
{
    // Where a child lives, and on whose data.
    private const string Home = "ATTUNE_TEST_LIFE", Data = "ATTUNE_TEST_LIFE_DATA";

    private static readonly string[] Stages = ["pretrain", "sft", "sft-lora", "reward", "refresh", "ppo", "grpo", "rloo", "dpo", "dpo-listwise", "kto", "orpo", "simpo"];

    // Between two steps of a child: time enough for its parent to read that one was made.
    private static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(25);

    // The shortest stages have four steps: a kill after one of the first two falls inside them.
    private const int StepsBeforeAKill = 2;
    private readonly TinyRuns _runs = new();

    [Fact]
    public void ALifeThatIsKilledInsideEveryStageEndsWithTheSameBits()
    {
        var whole = Live(Path.Combine(_runs.Folder, "whole"), _runs.Folder, null);
        var home = Path.Combine(_runs.Folder, "killed");
        var random = RandomStream.Of(11, "test", "kill");
        var hit = new List<string>();
        for (var lives = 0; Stages.Except(hit, StringComparer.Ordinal).FirstOrDefault() is { } stage; lives++)
        {
            Assert.True(lives < 3 * Stages.Length, $"{stage} was over before it could be killed, again and again");
            var (steps, wait) = (random.Between(1, StepsBeforeAKill), random.NextDouble() * 2 * Breath);
            using var child = Start(home);
            while (!child.HasExited && Progress(home, stage) < steps)
                Thread.Sleep(1);
            Thread.Sleep(wait);
            child.Kill();
            child.WaitForExit();
            Assert.True(child.ExitCode != 1, child.StandardOutput.ReadToEnd());
            if (IsOver(home, stage))
            {
                // Too late: the stage is lived through again.
                Directory.Delete(Path.Combine(home, stage), recursive: true);
                continue;
            }
            hit.Add(stage);
            TestContext.Current.TestOutputHelper?.WriteLine($"{stage}: killed {wait.TotalMilliseconds:F0} ms after step {steps} was told, at {Progress(home, stage)} steps told");
        }
        Assert.Equal(Stages, hit);
        Assert.Equal(whole, Live(home, _runs.Folder, null));
    }

    /// <summary>The child: does nothing where nobody asks.</summary>
    [Fact]
    public void LivesWhereItIsAsked()
    {
        if (Environment.GetEnvironmentVariable(Home) is { Length: > 0 } home)
            Live(home, Environment.GetEnvironmentVariable(Data)!, new Listener<StageProgress>(_ => Thread.Sleep(Breath)));
    }

    public void Dispose() => _runs.Dispose();

    private static List<string> Live(string home, string data, IProgress<StageProgress>? progress)
    {
        string File(string name) => Path.Combine(data, name);
        var made = new List<string>();
        StageResult Stage(string name, StageResult? parent, Func<StageContext, StageResult> run)
        {
            var result = run(new StageContext { RunFolder = Path.Combine(home, name), Threads = 1, Progress = progress, Parent = parent?.Draft.Files, ParentDigest = parent is null ? null : "sha256:" + TinyRuns.WeightsOf(parent) });
            made.Add($"{name} {TinyRuns.WeightsOf(result)}");
            return result;
        }
        var text = Stage("pretrain", null, c => Pretrain.Run(TinyRuns.Pretraining(File("text.jsonl")) with { CheckpointSteps = 2 }, c));
        var talk = Stage("sft", text, c => Sft.Run(TinyRuns.Tuning(File("talks.jsonl")) with { CheckpointSteps = 2 }, c));
        Stage("sft-lora", text, c => Sft.Run(TinyRuns.Tuning(File("talks.jsonl")) with { CheckpointSteps = 2, Lora = TinyRuns.Adapters("sft-lora") }, c));
        var reward = Stage("reward", talk, c => Reward.Run(TinyRuns.Scoring(File("pairs.jsonl")) with { CheckpointSteps = 2 }, c));
        Stage("refresh", reward, c => RewardRefresh.Run(TinyRuns.Refreshing(File("talks.jsonl")), c with { Policy = talk.Draft.Files }));
        Stage("ppo", talk, c => Ppo.Run(TinyRuns.Reinforcing(File("talks.jsonl")) with { CheckpointSteps = 1, KlTarget = 0.5, KlHorizon = 20 }, c with { RewardModel = reward.Draft.Files }));
        Stage("grpo", talk, c => Grpo.Run(TinyRuns.Grouping(File("talks.jsonl")) with { CheckpointSteps = 3, MiniBatches = 2, Beta = 0.04 }, c));
        Stage("rloo", talk, c => Grpo.Run(TinyRuns.LeavingOut(File("talks.jsonl")) with { CheckpointSteps = 2 }, c));
        Stage("dpo", talk, c => Dpo.Run(TinyRuns.Preferring(File("pairs.jsonl")) with { CheckpointSteps = 2 }, c));
        Stage("dpo-listwise", talk, c => Dpo.Run(TinyRuns.Preferring(File("rankings.jsonl")) with { CheckpointSteps = 2, Loss = "listwise", MicroBatchPairs = 2 }, c));
        Stage("kto", talk, c => Kto.Run(TinyRuns.Labelling(File("labels.jsonl")) with { CheckpointSteps = 2 }, c));
        Stage("orpo", talk, c => Orpo.Run(TinyRuns.Odds(File("pairs.jsonl")) with { CheckpointSteps = 2 }, c));
        Stage("simpo", talk, c => Simpo.Run(TinyRuns.Simple(File("pairs.jsonl")) with { CheckpointSteps = 2 }, c));
        return made;
    }

    // Steps that a stage has told so far.
    private static int Progress(string home, string stage) => Path.Combine(home, stage) is var folder && Directory.Exists(folder)
        ? Directory.EnumerateFiles(folder, MetricsLog.FileName, SearchOption.AllDirectories).Sum(Lines)
        : 0;

    private static bool IsOver(string home, string stage) => File.Exists(Path.Combine(home, stage, "result.json"));

    private static int Lines(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(file);
        return reader.ReadToEnd().Count(c => c == '\n');
    }

    private Process Start(string home)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, UseShellExecute = false };
        // The tests are a program; without a launcher of their own they run under dotnet.
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet")
            start.ArgumentList.Add(typeof(KillTests).Assembly.Location);
        foreach (var argument in new[] { "-noLogo", "-noColor", "-method", $"{typeof(KillTests).FullName}.{nameof(LivesWhereItIsAsked)}" })
            start.ArgumentList.Add(argument);
        start.Environment[Home] = home;
        start.Environment[Data] = _runs.Folder;
        // What a killed process leaves behind goes with its parent's files.
        start.Environment["TMPDIR"] = _runs.Folder;
        return Process.Start(start)!;
    }
}
