using System.Globalization;
using System.Text.Json.Nodes;
using Attune.App.Alignment;
using Attune.App.Cli;
using Attune.App.Runs;
using Attune.Prompts;
using Attune.Torch.Stages;
using Xunit;

namespace Attune.App.Tests;

/// <summary>Each kind of data, and several at once, through a whole alignment of the micro world's versions.</summary>
[Collection(MicroWorld.Trains)]
public sealed class AlignRowTests : IDisposable
{
    private readonly AlignRun _run = new();

    public void Dispose() => _run.Dispose();

    private static JsonObject Pair(int i) => new() { ["prompt"] = $"Say {i}.", ["chosen"] = $"Here it is: {i}.", ["rejected"] = "No." };

    private string Pairs(int count = 40) => _run.Write("pairs.jsonl", Enumerable.Range(0, count).Select(Pair));

    private string Prompts() => _run.Write("prompts.jsonl", Enumerable.Range(100, 24).Select(i => new JsonObject { ["prompt"] = $"Tell {i}." }));

    private string Thumbs(string name, int prompts, int answers) => _run.Write(name, Enumerable.Range(0, prompts).SelectMany(p => Enumerable.Range(0, answers).Select(a => new JsonObject { ["prompt"] = $"Give {p}.", ["completion"] = $"Answer {a} to {p}.", ["label"] = (p + a) % 2 == 0 })));

    private string Conversations() => _run.Write("talks.jsonl", Enumerable.Range(0, 30).Select(i => new JsonObject { ["instruction"] = $"Repeat {i}.", ["output"] = $"It is {i}, and {i} again." }));

    private string Texts() => _run.Write("texts.jsonl", Enumerable.Range(0, 30).Select(i => new JsonObject { ["text"] = $"The {i}th ship sailed at dawn, and {i} sailors sang on board of it until the evening came." }));

    private AlignRun Run(AlignOptions options) => _run.Run(options);

    private string Option(int round, string name) => _run.Version(round).Lineage.Options[name]!.ToString();

    private JsonNode Reason(int round) => _run.Version(round).Lineage.Facts["align"]!;

    private IReadOnlyList<string> Beside => [.. _run.Notes("data").Single()["beside"]!.AsArray().Select(b => (string)b!)];

    private string Rule => (string)_run.Report["rule"]!;

    [Fact]
    public void Rankings_with_scores_are_learnt_with_their_margins()
    {
        var rankings = _run.Write("rankings.jsonl", Enumerable.Range(0, 30).Select(i => new JsonObject { ["prompt"] = $"Say {i}.", ["responses"] = new JsonArray($"Here it is: {i}.", $"It is {i}", "No."), ["scores"] = new JsonArray(5, 4, 1) }));
        Run(_run.Options with { Data = [rankings] });
        Assert.Equal(("graded", "offset"), (Rule, Option(1, "loss")));
    }

    [Fact]
    public void Labels_that_contradict_each_other_are_taken_to_be_wrong_in_part()
    {
        var noisy = _run.Write("noisy.jsonl", Enumerable.Range(0, 40).Select(Pair).Concat(Enumerable.Range(0, 5).Select(i => new JsonObject { ["prompt"] = $"Say {i}.", ["chosen"] = "No.", ["rejected"] = $"Here it is: {i}." })));
        Run(_run.Options with { Data = [noisy] });
        // Ten of forty-five rows contradict another: half of them are wrong.
        Assert.Equal(("noisy-pairs", "cdpo", "0.111"), (Rule, Option(1, "loss"), Option(1, "label_smoothing")));
    }

    [Fact]
    public void A_base_version_learns_pairs_without_being_taught_before()
    {
        Run(_run.Options with { Version = "world:base", Data = [Pairs()], KlBound = null });
        Assert.Equal(("base-pairs", "orpo"), (Rule, _run.Version(1).Lineage.Stage));
        Assert.Empty(_run.Notes("lean"));
        // Who learns to answer moves far from what never answered: no bound holds.
        Assert.Null(Reason(1)["kl_bound"]);
    }

