using System.Text.Json;
using Attune.Testing;

namespace Attune.Inference.Tests;

/// <summary>Distributions as transformers' logits processors give them.</summary>
public sealed class SamplerVectors(ITestOutputHelper output)
{
    [Fact]
    public void Distributions_are_those_of_transformers()
    {
        Assert.SkipWhen(SharedData.MaySkip, "no reference data");
        var rows = 0;
        var worst = 0.0;
        foreach (var path in SharedData.Files("sampling*.json", "vectors", "parts"))
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            foreach (var row in json.RootElement.GetProperty("rows").EnumerateArray())
            {
                var options = Read(row.GetProperty("options"));
                float[] logits = [.. row.GetProperty("logits").EnumerateArray().Select(e => e.GetSingle())];
                int[] previous = [.. row.GetProperty("previous_ids").EnumerateArray().Select(e => e.GetInt32())];
                var got = Sampler.Distribution(logits, options, previous);
                var want = row.GetProperty("probabilities").EnumerateArray().Select(e => e.GetDouble()).ToArray();
                worst = Math.Max(worst, got.Zip(want, (a, b) => Math.Abs(a - b)).Max());
                Assert.True(worst < 1e-6, $"{row.GetProperty("options")}: off by {worst}");
                rows++;
            }
        }
        Assert.True(rows > 0, "no rows");
        output.WriteLine(FormattableString.Invariant($"{rows} rows, worst {worst:E2}"));
    }

    /// <summary>An option that the sampler does not know fails here by name.</summary>
    private static SamplingOptions Read(JsonElement json)
    {
        var options = new SamplingOptions();
        foreach (var option in json.EnumerateObject())
        {
            options = option.Name switch
            {
                "temperature" => options with { Temperature = option.Value.GetDouble() },
                "top_k" => options with { TopK = option.Value.GetInt32() },
                "top_p" => options with { TopP = option.Value.GetDouble() },
                "min_p" => options with { MinP = option.Value.GetDouble() },
                "typical_p" => options with { TypicalP = option.Value.GetDouble() },
                "repetition_penalty" => options with { RepetitionPenalty = option.Value.GetDouble() },
                "no_repeat_ngram_size" => options with { NoRepeatNgramSize = option.Value.GetInt32() },
                _ => throw new NotSupportedException(option.Name),
            };
        }
        return options;
    }
}
