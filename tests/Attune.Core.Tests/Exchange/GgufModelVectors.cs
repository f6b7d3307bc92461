using Attune.Core.Checkpoints;
using Attune.Core.Checkpoints.Families;
using Attune.Core.Checkpoints.Gguf;
using Attune.Core.Checkpoints.Gguf.Architectures;
using Attune.Core.Exchange;
using Attune.Core.Tests.Checkpoints;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Testing;
using Xunit;

namespace Attune.Core.Tests.Exchange;

/// <summary>Every model folder of the reference data to GGUF and back: the same config, the same weights.</summary>
public sealed class GgufModelVectors : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void Models_come_back_as_they_were()
    {
        var (done, refused) = (new SortedSet<string>(StringComparer.Ordinal), new SortedSet<string>(StringComparer.Ordinal));
        foreach (var folder in Folders())
        {
            var model = ModelFiles.OfFolder(folder);
            if (Path.GetDirectoryName(folder)!.EndsWith("models-more", StringComparison.Ordinal) && !Readable(model))
                continue;
            var config = HuggingFaceConfig.Read(model.Require(ModelFiles.Config), DecoderFeatures.All);
            try
            {
                GgufExport.Write(model, _scratch["m.gguf"], GgufType.F32, "test");
            }
            catch (GgufException e) when (e.Code == "ATT3305")
            {
                refused.Add($"{config.Architecture}: {e.Message}");
                continue;
            }
            using var file = GgufFile.Open(_scratch["m.gguf"]);
            var again = GgufConfig.Read(file);
            // llama.cpp has no window for some: within it nothing differs, and no more is declared.
            var expected = config.SlidingWindow is { } window && GgufArchitecture.Of(config).FullEvery == 0
                ? config with { SlidingWindow = null, LayerAttentions = [], ContextLength = Math.Min(window, config.ContextLength) }
                : config;
            // Written as F32, whatever it was.
            expected = expected with { Dtype = "float32" };
            expected = expected.Architecture == "MistralForCausalLM" ? expected with { Architecture = "LlamaForCausalLM" } : expected;
            Same(expected, again, folder);
            Weights(model, file, again, folder);
            done.Add(config.Architecture);
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{string.Join(", ", done)}; refused: {string.Join("; ", refused)}");
        Assert.True(done.Count >= 9, string.Join(", ", done));
    }

    [Fact]
    public void Every_architecture_of_Attunes_has_one_of_llama_cpps() =>
        Assert.Equal(FamilyList.Architectures.Order(StringComparer.Ordinal), GgufArchitectures.All.Select(a => a.HuggingFace).Order(StringComparer.Ordinal));

    [Fact]
    public void A_model_with_a_tokenizer_keeps_its_tokens_and_its_dtype()
    {
        var checkedFolders = 0;
        foreach (var folder in Folders().Where(f => File.Exists(Path.Combine(f, ModelFiles.Tokenizer))))
        {
            var model = ModelFiles.OfFolder(folder);
            var config = HuggingFaceConfig.Read(model.Require(ModelFiles.Config), DecoderFeatures.All);
            var type = config.Dtype switch { "bfloat16" => GgufType.BF16, "float16" => GgufType.F16, _ => GgufType.F32 };
            GgufExport.Write(model, _scratch["t.gguf"], type, "test");
            GgufExport.Write(model, _scratch["again.gguf"], type, "test");
            Assert.Equal(Digests.Sha256Of(_scratch["t.gguf"]), Digests.Sha256Of(_scratch["again.gguf"]));
            if (config.Architecture != "LlamaForCausalLM")
                continue;
            GgufImport.ToFolder(_scratch["t.gguf"], _scratch["back"]);
            var back = ModelFiles.OfFolder(_scratch["back"]);
            var (before, after) = (Tokenizer.Load(model.Require(ModelFiles.Tokenizer)), Tokenizer.Load(back.Require(ModelFiles.Tokenizer)));
            foreach (var text in (string[])["Hello, world!  1234 it's\n\n  naïve café", "<|im_start|>user", "日本語 🙂"])
                Assert.Equal(before.Encode(text), after.Encode(text));
            using var original = WeightFiles.Open(model);
            using var returned = WeightFiles.Open(back);
            Assert.Equal(original.Tensors.Select(t => t.Name), returned.Tensors.Select(t => t.Name));
            foreach (var tensor in original.Tensors)
                Assert.True(original.Bytes(tensor.Name).SequenceEqual(returned.Bytes(tensor.Name)), tensor.Name);
            Assert.Equal(HuggingFaceConfig.Read(back.Require(ModelFiles.Config)).EosTokenIds, config.EosTokenIds);
            checkedFolders++;
        }
        Assert.True(checkedFolders > 0);
    }

    private static void Same(DecoderConfig expected, DecoderConfig found, string folder)
    {
        foreach (var property in typeof(DecoderConfig).GetProperties().Where(p => p.CanWrite && !Unsaid.Contains(p.Name)))
        {
            var (a, b) = (property.GetValue(expected), property.GetValue(found));
            if (a is double x && b is double y)
                Assert.True(Math.Abs(x - y) <= 1e-6 * Math.Abs(x), $"{folder}: {property.Name} was {x}, is {y}");
            else if (a is RopeScaling scaling)
                Scaling(scaling, (RopeScaling?)b);
            else
                Assert.Equivalent(a, b);
        }
    }

    /// <summary>What GGUF does not say, or says elsewhere (ids where there is no tokenizer; the spread of fresh weights).</summary>
    private static readonly HashSet<string> Unsaid = new(StringComparer.Ordinal) { "Unused", "InitializerRange", "BosTokenId", "EosTokenIds", "PadTokenId" };

    // yarn and linear say the same in both; llama3 comes back as numbers that divide the same, whatever their names.
    private static void Scaling(RopeScaling expected, RopeScaling? found)
    {
        Assert.Equal(expected.Kind, found?.Kind);
        if (expected.Kind != "longrope")
            Assert.Equal(expected.Factor!.Value, found!.Factor!.Value, 1e-4);
        else
            Assert.Equal(expected.ShortFactors!.Select(f => (float)f), found!.ShortFactors!.Select(f => (float)f));
    }

    private static void Weights(ModelFiles model, GgufFile file, DecoderConfig config, string folder)
    {
        using var weights = WeightFiles.Open(model);
        var sources = GgufWeights.FromGguf(config, file).ToDictionary(s => s.Name, StringComparer.Ordinal);
        foreach (var tensor in TensorNames.All(HuggingFaceConfig.Read(model.Require(ModelFiles.Config), DecoderFeatures.All)))
        {
            using var stream = new MemoryStream();
            sources[tensor.Name].WriteTo(stream);
            var found = new float[stream.Length / 4];
            Buffer.BlockCopy(stream.ToArray(), 0, found, 0, (int)stream.Length);
            var wanted = new float[weights[tensor.Name].Count];
            weights.ReadFloats(tensor.Name, wanted);
            for (var i = 0; i < wanted.Length; i++)
                Assert.True(Math.Abs(wanted[i] - found[i]) <= 2e-7f * Math.Max(1, Math.Abs(wanted[i])), $"{folder} {tensor.Name}[{i}]");
        }
    }

    private static bool Readable(ModelFiles model)
    {
        try
        {
            HuggingFaceConfig.Read(model.Require(ModelFiles.Config), DecoderFeatures.All);
            return true;
        }
        catch (UnsupportedCheckpointException)
        {
            return false;
        }
    }

    private static IEnumerable<string> Folders()
    {
        Assert.SkipWhen(SharedData.MaySkip, "No reference data.");
        var folders = SharedData.FoldersWith(ModelFiles.Weights, "vectors").Where(f => File.Exists(Path.Combine(f, ModelFiles.Config))).ToList();
        Assert.NotEmpty(folders);
        return folders;
    }
}