    [Fact]
    public void Own_answers_that_a_reward_model_scores_are_drawn_anew_each_round()
    {
        StageRunner.Run(new RewardOptions { Data = [Pairs()], Steps = 4, LearningRate = 1e-2 }, new Place { Parent = "world:instruct", Store = MicroWorld.Store, SaveAs = "world:reward", Run = Path.Combine(_run.Options.Out!, "reward"), Threads = 1 }, CancellationToken.None);
        Run(_run.Options with { Data = [Prompts()], Reward = "world:reward", Rounds = 2 });
        Assert.Equal(("own-answers", "dpo", "offset"), (Rule, _run.Version(1).Lineage.Stage, Option(1, "loss")));
        Assert.Equal(_run.Notes("round").Count, Directory.GetFiles(Path.Combine(_run.Options.Out!, "data"), "own-*.jsonl").Length);
        Assert.Empty(_run.Doubts);
    }

    [Fact]
    public void Conversations_are_imitated()
    {
        Run(_run.Options with { Data = [Conversations()] });
        Assert.Equal(("conversations", "sft", ExitCode.Done), (Rule, _run.Version(1).Lineage.Stage, _run.Code));
        Assert.True((double)_run.Notes("round")[0]["low"]! > 0.5, _run.Report.ToJsonString());
    }

    [Fact]
    public void Texts_are_predicted()
    {
        Run(_run.Options with { Data = [Texts()] });
        var newness = _run.Notes("texts").Single();
        Assert.Equal(30, (int)newness["n"]!);
        // The micro world's Base has seen eight steps of its own texts, and these share nothing with them.
        Assert.InRange((double)newness["loss"]!, 3, Math.Log(600) + 1);
        Assert.InRange((double)newness["bits_per_byte"]! / ((double)newness["loss"]! / Math.Log(2) * (double)newness["tokens_per_character"]!), 0.99, 1.01);
        Assert.Contains("pretraining", (string)newness["known_of"]!, StringComparison.Ordinal);
        Assert.Equal(("texts", "pretrain", ExitCode.Done), (Rule, _run.Version(1).Lineage.Stage, _run.Code));
        Assert.True((double)_run.Notes("round")[0]["low"]! > 0.5, _run.Report.ToJsonString());
    }

    [Fact]
    public void A_round_that_goes_too_far_is_not_kept()
    {
        Run(_run.Options with { Data = [Pairs()], Rounds = 3, LearningRate = 0.03, KlBound = 0.5 });
        Assert.Equal(ExitCode.GateSaidNo, _run.Code);
        Assert.True((double)Assert.Single(_run.Notes("round"))["kl"]! > 0.5);
        Assert.Equal("kl", (string)_run.Notes("ended").Single()["because"]!);
    }

    [Fact]
    public void Rounds_end_where_the_win_rate_no_longer_rises()
    {
        Run(_run.Options with { Data = [Pairs(60)], Rounds = 4 });
        // All that is held out is won after a round: no further one can win more.
        var rates = _run.Notes("round").Select(r => (double)r["win_rate"]!).ToList();
        Assert.True(rates.Count < 4 && rates[^1] <= rates[^2], _run.Report.ToJsonString());
        Assert.Equal("no_rise", (string)_run.Notes("ended").Single()["because"]!);
        Assert.Equal(ExitCode.Done, _run.Code);
    }

    [Fact]
    public void An_interrupted_alignment_goes_on_and_ends_the_same()
    {
        // The bound of a win rate that cannot rise twice is out of reach: every run has both rounds.
        var options = _run.Options with { Data = [Pairs(200), Prompts()], Rule = ["regex:e"], OwnAnswers = OwnAnswersUse.Always, Rounds = 2, SweepShare = 0.2, Out = Path.Combine(_run.Options.Out!, "whole") };
        Run(options);
        var whole = _run.Report;
        var broken = options with { Out = Path.Combine(_run.Options.Out!, "broken") };
        Directory.CreateDirectory(Path.Combine(broken.Out, "runs"));
        using (var stop = new CancellationTokenSource())
        using (var watch = new FileSystemWatcher(Path.Combine(broken.Out, "runs"), "own-1-*") { EnableRaisingEvents = true })
        {
            watch.Created += (_, _) => stop.Cancel();
            Assert.ThrowsAny<OperationCanceledException>(() => Align.Run(broken, stop.Token));
        }
        Assert.False(File.Exists(Path.Combine(broken.Out, "align.json")));
        Run(broken);
        JsonArray Told(JsonNode report) => new([.. report["log"]!.AsArray().Where(n => (string)n!["what"]! is "sweep" or "round" or "ended" or "own_answers").Select(n => n!.DeepClone())]);
        Assert.Equal(Told(whole).ToJsonString(), Told(_run.Report).ToJsonString());
    }

