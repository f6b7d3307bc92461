using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Attune.Core.Evaluation.Statistics;
using Attune.Core.Randomness;
using Attune.Testing;
using Xunit;

namespace Attune.Core.Tests.Evaluation;

/// <summary>Every figure of every statistics file, to 1e-9, and the generators exactly. A kind of case that is not known fails.</summary>
public sealed partial class StatisticsVectors
{
    private const double Tolerance = 1e-9;

    /// <summary>File and field of each case, by listing what is there.</summary>
    public static TheoryData<string, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, string>();
            foreach (var path in SharedData.Files("statistics*.json", "vectors"))
            {
                using var document = JsonDocument.Parse(File.ReadAllText(path));
                foreach (var part in document.RootElement.EnumerateObject())
                    cases.Add(Path.GetRelativePath(SharedData.Root!, path), part.Name);
            }
            if (cases.Count == 0)
                cases.Add("", "");
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Agrees_with_the_reference(string file, string field)
    {
        if (file.Length == 0)
        {
            if (SharedData.MaySkip) Assert.Skip("no reference data");
            Assert.Fail("The reference data has no statistics.");
        }
        using var document = JsonDocument.Parse(File.ReadAllText(SharedData.PathOf(file)));
        var value = document.RootElement.GetProperty(field);
        var cases = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : new[] { value };
        Assert.NotEmpty(cases);
        foreach (var one in cases)
            Check(field, one, document.RootElement);
    }

    // What a case is, its fields say; only a bare number needs its name.
    private static void Check(string name, JsonElement one, JsonElement all)
    {
        bool Has(params string[] fields) => one.ValueKind == JsonValueKind.Object && fields.All(f => one.TryGetProperty(f, out _));
        if (Has("ratings")) Krippendorff(one);
        else if (Has("labels", "scores")) Scores(one);
        else if (Has("labels", "probabilities")) Probabilities(one);
        else if (Has("b", "c")) Discordant(one);
        else if (Has("k", "n")) Share(one);
        else if (Has("values", "clusters")) Clusters(one);
        else if (Has("x", "y")) Paired(one);
        else if (Has("a", "b")) Kappa(one);
        else if (Has("seed")) Generator(one);
        else if (one.ValueKind == JsonValueKind.Number) Correlation(name, one.GetDouble(), all);
        else Assert.Fail($"A kind of case that these tests do not know: {name} {one.GetRawText()[..Math.Min(120, one.GetRawText().Length)]}");
    }

    private static void Krippendorff(JsonElement one)
    {
        var ratings = one.GetProperty("ratings").Deserialize<double?[][]>()!;
        Figures(one, ["ratings"], name => KrippendorffAlpha.Of(ratings, Enum.Parse<RatingLevel>(name, ignoreCase: true)));
    }

    private static void Kappa(JsonElement one)
    {
        var (a, b) = (one.GetProperty("a").Deserialize<int[]>()!, one.GetProperty("b").Deserialize<int[]>()!);
        Figures(one, ["a", "b"], name => CohenKappa.Of(a, b, Enum.Parse<KappaWeights>(name, ignoreCase: true)));
    }

    private static void Scores(JsonElement one)
    {
        var (labels, scores) = (Labels(one), Doubles(one, "scores"));
        foreach (var rate in one.GetProperty("tpr_at_fpr").EnumerateObject())
            Near(rate.Value.GetDouble(), Roc.TruePositiveRateAt(labels, scores, double.Parse(rate.Name, CultureInfo.InvariantCulture)), rate.Name);
        Figures(one, ["labels", "scores", "tpr_at_fpr"], name => name switch
        {
            "auroc" => Roc.Area(labels, scores),
            "average_precision" => Roc.AveragePrecision(labels, scores),
            _ => Unknown(name),
        });
    }

    private static void Probabilities(JsonElement one)
    {
        var (labels, probabilities) = (Labels(one), Doubles(one, "probabilities"));
        Figures(one, ["labels", "probabilities"], name => name == "brier" ? Brier.Of(labels, probabilities) : Unknown(name));
    }

    private static void Discordant(JsonElement one)
    {
        var (b, c) = (one.GetProperty("b").GetInt32(), one.GetProperty("c").GetInt32());
        Figures(one, ["b", "c"], name => name == "exact_two_sided" ? McNemar.PValue(b, c) : Unknown(name));
    }

    private static void Share(JsonElement one)
    {
        var (low, high) = Wilson.Interval(one.GetProperty("k").GetInt64(), one.GetProperty("n").GetInt64());
        Figures(one, ["k", "n"], name => name switch { "low" => low, "high" => high, _ => Unknown(name) });
    }

