using System.Text.Json;
using Attune.Core.Checkpoints;
using Attune.Core.Versions;
using Attune.Testing;

namespace Attune.Inference.Tests;

/// <summary>Every model that transformers computed logits and greedy tokens of: the engine agrees, or refuses by name.</summary>
public sealed class ModelVectors(ITestOutputHelper output)
{
    private const float LogitTolerance = 1e-4f, MarginToTrust = 1e-4f;

    public static TheoryData<string> Cases()
    {
        var cases = new TheoryData<string>();
        foreach (var folder in SharedData.FoldersWith("expected.safetensors", "vectors"))
        {
            if (File.Exists(Path.Combine(folder, ModelFiles.Config)) && File.Exists(Path.Combine(folder, ModelFiles.Weights)))
                cases.Add(Path.GetRelativePath(SharedData.Root!, folder));
        }
        return cases;
    }

    [Fact]
    public void There_are_cases_and_some_of_them_run()
    {
        Assert.SkipWhen(SharedData.MaySkip, "no reference data");
        Assert.Contains(Cases(), row => Runs(row.Data));
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void Logits_and_greedy_tokens_are_those_of_transformers(string name)
    {
        var files = ModelFiles.OfFolder(SharedData.PathOf(name));
        if (!Runs(name))
        {
            Assert.Throws<UnsupportedCheckpointException>(() => DecoderWeights.Load(files));
            return;
        }
        using var weights = DecoderWeights.Load(files);
        using var engine = new InferenceEngine(weights);
        using var expected = SafetensorsFile.Open(files.Require("expected.safetensors"));
        using var json = JsonDocument.Parse(File.ReadAllBytes(files.Require("expected.json")));
        var worst = 0f;
        var rows = json.RootElement.GetProperty("rows").EnumerateArray().ToArray();
        Assert.NotEmpty(rows);
        for (var i = 0; i < rows.Length; i++)
        {
            var ids = Ints(rows[i].GetProperty("input_ids"));
            var tensor = expected[FormattableString.Invariant($"row{i}.logits")];
            var want = new float[tensor.Count];
            expected.ReadFloats(tensor.Name, want);
            var got = engine.Forward(ids);
            for (var t = 0; t < ids.Length; t++)
            {
                for (var v = 0; v < got[t].Length; v++)
                    worst = MathF.Max(worst, MathF.Abs(got[t][v] - want[t * got[t].Length + v]));
            }
            Greedy(engine, ids, Ints(rows[i].GetProperty("greedy")), [.. rows[i].GetProperty("greedy_margins").EnumerateArray().Select(m => m.GetSingle())]);
        }
        Together(engine, [.. rows.Select(r => Ints(r.GetProperty("input_ids")))]);
        output.WriteLine(FormattableString.Invariant($"{name}: worst logit error {worst:E2}"));
        Assert.True(worst <= LogitTolerance, FormattableString.Invariant($"{name}: a logit is off by {worst}"));
    }

    /// <summary>All rows in one ragged step, cut where it fills: each gets the very logits that it gets alone.</summary>
    private static void Together(InferenceEngine engine, int[][] rows)
    {
        var caches = Array.ConvertAll(rows, _ => engine.NewCache());
        var got = Array.ConvertAll(rows, row => new float[row.Length][]);
        engine.Run([.. rows.Select((row, i) => new SequenceInput(caches[i], row, LogitsWanted.All))], (input, position, logits) => got[input][position] = logits.ToArray());
        for (var i = 0; i < rows.Length; i++)
        {
            Assert.Equal(engine.Forward(rows[i]), got[i]);
            caches[i].Dispose();
        }
    }

    /// <summary>Through the cache, token by token; the reference's token goes on, so that one close call does not hide the rest.</summary>
    private static void Greedy(InferenceEngine engine, int[] prompt, int[] greedy, float[] margins)
    {
        using var cache = engine.NewCache();
        var next = prompt;
        for (var i = 0; i < greedy.Length; i++)
        {
            var best = -1;
            engine.Run([new(cache, next)], (_, _, logits) => best = Sampler.Best(logits));
            if (margins[i] > MarginToTrust)
                Assert.Equal(greedy[i], best);
            next = [greedy[i]];
        }
    }

    /// <summary>Architectures that Attune does not have yet. This list may only shrink.</summary>
    private static readonly string[] NotYet = ["MixtralForCausalLM", "Qwen3MoeForCausalLM", "GptOssForCausalLM"];

    private static bool Runs(string name)
    {
        using var config = JsonDocument.Parse(File.ReadAllBytes(SharedData.PathOf(name, ModelFiles.Config)));
        return !NotYet.Contains(config.RootElement.GetProperty("architectures")[0].GetString());
    }

    private static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(e => e.GetInt32())];
}
