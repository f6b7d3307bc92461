using System.Text.Json.Nodes;
using Attune.App.Alignment;
using Attune.App.Cli;
using Attune.App.Commands;
using Attune.Core.Versions;
using Attune.Prompts;
using Xunit;

namespace Attune.App.Tests;

[Collection(MicroWorld.Trains)]
public sealed class AlignTests : IDisposable
{
    private readonly string _out = Directory.CreateTempSubdirectory("attune-align-").FullName;

    public void Dispose() => Directory.Delete(_out, recursive: true);

    public static TheoryData<string, string> Decisions => new()
    {
        { "graded", "dpo" }, { "noisy-pairs", "dpo" }, { "few-pairs", "dpo" }, { "pairs", "dpo" }, { "thumbs", "kto" }, { "mostly-thumbs", "kto" }, { "lone-scores", "kto" }, { "verifiable", "grpo" }, { "own-answers", "dpo" }, { "conversations", "sft" }, { "texts", "pretrain" }, { "base-pairs", "orpo" },
    };

    private static AlignEvidence Evidence(string rule)
    {
        var some = new AlignEvidence { Answers = true, Kind = VersionKind.Instruct };
        return rule switch
        {
            "graded" => some with { Pairs = 900, WithMargin = 900 },
            "noisy-pairs" => some with { Pairs = 900, Contradictions = 0.2 },
            "few-pairs" => some with { Pairs = 50 },
            "pairs" => some with { Pairs = 900 },
            "thumbs" => some with { Good = 300, Bad = 100 },
            "mostly-thumbs" => some with { Pairs = 100, Good = 500, Bad = 100 },
            "lone-scores" => some with { Scored = 300, LoneScores = 290 },
            "verifiable" => some with { Prompts = 100, CanScore = true, ByRules = true },
            "own-answers" => some with { Prompts = 100, CanScore = true },
            "conversations" => some with { Conversations = 100 },
            "texts" => some with { Texts = 100 },
            _ => some with { Pairs = 900, Answers = false, Kind = VersionKind.Base },
        };
    }

    [Theory]
    [MemberData(nameof(Decisions))]
    public void The_first_row_that_holds_decides(string rule, string stage)
    {
        var decided = AlignRules.Decide(Evidence(rule));
        Assert.Equal((rule, stage), (decided.Name, decided.Stage));
    }

    [Fact]
    public void Every_row_of_the_table_is_reached_and_stands_in_the_guide()
    {
        Assert.Equal(AlignRules.Table.Select(r => r.Name).Order(), Decisions.Select(d => d.Data.Item1).Order());
        var guide = File.ReadAllText(Path.Combine(Checkout.Root, "docs", "guides", "align.md"));
        Assert.All(AlignRules.First.Concat(AlignRules.Table), r => Assert.Contains($"| {r.Name} | {r.When} | {r.Stage} | {r.Why} |", guide, StringComparison.Ordinal));
        Assert.All(AlignBeside.Table, b => Assert.Contains($"| {b.Name} | {b.When} | {b.What} |", guide, StringComparison.Ordinal));
    }

    [Fact]
    public void Options_follow_the_evidence()
    {
        Assert.Equal(3.0, AlignRules.Decide(Evidence("thumbs")).Options(Evidence("thumbs"))["undesirable_weight"]);
        // A pair is a good and a bad answer: 600 and 200.
        Assert.Equal(3.0, AlignRules.Decide(Evidence("mostly-thumbs")).Options(Evidence("mostly-thumbs"))["undesirable_weight"]);
        Assert.Equal(0.1, AlignRules.Decide(Evidence("noisy-pairs")).Options(Evidence("noisy-pairs"))["label_smoothing"]);
    }

    [Fact]
    public void Nothing_to_align_to_is_said()
    {
        Assert.Equal("ATT4811", Assert.Throws<Prompts.AttuneException>(() => AlignRules.Decide(new AlignEvidence { Answers = true })).Code);
        Assert.Equal("ATT4811", Assert.Throws<Prompts.AttuneException>(() => AlignRules.Decide(new AlignEvidence { Answers = true, Prompts = 10 })).Code);
        Assert.Contains("never taught", Assert.Throws<AttuneException>(() => AlignRules.Decide(new AlignEvidence { Prompts = 10, CanScore = true })).Message, StringComparison.Ordinal);
        Assert.Contains("Prompts are enough", Assert.Throws<AttuneException>(() => AlignRules.Decide(new AlignEvidence { CanScore = true })).Hint, StringComparison.Ordinal);
        Assert.Contains("preference.jsonl", Assert.Throws<AttuneException>(() => AlignRules.Decide(new AlignEvidence { HasWorld = true })).Hint, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-0.10, -0.02, true)]
    [InlineData(-0.10, 0.01, false)]
    [InlineData(-0.01, -0.005, false)]
    [InlineData(0.10, 0.2, false)]
    public void A_task_is_forgotten_where_the_loss_is_large_and_no_accident(double change, double high, bool forgotten) =>
        Assert.Equal(forgotten, new TaskChange("t", 0.5, 0.5 + change, change, change - 0.05, high, 100, "").Forgotten(0.02));