    private static void Clusters(JsonElement one)
    {
        var (values, clusters) = (Doubles(one, "values"), one.GetProperty("clusters").Deserialize<int[]>()!);
        Figures(one, ["values", "clusters", "note"], name => name switch
        {
            "mean" => ClusteredError.Of<int>(values, clusters).Mean,
            "stderr_iid" => ClusteredError.Simple(values).Error,
            "stderr_clustered" => ClusteredError.Of<int>(values, clusters).Error,
            _ => Unknown(name),
        });
    }

    private static void Paired(JsonElement one)
    {
        var (x, y) = (Doubles(one, "x"), Doubles(one, "y"));
        var (t, p) = PairedT.Of(x, y);
        Figures(one, ["x", "y"], name => name switch
        {
            "t" => t,
            "p" => p,
            "wilcoxon_p" => WilcoxonSignedRank.PValue(x, y),
            _ => Correlation(name, x, y),
        });
    }

    // A correlation stands beside the file's paired scores.
    private static void Correlation(string name, double expected, JsonElement all)
    {
        var scores = all.EnumerateObject().Select(f => f.Value).Single(v => v.ValueKind == JsonValueKind.Object && v.TryGetProperty("x", out _) && v.TryGetProperty("y", out _));
        Near(expected, Correlation(name, Doubles(scores, "x"), Doubles(scores, "y")), name);
    }

    private static double Correlation(string name, double[] x, double[] y) => name switch
    {
        "spearman" => RankCorrelation.Spearman(x, y),
        "kendall" => RankCorrelation.Kendall(x, y),
        _ => Unknown(name),
    };

    // A field that starts with then_ goes on with the draws of the one before; every other starts at the seed.
    private static void Generator(JsonElement one)
    {
        var seed = one.GetProperty("seed").GetInt64();
        var python = new PythonRandom(seed);
        foreach (var field in one.EnumerateObject().Where(f => f.Name != "seed"))
        {
            var draw = Draw().Match(field.Name);
            Assert.True(draw.Success, $"A draw that these tests do not know: {field.Name}");
            if (!draw.Groups["then"].Success) python = new PythonRandom(seed);
            int Number(string group) => int.Parse(draw.Groups[group].ValueSpan, CultureInfo.InvariantCulture);
            if (draw.Groups["sample"].Success)
            {
                Assert.Equal(field.Value.Deserialize<int[]>()!, python.Sample(Number("population"), Number("sample")));
            }
            else if (draw.Groups["shuffle"].Success)
            {
                var items = Enumerable.Range(0, Number("shuffle")).ToArray();
                python.Shuffle<int>(items);
                Assert.Equal(field.Value.Deserialize<int[]>()!, items);
            }
            else if (draw.Groups["low"].Success)
            {
                var numpy = new NumpyRandom(seed);
                Assert.All(field.Value.Deserialize<int[]>()!, drawn => Assert.Equal(drawn, numpy.Next(Number("low"), Number("high"))));
            }
            else
            {
                Assert.All(field.Value.Deserialize<double[]>()!, drawn => Assert.Equal(drawn, python.NextDouble()));
            }
        }
    }

    [GeneratedRegex(@"^(?<then>then_)?(?:sample_(?<sample>\d+)_of_(?<population>\d+)|shuffle_(?<shuffle>\d+)|integers_(?<low>\d+)_(?<high>\d+)|random)$")]
    private static partial Regex Draw();

    // Every number of a case that is not its input is compared.
    private static void Figures(JsonElement one, string[] inputs, Func<string, double> figure)
    {
        var compared = 0;
        foreach (var field in one.EnumerateObject().Where(f => !inputs.Contains(f.Name)))
        {
            Near(field.Value.GetDouble(), figure(field.Name), field.Name);
            compared++;
        }
        Assert.NotEqual(0, compared);
    }

    private static void Near(double expected, double actual, string name) =>
        Assert.True(Math.Abs(expected - actual) <= Tolerance, string.Create(CultureInfo.InvariantCulture, $"{name}: {actual:R}, not {expected:R}"));

    private static double Unknown(string name) => throw new InvalidDataException($"A figure that these tests do not know: {name}");

    private static bool[] Labels(JsonElement one) => [.. one.GetProperty("labels").EnumerateArray().Select(l => l.ValueKind == JsonValueKind.True || l.ValueKind == JsonValueKind.Number && l.GetInt32() != 0)];

    private static double[] Doubles(JsonElement one, string name) => one.GetProperty(name).Deserialize<double[]>()!;
}
