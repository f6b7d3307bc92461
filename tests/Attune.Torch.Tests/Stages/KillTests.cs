using System.Diagnostics;
using Attune.Core.Randomness;
using Attune.Torch.Stages;
using Xunit;

namespace Attune.Torch.Tests.Stages;

/// <summary>
/// A whole life, from text to every kind of aligned version, in a process of its own that is killed (SIGKILL) again and
/// again at random moments and started anew: every version has the bits of a life that nobody disturbed (failure 6).
/// </summary>
public sealed class KillTests : IDisposable
{
    // Where a child lives, and on whose data.
    private const string Home = "ATTUNE_TEST_LIFE", Data = "ATTUNE_TEST_LIFE_DATA";
    private const int Kills = 5;
    private readonly TinyRuns _runs = new();

    [Fact]
    public void ALifeThatIsKilledAgainAndAgainEndsWithTheSameBits()
    {
        var whole = Live(Path.Combine(_runs.Folder, "whole"), _runs.Folder);
        var home = Path.Combine(_runs.Folder, "killed");
        var random = RandomStream.Of(11, "test", "kill");
        var kills = 0;
        while (true)
        {
            using var child = Start(home);
            var until = kills < Kills ? Progress(home) + random.Between(1, 12) : int.MaxValue;
            while (!child.WaitForExit(5) && Progress(home) < until)
            {
            }
            if (!child.HasExited)
            {
                child.Kill();
                kills++;
            }
            child.WaitForExit();
            if (child.ExitCode == 0)
                break;
            Assert.True(kills <= Kills && child.ExitCode != 1, child.StandardOutput.ReadToEnd());
        }
        Assert.True(kills > 1, "it was over before it could be killed");
        Assert.Equal(whole, Live(home, _runs.Folder));
    }

    /// <summary>The child: does nothing where nobody asks.</summary>
    [Fact]
    public void LivesWhereItIsAsked()
    {
        if (Environment.GetEnvironmentVariable(Home) is { Length: > 0 } home)
            Live(home, Environment.GetEnvironmentVariable(Data)!);
    }

    public void Dispose() => _runs.Dispose();

    private static List<string> Live(string home, string data)
    {
        string File(string name) => Path.Combine(data, name);
        var made = new List<string>();
        StageResult Stage(string name, StageResult? parent, Func<StageContext, StageResult> run)
        {
            var result = run(new StageContext { RunFolder = Path.Combine(home, name), Threads = 1, Parent = parent?.Draft.Files, ParentDigest = parent is null ? null : "sha256:" + TinyRuns.WeightsOf(parent) });
            made.Add($"{name} {TinyRuns.WeightsOf(result)}");
            return result;
        }
        var text = Stage("pretrain", null, c => Pretrain.Run(TinyRuns.Pretraining(File("text.jsonl")) with { CheckpointSteps = 2 }, c));
        var talk = Stage("sft", text, c => Sft.Run(TinyRuns.Tuning(File("talks.jsonl")) with { CheckpointSteps = 2 }, c));
        var reward = Stage("reward", talk, c => Reward.Run(TinyRuns.Scoring(File("pairs.jsonl")) with { CheckpointSteps = 2 }, c));
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

    // Steps told so far, in all stages.
    private static int Progress(string home) => !Directory.Exists(home) ? 0 : Directory.EnumerateFiles(home, MetricsLog.FileName, SearchOption.AllDirectories).Sum(Lines);

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
        return Process.Start(start)!;
    }
}