    private AlignOptions Options => new()
    {
        Version = "world:instruct",
        Data = [Path.Combine(MicroWorld.World, "preference.jsonl")],
        Store = MicroWorld.Store,
        World = MicroWorld.World,
        Items = 2,
        MaxTokens = 6,
        Rounds = 2,
        LearningRate = 1e-3,
        Threads = 1,
        Out = _out,
    };

    [Fact]
    public void A_dry_run_trains_nothing()
    {
        var before = ModelStore.Open(MicroWorld.Store).List().Count;
        Assert.Equal(ExitCode.Done, Align.Run(Options with { DryRun = true }, CancellationToken.None));
        Assert.Equal(before, ModelStore.Open(MicroWorld.Store).List().Count);
        Assert.False(File.Exists(Path.Combine(_out, "align.json")));
    }

    [Fact]
    public void A_version_comes_out_with_its_report_or_none_does()
    {
        var code = Align.Run(Options with { SaveAs = "world:aligned", SweepShare = 0.5 }, CancellationToken.None);
        var report = JsonNode.Parse(File.ReadAllText(Path.Combine(_out, "align.json")))!;
        var store = ModelStore.Open(MicroWorld.Store);
        var rounds = report["log"]!.AsArray().Where(l => (string)l!["what"]! == "round").ToList();
        Assert.NotEmpty(rounds);
        Assert.Equal("few-pairs", (string)report["rule"]!);
        Assert.Equal(3, report["log"]!.AsArray().Count(l => (string)l!["what"]! == "sweep"));
        Assert.Equal(code == ExitCode.Done || report["forgotten"]!.AsArray().Count > 0, report["tasks"]!.AsArray().Count > 0);
        var trained = store.Resolve((string)rounds[0]!["version"]!);
        var reason = trained.Lineage.Facts["align"]!;
        Assert.Equal(("few-pairs", "dpo", false), ((string)reason["decided_by"]!, (string)reason["method"]!, (bool)reason["method_overrides_rule"]!));
        Assert.Equal((1.0, 2, 10.0), ((double)reason["share"]!, (int)reason["rounds"]!, (double)reason["kl_bound"]!));
        Assert.Equal("beta", (string)reason["pull"]!["option"]!);
        Assert.Contains("3 ", (string)reason["pull"]!["because"]!, StringComparison.Ordinal);
        var tagged = store.List().Any(v => v.Tags.Contains("world:aligned"));
        Assert.Equal(code == ExitCode.Done, tagged);
        Assert.True(code is ExitCode.Done or ExitCode.GateSaidNo);
    }

    [Fact]
    public void Thumbs_alone_are_learnt_and_measured()
    {
        var thumbs = Path.Combine(_out, "thumbs.jsonl");
        File.WriteAllLines(thumbs, Enumerable.Range(0, 80).Select(i => $$"""{"prompt": "Say {{i / 2}}.", "completion": "{{(i % 2 == 0 ? $"Here it is: {i / 2}." : "No.")}}", "label": {{(i % 2 == 0 ? "true" : "false")}}}"""));
        Align.Run(Options with { Data = [thumbs], World = null, Beta = 0.1, Rounds = 1, HeldOut = 0.3, Items = 50, KlBound = 1e6 }, CancellationToken.None);
        var report = JsonNode.Parse(File.ReadAllText(Path.Combine(_out, "align.json")))!;
        Assert.Equal("thumbs", (string)report["rule"]!);
        var round = report["log"]!.AsArray().Single(l => (string)l!["what"]! == "round")!;
        Assert.True((int)round["n"]! > 5 && (double)round["low"]! <= (double)round["win_rate"]! && (double)round["win_rate"]! <= (double)round["high"]!);
        Assert.True((double)round["win_rate"]! > 0.5, round.ToJsonString());
        Assert.Equal("kto", ModelStore.Open(MicroWorld.Store).Resolve((string)round["version"]!).Lineage.Stage);
    }

