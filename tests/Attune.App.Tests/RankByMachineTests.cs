using Attune.Core.Data;
using Attune.Core.Preferences;
using Xunit;

namespace Attune.App.Tests;

/// <summary>attune rank --by rules | reward | judge on small versions: answers are drawn and scored, and the file trains.</summary>
public sealed class RankByMachineTests(SmallVersions versions) : IClassFixture<SmallVersions>, IDisposable
{
    private readonly Workplace _at = new();

    public void Dispose() => _at.Dispose();

    [Fact]
    public async Task Rules_score_what_versions_answer_and_the_file_trains()
    {
        await Done("sft", "talks.jsonl", "--parent", versions.Base, "--save-as", "t:instruct", "--steps", "2", "--threads", "1");
        string[] rank = ["rank", "talks.jsonl", "--versions", "t:instruct", "--answers", "3", "--limit", "6", "--max-tokens", "8", "--by", "rules", "--rule", "regex:e", "--rule", "0.5*not:a", "--out", "rules.jsonl"];
        await Done(rank);
        var ranked = Ranked("rules", "rules", "rules.jsonl");
        Assert.All(ranked, a => Assert.All(a.Task.Answers.Zip(a.Scores!), s => Assert.Equal((s.First.Text.Contains('e', StringComparison.Ordinal) ? 1 : 0) + (s.First.Text.Contains('a', StringComparison.Ordinal) ? 0 : 0.5), s.Second)));
        Assert.All(ranked, a => Assert.All(a.Task.Answers, c => Assert.Equal("t:instruct", c.Model)));

        // What is done is not done again.
        var lines = File.ReadAllText(_at.PathOf("rules.jsonl"));
        await Done(rank);
        Assert.Equal(lines, File.ReadAllText(_at.PathOf("rules.jsonl")));
        await Done("dpo", "rules.jsonl", "--parent", "t:instruct", "--save-as", "t:chat", "--steps", "1", "--threads", "1");
    }

    [Fact]
    public async Task A_reward_model_scores_answers_that_are_there()
    {
        await Done("reward", "pairs.jsonl", "--parent", versions.Base, "--save-as", "t:reward", "--steps", "30", "--learning-rate", "0.003", "--threads", "1");
        await Done("rank", "pairs.jsonl", "--limit", "12", "--by", "reward", "--reward", "t:reward", "--out", "reward.jsonl");
        var ranked = Ranked("reward", "reward:t:reward", "reward.jsonl");
        Assert.Equal(12, ranked.Count);
        // Whole sentences were chosen, bare names of towns rejected.
        Assert.True(ranked.Count(a => a.Task.Answers[a.Scores![0] > a.Scores[1] ? 0 : 1].Text.Contains(" is in ", StringComparison.Ordinal)) >= 10, "the model orders what it was trained on");
    }

    [Fact]
    public async Task A_judge_behind_an_endpoint_is_asked_twice_a_pair()
    {
        await using var judge = new LoopbackJudge();
        var output = await Done("rank", "pairs.jsonl", "--limit", "4", "--by", "judge", "--endpoint", judge.Address, "--model", "longest", "--out", "judge.jsonl");
        Assert.Contains("Of 4 comparisons 0 went to the place", output, StringComparison.Ordinal);
        Assert.Equal(8, judge.Asked);
        var ranked = Ranked("judge", "judge:longest", "judge.jsonl");
        Assert.All(ranked, a => Assert.Equal(a.Task.Answers[0].Text.Length > a.Task.Answers[1].Text.Length ? [1, 0] : [0, 1], a.Scores!));
        Assert.Equal(4, DataReader.ReadPreferences(_at.PathOf("judge.jsonl")).Count());
    }

    private IReadOnlyList<Annotation> Ranked(string by, string name, string file)
    {
        Annotation[] lines = [.. AnnotationLog.Read(_at.PathOf(file))];
        Assert.NotEmpty(lines);
        Assert.All(lines, a => Assert.Equal((AnnotationEvent.Ranked, by, name), (a.Event, a.By, a.Annotator)));
        return lines;
    }

    private async Task<string> Done(params string[] arguments)
    {
        var result = await _at.RunAsync(arguments);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.ToString();
    }
}