    [Fact]
    public void Other_data_in_the_same_folder_is_another_run()
    {
        Run(_run.Options with { Data = [Prompts()], Rule = ["regex:e"], Method = "dpo" });
        Run(_run.Options with { Data = [Pairs()] });
        Run(_run.Options with { Data = [Pairs(50)] });
        Assert.Equal("few-pairs", Rule);
        Assert.Equal(50, (int)_run.Notes("rows").Single()["read"]!);
    }

    [Fact]
    public void Prompts_beside_pairs_are_answered_by_the_version_itself_where_that_pays()
    {
        var options = _run.Options with { Data = [Pairs(), Prompts()], Rule = ["regex:e"] };
        Run(options);
        Assert.Equal(("few-pairs", "prompts-drawn"), (Rule, Assert.Single(Beside)));
        var own = _run.Notes("own_answers").Single();
        Assert.Equal((bool)own["drawn"]!, (double)own["own"]! - (double)own["given"]! > OffPolicyGap.Far);
        Assert.Equal((bool)own["drawn"]!, (bool)Reason(1)["own_answers"]!["drawn"]!);
        Run(options with { OwnAnswers = OwnAnswersUse.Never });
        Assert.Single(_run.Notes("round"));
        Run(options with { OwnAnswers = OwnAnswersUse.Always });
        Assert.Equal(("own-1", "given by --own-answers"), ((string)Reason(2)["part"]!, (string)Reason(2)["own_answers"]!["because"]!));
    }

    [Theory]
    [InlineData("auto", -3.0, 0.01, true)]
    [InlineData("auto", -1.3, 0.01, false)]
    [InlineData("auto", -3.0, 2.0, false)]
    [InlineData("always", -1.3, 2.0, true)]
    [InlineData("never", -3.0, 0.01, false)]
    public void Own_answers_pay_where_given_ones_are_far_and_the_budget_allows_it(string use, double given, double seconds, bool drawn) =>
        Assert.Equal(drawn, OwnRound.Of(Enum.Parse<OwnAnswersUse>(use, ignoreCase: true), new OffPolicyGap(given, Own: -1, 32, seconds), answers: 100, left: TimeSpan.FromSeconds(60)).Drawn);

    [Fact]
    public void Prompts_that_nothing_scores_are_left_out_and_said()
    {
        Run(_run.Options with { Data = [Pairs(), Prompts()] });
        Assert.Equal("prompts-out", Assert.Single(Beside));
        Assert.Empty(_run.Notes("own_answers"));
    }

    [Fact]
    public void Thumbs_beside_pairs_are_pairs_where_a_prompt_has_both()
    {
        Run(_run.Options with { Data = [Pairs(), Thumbs("some.jsonl", prompts: 6, answers: 2), Thumbs("lone.jsonl", prompts: 4, answers: 1)] });
        Assert.Equal(("few-pairs", "thumbs-as-pairs"), (Rule, Assert.Single(Beside)));
        var rows = _run.Notes("rows").Single();
        // The four that come alone are of prompts that the others have both labels of, and equal to one of theirs.
        Assert.Equal((56, 0), ((int)rows["read"]!, (int)rows["left_out"]!));
    }

    [Fact]
    public void Pairs_beside_more_thumbs_are_two_thumbs_each()
    {
        Run(_run.Options with { Data = [Pairs(20), Thumbs("thumbs.jsonl", prompts: 50, answers: 1)] });
        Assert.Equal(("mostly-thumbs", "kto", "pairs-as-thumbs"), (Rule, _run.Version(1).Lineage.Stage, Assert.Single(Beside)));
    }

