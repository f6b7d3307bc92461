using Attune.Core.Evaluation;
using Xunit;

namespace Attune.Core.Tests.Evaluation;

/// <summary>Loss, perplexity and bits per byte from sums that can be checked by hand.</summary>
public class HeldOutLossTests
{
    [Fact]
    public void Figures_are_ratios_of_sums()
    {
        var rows = HeldOutLoss.Measure([new(Math.Log(2) * 8, 4, 8), new(Math.Log(2) * 2, 6, 2), new(0, 0, 0)], "m", 256, seed: 1).ToDictionary(r => r.Metric, StringComparer.Ordinal);
        Assert.Equal(Math.Log(2), rows["loss"].Value, 1e-12);
        Assert.Equal(2, rows["perplexity"].Value, 1e-12);
        Assert.Equal(1, rows["bits_per_byte"].Value, 1e-12);
        Assert.Equal(256, rows["perplexity"].Chance!.Value);
        Assert.All(rows.Values, r => Assert.Equal(2, r.N));
        // Both rows have one bit a byte, so drawing them again changes nothing there; their losses differ.
        Assert.Equal(1, rows["bits_per_byte"].Low, 1e-12);
        Assert.InRange(rows["loss"].Low, 0.2, rows["loss"].Value);
        Assert.InRange(rows["loss"].High, rows["loss"].Value, 1.4);
    }

    [Fact]
    public void Equal_seeds_give_equal_intervals()
    {
        ScoredText[] rows = [.. Enumerable.Range(1, 40).Select(i => new ScoredText(i * 1.3, 1 + i % 7, i))];
        Assert.Equal(HeldOutLoss.Measure(rows, "m", 100, 5), HeldOutLoss.Measure(rows, "m", 100, 5));
        Assert.NotEqual(HeldOutLoss.Measure(rows, "m", 100, 5)[0].Low, HeldOutLoss.Measure(rows, "m", 100, 6)[0].Low);
    }
}
