using Attune.Core.Evaluation.Alignment;
using Attune.Core.Randomness;
using Xunit;

namespace Attune.Core.Tests.Evaluation;

public class AlignmentFindingsTests
{
    private const int Items = 400;

    private static readonly string[] Clusters = [.. Enumerable.Range(0, Items).Select(i => FormattableString.Invariant($"{i}"))];

    /// <summary>An arm whose answers are right with a probability; equal draws for all arms, so that differences are of the arms.</summary>
    private static ArmOutcome Arm(string key, double quality, double[] seconds, double wobble = 0)
    {
        var seeds = seconds.Select((_, s) =>
        {
            var random = RandomStream.Of(s, "test");
            return Enumerable.Range(0, Items).Select(_ => random.NextDouble() < quality + wobble * (s - 1) ? 1.0 : 0).ToArray();
        });
        return new ArmOutcome(key, [.. seeds], seconds);
    }

    private static IReadOnlyList<AlignmentAnswer> Answer(params ArmOutcome[] arms) =>
        AlignmentFindings.Answer(arms.ToDictionary(a => a.Key, StringComparer.Ordinal), Clusters);

    [Fact]
    public void Nothing_is_said_of_what_did_not_run()
    {
        var answers = Answer(Arm("sft", 0.5, [1, 1, 1]));
        Assert.Equal(5, answers.Count);
        Assert.All(answers, a => Assert.Equal((0, Finding.CannotBeTold), (a.Claims.Count, a.Finding)));
    }

    [Fact]
    public void Cheaper_at_the_same_quality_is_supported_and_steadier_stays_open_with_three_seeds()
    {
        var first = Answer(Arm("dpo", 0.7, [10, 11, 10]), Arm("rlhf", 0.7, [40, 43, 41]))[0];
        Assert.Equal(Finding.Supported, first.Claims[0].Finding);
        Assert.InRange(first.Claims[0].Value, 0.2, 0.3);
        Assert.Equal(Finding.CannotBeTold, first.Claims[1].Finding);
        Assert.Equal(Finding.Supported, first.Claims[2].Finding);
        Assert.Equal(Finding.CannotBeTold, first.Finding);
    }

    [Fact]
    public void A_clear_loss_refutes()
    {
        var first = Answer(Arm("dpo", 0.5, [50, 52, 51]), Arm("rlhf", 0.8, [10, 10, 11]))[0];
        Assert.Equal([Finding.Refuted, Finding.CannotBeTold, Finding.Refuted], first.Claims.Select(c => c.Finding));
        Assert.Equal(Finding.Refuted, first.Finding);
    }

    [Fact]
    public void Worse_needs_the_whole_interval_below_zero()
    {
        var graded = Answer(Arm("graded-dpo", 0.5, [1, 1, 1]), Arm("graded-dpo-margin", 0.75, [1, 1, 1]), Arm("graded-rlhf", 0.75, [1, 1, 1]))[1];
        Assert.Equal([Finding.Supported, Finding.Refuted], graded.Claims.Select(c => c.Finding));
        var one = Answer(Arm("base-dpo", 0.70, [1, 1, 1], wobble: 0.2), Arm("dpo", 0.75, [1, 1, 1]))[2];
        Assert.Equal(Finding.CannotBeTold, one.Claims.Single().Finding);
    }

    [Fact]
    public void Quality_against_size_has_claims_for_what_ran()
    {
        var data = Answer(Arm("data-written-small", 0.8, [1, 1, 1]), Arm("data-noisy-large", 0.5, [1, 1, 1]), Arm("data-duplicated-large", 0.8, [1, 1, 1]))[3];
        Assert.Equal([Finding.Supported, Finding.Supported], data.Claims.Select(c => c.Finding));
        Assert.Equal(Finding.Supported, data.Finding);
    }

    [Fact]
    public void Size_alone_is_told_beside_the_question_and_decides_nothing()
    {
        foreach (var (large, finding) in new[] { (0.95, Finding.Supported), (0.8, Finding.Refuted) })
        {
            var data = Answer(Arm("data-written-small", 0.8, [1, 1, 1]), Arm("data-written-large", large, [1, 1, 1]), Arm("data-noisy-large", 0.5, [1, 1, 1]))[3];
            Assert.Equal(("quality of data-written-large − data-written-small", finding, true), (data.Claims[^1].Measure, data.Claims[^1].Finding, data.Claims[^1].Aside));
            Assert.Equal(Finding.Supported, data.Finding);
        }
    }

    [Fact]
    public void One_seed_decides_nothing()
    {
        var claims = Answer(Arm("dpo", 0.9, [1]), Arm("rlhf", 0.1, [10]), Arm("base-dpo", 0.1, [1])).SelectMany(a => a.Claims).ToList();
        Assert.Equal(4, claims.Count);
        Assert.All(claims, c => Assert.Equal(Finding.CannotBeTold, c.Finding));
    }

    [Theory]
    [InlineData(0.9, 0.5, 0.1, Finding.Supported)]
    [InlineData(0.9, 0.9, 0.1, Finding.Refuted)]
    [InlineData(0.9, 0.9, 0.9, Finding.Refuted)]
    [InlineData(0.9, 0.5, 0.5, Finding.Refuted)]
    public void Exchanged_labels_show_where_half_is_learnt_less_and_all_the_wrong_way_round(double straight, double half, double all, Finding finding)
    {
        ArmOutcome Learnt(string key, double preference) => Arm(key, 0.5, [1, 1, 1]) with
        {
            Preference = [.. Enumerable.Range(0, 3).Select(_ => Enumerable.Range(0, Items).Select(i => preference + 0.05 * (i % 3 - 1)).ToArray())],
        };
        var sceptic = Answer(Learnt("dpo", straight), Learnt("dpo-flip-0.5", half), Learnt("dpo-flip-1", all))[4];
        Assert.Equal(finding, sceptic.Finding);
        Assert.Equal(3, sceptic.Claims.Count(c => !c.Aside));
    }
}
