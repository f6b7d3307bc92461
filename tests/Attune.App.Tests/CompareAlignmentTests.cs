using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Attune.App.Alignment;
using Attune.Core.Evaluation.Alignment;
using Attune.Testing;
using Xunit;

namespace Attune.App.Tests;

[Collection(MicroWorld.Trains)]
public sealed class CompareAlignmentTests(SmallComparison comparison) : IClassFixture<SmallComparison>, IDisposable
{
    private readonly string _out = Directory.CreateTempSubdirectory("attune-compare-").FullName;

    private JsonNode[] Rows => [.. comparison.Report["rows"]!.AsArray().Select(r => r!)];

    private JsonNode[] Arms => [.. comparison.Report["details"]!["arms"]!.AsArray().Select(a => a!)];

    public void Dispose() => Directory.Delete(_out, recursive: true);

    [Fact]
    public void Every_arm_of_every_part_has_its_figures_and_its_lines_of_cost()
    {
        Assert.Equal(AlignmentPlan.Groups.Order(StringComparer.Ordinal), Arms.Select(a => (string)a["group"]!).Distinct().Order(StringComparer.Ordinal));
        foreach (var arm in Arms)
        {
            var (key, method) = ((string)arm["arm"]!, (string)arm["method"]!);
            foreach (var metric in new[] { "quality", "helpfulness", "harm", "kl", "truth", "reward" })
                Figure(metric, key);
            foreach (var unit in new[] { "seconds", "megabytes", "tokens" })
            {
                Assert.Equal(method != "start", Has($"cost.policy.{unit}", key));
                Assert.Equal(method == "rlhf", Has($"cost.reward.{unit}", key));
            }
            Assert.Equal((string)arm["group"]! == "main" && method != "start", Has("cost.collecting.hours", key));
            Assert.Equal(method != "start", Has("preference", key));
            Assert.Equal(key != "sft", Has("winrate", $"{key} over sft"));
            Assert.Equal((int)arm["seeds"]! > 1, Has("quality.spread", key));
        }
        Assert.All(Arms.Where(a => (string)a["group"]! is "main" or "graded" or "prerequisite" or "data"), a => Assert.Equal(3, (int)a["seeds"]!));
        Assert.Equal(["sft", "dpo", "rlhf"], comparison.Report["details"]!["methods"]!.AsArray().Select(m => (string)m!["method"]!));
    }

    [Fact]
    public void No_figure_claims_to_be_certain()
    {
        // The start is at no distance from itself, by definition; costs are what they were.
        foreach (var row in Rows.Where(r => (string)r["group"]! != "start" && !((string)r["metric"]!).StartsWith("cost.", StringComparison.Ordinal)))
            Assert.True(row["high"] is null || (double)row["low"]! < (double)row["high"]!, row.ToJsonString());
        foreach (var row in Rows.Where(r => (string)r["metric"]! is "quality" or "helpfulness" or "harm" or "winrate" or "truth" or "preference"))
            Assert.True((double)row["low"]! >= 0 && (double)row["high"]! <= 1, row.ToJsonString());
    }

