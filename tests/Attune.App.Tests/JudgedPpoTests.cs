using System.Text.Json.Nodes;
using Xunit;

namespace Attune.App.Tests;

/// <summary>attune ppo with a judge beside the reward model, as a shell sees it.</summary>
public sealed class JudgedPpoTests(SmallVersions versions) : IClassFixture<SmallVersions>, IDisposable
{
    private readonly Workplace _at = new();

    public void Dispose() => _at.Dispose();

    [Fact]
    public async Task The_judge_is_asked_as_told_and_its_cost_is_a_line_of_its_own()
    {
        await using var judge = new LoopbackJudge();
        await Done("reward", "pairs.jsonl", "--parent", versions.Base, "--save-as", "t:reward", "--steps", "2", "--threads", "1");
        string[] ppo =
        [
            "ppo", "talks.jsonl", "--parent", versions.Base, "--reward-model", "t:reward", "--endpoint", judge.Address, "--model", "longest", "--judge-pairs", "2",
            "--samples", "2", "--prompts", "4", "--passes", "1", "--steps", "3", "--max-new-tokens", "8", "--threads", "1",
        ];
        var look = await Done([.. ppo, "--preflight-only"]);
        Assert.Contains("at most 12 calls", look, StringComparison.Ordinal);
        Assert.Equal(0, judge.Asked);

        await Done([.. ppo, "--save-as", "t:chat", "--run", "judged"]);
        var lines = File.ReadLines(_at.PathOf("judged", "metrics.jsonl")).Select(l => JsonNode.Parse(l)!).ToArray();
        Assert.Equal(12, judge.Asked);
        Assert.Equal(12, lines.Sum(l => (double?)l["judge/calls"] ?? 0));

        Assert.Contains("ATT4801", (await _at.RunAsync([.. ppo.Where(a => a is not ("--model" or "longest"))])).Error, StringComparison.Ordinal);
    }

    private async Task<string> Done(params string[] arguments)
    {
        var result = await _at.RunAsync(arguments);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.ToString();
    }
}
