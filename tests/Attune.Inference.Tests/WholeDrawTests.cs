namespace Attune.Inference.Tests;

/// <summary>A draw without sorting gives what the sorted walk gives.</summary>
public sealed class WholeDrawTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(0.7)]
    [InlineData(2.5)]
    [InlineData(1e-3)]
    public void It_is_the_token_of_the_sorted_walk(double temperature)
    {
        var random = new Random(5);
        foreach (var spread in (double[])[0, 0.01, 1, 20, 500])
        {
            var logits = Enumerable.Range(0, 3000).Select(_ => (float)(spread * (random.NextDouble() - 0.5))).ToArray();
            for (var i = 0; i < 300; i++)
                logits[random.Next(logits.Length)] = logits[random.Next(logits.Length)]; // equals
            (logits[7], logits[8], logits[9]) = (float.NegativeInfinity, float.NaN, -0f);
            var best = logits[Sampler.Best(logits)];
            var sorted = LogitFilters.Filter(logits, new SamplingOptions { Temperature = temperature });
            for (var draw = 0; draw < 200; draw++)
            {
                // A hundred millionth of the whole is what the two sums may differ by.
                var share = draw == 0 ? 0 : random.NextDouble();
                var token = WholeDraw.Token(logits, best, temperature, share);
                var (before, at) = (0.0, sorted.FindIndex(k => k.Id == token));
                Assert.True(at >= 0, $"{token} has no probability");
                for (var i = 0; i < at; i++)
                    before += sorted[i].Probability;
                Assert.InRange(share, before - 1e-8, before + sorted[at].Probability + 1e-8);
            }
        }
    }

    [Fact]
    public void What_rounding_leaves_over_is_the_last_token() => Assert.Equal(2, WholeDraw.Token([3, 2, -5], 3, 1, 1));
}