    [Fact]
    public void Every_question_has_claims_with_intervals_and_a_verdict()
    {
        var questions = comparison.Report["details"]!["questions"]!.AsArray();
        Assert.Equal([3, 3, 2, 4, 10], questions.Select(q => q!["claims"]!.AsArray().Count));
        foreach (var question in questions)
        {
            var claims = question!["claims"]!.AsArray();
            Assert.Contains((string)question["finding"]!, new[] { "supported", "refuted", "cannot_be_told" });
            foreach (var claim in claims)
            {
                Assert.Contains((string)claim!["finding"]!, new[] { "supported", "refuted", "cannot_be_told" });
                // No spread in either arm has no ratio; what has no upper end decides nothing.
                if (claim["high"] is null)
                    Assert.Equal("cannot_be_told", (string)claim["finding"]!);
                else
                    Assert.InRange((double)claim["value"]!, (double)claim["low"]!, (double)claim["high"]!);
            }
            Assert.Contains((string)question["question"]!, comparison.Page, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("Noisy labels", 3 * 4)]
    [InlineData("… and what was learnt", 3 * 4)]
    [InlineData("Sensitivity to β", 2 * 3)]
    [InlineData("Sensitivity to the learning rate", 3 * 3)]
    [InlineData("Quality of the SFT set × its size", 4 * 2)]
    [InlineData("Trained for shorter and longer", 2 * 5)]
    [InlineData("Over-optimisation", 2 + 6 + 6)]
    [InlineData("… and the truth about the same answers", 2 + 6 + 6)]
    public void Every_plot_has_its_points(string title, int points)
    {
        var section = Assert.Single(comparison.Page.Split("<h2>"), part => part.StartsWith($"<span class=en>{WebUtility.HtmlEncode(title)}", StringComparison.Ordinal));
        Assert.Equal(points, section.Split("r=3.6").Length - 1);
        Assert.DoesNotContain("NaN", section, StringComparison.Ordinal);
        Assert.DoesNotContain("∞", section, StringComparison.Ordinal);
    }

    [Fact]
    public void The_page_names_every_line_of_cost() => Assert.All(CostLine.All, line => Assert.Contains(line.En, comparison.Page, StringComparison.Ordinal));

    [Fact]
    public void The_report_is_valid() =>
        Assert.Empty(JsonSchema.Faults(JsonNode.Parse(File.ReadAllText(Path.Combine(Checkout.Root, "docs", "report.schema.json")))!.AsObject(), comparison.Report));

    [Fact]
    public void What_was_trained_before_a_kill_or_an_interruption_is_not_trained_again()
    {
        var (killed, interrupted, whole, again) = (comparison.Finished[0], comparison.Finished[1], comparison.Finished[2], comparison.Finished[3]);
        Assert.True(0 < killed.Count && killed.Count < interrupted.Count && interrupted.Count < whole.Count);
        Assert.All(killed, stage => Assert.Equal(stage.Value, interrupted[stage.Key]));
        Assert.All(interrupted, stage => Assert.Equal(stage.Value, whole[stage.Key]));
        Assert.Equal(whole, again);
        Assert.Equal(comparison.Report["rows"]!.ToJsonString(), comparison.Again["rows"]!.ToJsonString());
    }

    [Fact]
    public void A_flip_of_every_pair_is_learnt_the_wrong_way_round()
    {
        var data = AlignmentData.Write(MicroWorld.World, Path.Combine(_out, "data"), 0, 7, CancellationToken.None);
        var (straight, flipped) = (File.ReadAllLines(data.Pairs(0)), File.ReadAllLines(data.Pairs(1)));
        Assert.Equal(straight.Length, flipped.Length);
        Assert.All(straight.Zip(flipped), p => Assert.Equal(JsonNode.Parse(p.First)!["chosen"]!.ToJsonString(), JsonNode.Parse(p.Second)!["rejected"]!.ToJsonString()));
    }

    [Fact]
    public void Fewer_rows_are_fewer_for_every_arm_and_other_rows_are_other_files()
    {
        var few = AlignmentData.Write(MicroWorld.World, Path.Combine(_out, "data"), 5, 7, CancellationToken.None);
        Assert.Equal((5, 5), (File.ReadAllLines(few.Pairs(0)).Length, File.ReadAllLines(few.Rankings).Length));
        var more = AlignmentData.Write(MicroWorld.World, Path.Combine(_out, "data"), 6, 7, CancellationToken.None);
        Assert.Equal((6, 6), (File.ReadAllLines(more.Pairs(0)).Length, File.ReadAllLines(more.Rankings).Length));
    }

    [Fact]
    public void The_guide_counts_the_versions_that_are_trained()
    {
        var data = AlignmentData.Write(MicroWorld.World, Path.Combine(_out, "data"), 5, 7, CancellationToken.None);
        int Versions(AlignmentScale scale) => AlignmentPlan.Of(scale, AlignmentPlan.Groups, data).Sum(a => a.Versions);
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"`--scale tiny` trains {Versions(AlignmentScale.Tiny)} versions, `--scale full` {Versions(AlignmentScale.Full)};"),
            File.ReadAllText(Path.Combine(Checkout.Root, "docs", "guides", "compare-alignment.md")), StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_part_is_refused_with_the_nearest()
    {
        var error = Assert.Throws<Prompts.AttuneException>(() => new CompareAlignment(comparison.Options with { Groups = ["nosie"], Out = _out }).Run(CancellationToken.None));
        Assert.Equal("ATT4802", error.Code);
        Assert.Contains("noise", error.Hint, StringComparison.Ordinal);
    }

    private bool Has(string metric, string group) => Rows.Any(r => (string)r["metric"]! == metric && (string)r["group"]! == group);

    private void Figure(string metric, string group)
    {
        var row = Assert.Single(Rows, r => (string)r["metric"]! == metric && (string)r["group"]! == group);
        Assert.True((int)row["n"]! > 0, row.ToJsonString());
        Assert.InRange((double)row["value"]!, (double)row["low"]!, (double)row["high"]!);
    }
}