    [Fact]
    public void Rows_at_fault_are_counted_by_reason()
    {
        var pairs = Path.Combine(_out, "pairs.jsonl");
        File.WriteAllLines(pairs,
        [
            .. File.ReadLines(Path.Combine(MicroWorld.World, "preference.jsonl")),
            """{"prompt": "Which?", "chosen": "This.", "rejected": "This."}""",
            """{"prompt": "Which one?", "chosen": "That.", "rejected": "That."}""",
            """{"prompt": "Which?", "chosen": "", "rejected": "This."}""",
            """{"chosen": "This.", "rejected": "That."}""",
        ]);
        Align.Run(Options with { Data = [pairs], World = null, Beta = 0.1, Rounds = 1, Items = 20 }, CancellationToken.None);
        var rows = JsonNode.Parse(File.ReadAllText(Path.Combine(_out, "align.json")))!["log"]!.AsArray().Single(l => (string)l!["what"]! == "rows")!;
        Assert.Equal((68, 4), ((int)rows["read"]!, (int)rows["left_out"]!));
        Assert.Equal([2, 1, 1], rows["reasons"]!.AsArray().Select(r => (int)r!["rows"]!));
        Assert.EndsWith("pairs.jsonl:65", (string)rows["reasons"]![0]!["first"]!, StringComparison.Ordinal);
    }

    [Fact]
    public void A_dry_run_draws_nothing_and_asks_no_judge()
    {
        var prompts = Path.Combine(_out, "prompts.jsonl");
        File.WriteAllLines(prompts, Enumerable.Range(0, 24).Select(i => $$"""{"prompt": "Say {{i}}."}"""));
        // Nobody listens there: a judgement would be an error.
        var options = Options with { Data = [prompts], World = null, Endpoint = "http://127.0.0.1:9/v1", Model = "none", DryRun = true };
        Assert.Equal(ExitCode.Done, Align.Run(options, CancellationToken.None));
        Assert.Empty(Directory.GetFiles(_out, "round-*.jsonl", SearchOption.AllDirectories));
        using var judge = RankerChoice.Of(options);
        var files = new AlignFiles(options.Data);
        var data = AlignData.Part(options, AlignDecision.Of(Evidence("own-answers"), files), files, Path.Combine(_out, "data"));
        var drawing = AlignDrawing.Of(options, data, judge!.Ranker);
        Assert.Equal(24, drawing.Prompts + data.HeldPrompts.Count);
        // Every two of four answers, twice; the version's answer and the start's, twice.
        Assert.Equal((12L * drawing.Prompts, 2L * data.HeldPrompts.Count), (drawing.JudgeCalls, drawing.JudgeCallsToMeasure));
    }

    [Fact]
    public void Rules_reinforce_the_versions_own_answers()
    {
        var prompts = Path.Combine(_out, "prompts.jsonl");
        File.WriteAllLines(prompts, Enumerable.Range(0, 24).Select(i => $$"""{"prompt": "Say {{i}}.", "answer": "{{i}}"}"""));
        var code = Align.Run(Options with { Data = [prompts], World = null, Rule = ["contains"], Set = ["prompts=2", "samples=2"] }, CancellationToken.None);
        var report = JsonNode.Parse(File.ReadAllText(Path.Combine(_out, "align.json")))!;
        Assert.Equal("verifiable", (string)report["rule"]!);
        var log = report["log"]!.AsArray();
        Assert.Equal("grpo", (string)log.Single(l => (string)l!["what"]! == "decision")!["stage"]!);
        Assert.Equal([0, 0.01, 0.04], log.Where(l => (string)l!["what"]! == "sweep").Select(l => (double)l!["beta"]!));
        var trained = ModelStore.Open(MicroWorld.Store).Resolve((string)log.First(l => (string)l!["what"]! == "round")!["version"]!);
        Assert.Equal("grpo", trained.Lineage.Stage);
        Assert.True(code is ExitCode.Done or ExitCode.GateSaidNo);
    }

    [Fact]
    public void A_budget_that_is_used_up_ends_the_sweep_and_the_rounds()
    {
        var prompts = Path.Combine(_out, "prompts.jsonl");
        File.WriteAllLines(prompts, Enumerable.Range(0, 24).Select(i => $$"""{"prompt": "Say {{i}}.", "answer": "{{i}}"}"""));
        Align.Run(Options with { Data = [prompts], World = null, Rule = ["contains"], Set = ["prompts=2", "samples=2"], Rounds = 3, Budget = TimeSpan.FromMilliseconds(1) }, CancellationToken.None);
        var log = JsonNode.Parse(File.ReadAllText(Path.Combine(_out, "align.json")))!["log"]!.AsArray();
        // Nobody knows what answering takes before it is done.
        Assert.Null(log.Single(l => (string)l!["what"]! == "decision")!["round_seconds"]);
        Assert.DoesNotContain(log, l => (string)l!["what"]! == "sweep");
        Assert.Single(log, l => (string)l!["what"]! == "round");
    }