    [Fact]
    public void Conversations_beside_pairs_are_learnt_first()
    {
        Run(_run.Options with { Version = "world:base", Data = [Conversations(), Pairs()] });
        Assert.Equal(("few-pairs", "conversations-first"), (Rule, (string)_run.Notes("data").Single()["first"]!.AsArray().Single()!));
        var taught = Attune.Core.Versions.ModelStore.Open(MicroWorld.Store).Resolve((string)_run.Report["after_first"]!);
        Assert.Equal(("sft", "conversations-first"), (taught.Lineage.Stage, (string)taught.Lineage.Facts["align"]!["decided_by"]!));
        Assert.Equal(("dpo", taught.Digest), (_run.Version(1).Lineage.Stage, _run.Version(1).Lineage.Parent));
    }

    [Fact]
    public void Texts_are_learnt_before_conversations_and_not_beside_preferences_alone()
    {
        Run(_run.Options with { Data = [Texts(), Conversations()] });
        Assert.Equal(("conversations", "texts-first"), (Rule, (string)_run.Notes("data").Single()["first"]!.AsArray().Single()!));
        var e = Assert.Throws<AttuneException>(() => Align.Run(_run.Options with { Data = [Texts(), Pairs()] }, CancellationToken.None));
        Assert.Equal("ATT4815", e.Code);
        Assert.Contains("texts.jsonl", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Scores_are_pairs_within_a_prompt_and_thumbs_by_their_median_where_they_stand_alone()
    {
        static JsonObject Scored(int prompt, int answer, double score) => new() { ["prompt"] = $"Say {prompt}.", ["completion"] = $"Answer {answer} to {prompt}.", ["score"] = score };
        Run(_run.Options with { Data = [_run.Write("lone.jsonl", Enumerable.Range(0, 41).Select(i => Scored(i, 0, i)))] });
        Assert.Equal(("lone-scores", "kto"), (Rule, _run.Version(1).Lineage.Stage));
        // The twenty-first is the median: it says nothing.
        Assert.Equal((41, 1), ((int)_run.Notes("rows").Single()["read"]!, (int)_run.Notes("rows").Single()["left_out"]!));
        Run(_run.Options with { Data = [_run.Write("both.jsonl", Enumerable.Range(0, 40).SelectMany(i => new[] { Scored(i, 0, i), Scored(i, 1, i + 1) }).Append(Scored(99, 0, 1)))] });
        Assert.Equal(("graded", "lone-scores-out"), (Rule, Assert.Single(Beside)));
        Assert.Equal(1, (int)_run.Notes("rows").Single()["left_out"]!);
        Assert.Equal("ATT4811", Assert.Throws<AttuneException>(() => Align.Run(_run.Options with { Data = [_run.Write("equal.jsonl", Enumerable.Range(0, 9).Select(i => Scored(i, 0, 3)))] }, CancellationToken.None)).Code);
    }

    [Fact]
    public void A_first_round_that_forgets_is_followed_by_a_gentler_try_from_the_start()
    {
        // With no tolerance at all the smallest loss of what it was pretrained on is too much, for either try.
        var options = _run.Options with { Data = [Pairs()], Tasks = [Path.Combine(MicroWorld.World, "pretrain.jsonl")], Set = ["sft_weight=0"], LearningRate = null, Tolerance = 0 };
        Run(options);
        Assert.Equal(ExitCode.GateSaidNo, _run.Code);
        double[] changes = [.. _run.Notes("tasks").Select(n => (double)n["tasks"]![0]!["change"]!)];
        Assert.Equal(2, changes.Length);
        Assert.True(changes[0] < changes[1] && changes[1] < 0);
        Assert.Equal(["tasks", "tasks"], _run.Notes("ended").Select(n => (string)n["because"]!));
        var (first, second) = (Rate(1), Rate(2));
        Assert.Equal(first / 3, second, 1e-8);

        // With one between the two, the gentler version is the result. Both are there already: nothing is trained again.
        Run(options with { Tolerance = -(changes[0] + changes[1]) / 2 });
        Assert.Equal((ExitCode.Done, second), (_run.Code, Rate(2)));
        Assert.Single(_run.Notes("gentler"));

        // Whoever says the rate is not overruled.
        Run(options with { LearningRate = first });
        Assert.Equal(ExitCode.GateSaidNo, _run.Code);
        Assert.Empty(_run.Notes("gentler"));

        double Rate(int round) => double.Parse(Option(round, "learning_rate"), CultureInfo.InvariantCulture);
    }
}
