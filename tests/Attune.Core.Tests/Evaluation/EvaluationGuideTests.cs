using Attune.Core.Worlds;
using Attune.Core.Evaluation.Comparison;
using Xunit;

namespace Attune.Core.Tests.Evaluation;

public sealed class EvaluationGuideTests
{
    [Fact]
    public void The_guide_explains_every_line_and_names_its_sets()
    {
        var lines = File.ReadAllLines(Checkout.PathOf("docs", "guides", "evaluation.md"));
        foreach (var metric in ComparisonMetric.All)
        {
            var line = Assert.Single(lines, l => l.StartsWith('|') && l.Split('|')[1].Contains($"`{metric.Key}`", StringComparison.Ordinal));
            Assert.All(metric.Sets, set => Assert.Contains($"`{set}`", line, StringComparison.Ordinal));
            Assert.Equal(metric.IsTask, line.Contains(" task |", StringComparison.Ordinal));
            Assert.Equal(!metric.HigherIsBetter, line.Contains('↓', StringComparison.Ordinal));
        }
        var text = string.Join('\n', lines);
        Assert.All(QuestionSets.Behaviour, set => Assert.Contains($"`{set}`", text[text.IndexOf("### Win rate", StringComparison.Ordinal)..], StringComparison.Ordinal));
    }
}