    [Fact]
    public void The_first_run_of_a_sweep_measures_what_was_not_known()
    {
        var prompts = Path.Combine(_out, "prompts.jsonl");
        File.WriteAllLines(prompts, Enumerable.Range(0, 24).Select(i => $$"""{"prompt": "Say {{i}}.", "answer": "{{i}}"}"""));
        var options = Options with { Data = [prompts], World = null, Rule = ["contains"], Set = ["prompts=2", "samples=2"], Rounds = 2, Budget = TimeSpan.FromSeconds(100), SweepShare = 0.25 };
        Align.Run(options with { DryRun = true }, CancellationToken.None);
        var start = ModelStore.Open(MicroWorld.Store).Resolve("world:instruct");
        var settings = new AlignSettings("grpo", "verifiable", new Dictionary<string, object?> { ["rules"] = new[] { "contains" }, ["prompts"] = 2, ["samples"] = 2 });
        var cost = AlignCost.Of(settings, start, options, Path.Combine(_out, "data", "round-1.jsonl"), _out, TimeSpan.FromSeconds(70), CancellationToken.None);
        Assert.Null(cost.RoundSeconds);
        Assert.Contains("not known", cost.Describe(), StringComparison.Ordinal);
        Assert.True(cost.HasRoomToSweep(TimeSpan.FromSeconds(69), 1) && !cost.HasRoomToSweep(TimeSpan.FromSeconds(71), 1));
        // A quarter of the data took ten seconds: all of it takes forty, and fifty of the seventy with one more run of the sweep.
        var measured = cost.Measured(10, TimeSpan.FromSeconds(10));
        Assert.Equal((20.0, 1.0), (measured.RoundSeconds, measured.Share));
        Assert.True(measured.HasRoomToSweep(TimeSpan.FromSeconds(19), 1) && !measured.HasRoomToSweep(TimeSpan.FromSeconds(21), 1));
        // A slower one leaves room for a part of the data, and for no more of the sweep.
        var slow = cost.Measured(20, TimeSpan.FromSeconds(30));
        Assert.Equal(0.5, slow.Share);
        Assert.False(slow.HasRoomToSweep(TimeSpan.FromSeconds(30), 1));
        // What was decided stands when the same command resumes.
        slow.Tried(1);
        var again = AlignCost.Of(settings, start, options, Path.Combine(_out, "data", "round-1.jsonl"), _out, TimeSpan.FromSeconds(70), CancellationToken.None);
        Assert.Equal((1, 0.5, 40.0), (again.Swept, again.Share, again.RoundSeconds));
    }

    [Theory]
    [InlineData("grpo", "beta")]
    [InlineData("rloo", "beta")]
    [InlineData("ppo", "kl_coefficient")]
    public void Beta_holds_every_method_to_its_start(string method, string option)
    {
        var prompts = Path.Combine(_out, "prompts.jsonl");
        File.WriteAllLines(prompts, Enumerable.Range(0, 24).Select(i => $$"""{"prompt": "Say {{i}}.", "answer": "{{i}}"}"""));
        var options = Options with { Data = [prompts], World = null, Rule = ["contains"], Method = method, Beta = 0.7, Set = ["prompts=2", "samples=2"], Rounds = 1 };
        Align.Run(options, CancellationToken.None);
        var log = JsonNode.Parse(File.ReadAllText(Path.Combine(_out, "align.json")))!["log"]!.AsArray();
        Assert.Equal("0.7", (string)log.Single(l => (string)l!["what"]! == "decision")!["options"]![option]!);
        Assert.DoesNotContain(log, l => (string)l!["what"]! == "sweep");
        var reason = ModelStore.Open(MicroWorld.Store).Resolve((string)log.First(l => (string)l!["what"]! == "round")!["version"]!).Lineage.Facts["align"]!;
        Assert.Equal((method, method != "grpo"), ((string)reason["method"]!, (bool)reason["method_overrides_rule"]!));
        Assert.Equal((option, "0.7", "given by --beta"), ((string)reason["pull"]!["option"]!, (string)reason["pull"]!["value"]!, (string)reason["pull"]!["because"]!));
    }

    [Fact]
    public void Beta_without_a_reference_is_refused()
    {
        var e = Assert.Throws<AttuneException>(() => Align.Run(Options with { Method = "sft", Beta = 0.7 }, CancellationToken.None));
        Assert.Equal(("ATT4812", "beta"), (e.Code, e.Field));
    }

    [Fact]
    public void Tasks_that_nothing_can_keep_refuse_the_version()
    {
        // A rate that breaks the model, and a task that is its own training text: what it knew is gone, and it gets no name.
        var code = Align.Run(Options with
        {
            SaveAs = "world:broken",
            World = null,
            Tasks = [Path.Combine(MicroWorld.World, "pretrain.jsonl")],
            LearningRate = 0.05,
            KlBound = 1e6,
            SweepShare = 0,
            Items = 40,
        }, CancellationToken.None);
        Assert.Equal(ExitCode.GateSaidNo, code);
        Assert.DoesNotContain(ModelStore.Open(MicroWorld.Store).List(), v => v.Tags.Contains("world:broken"));
    }
}
