using System.Text.Json.Nodes;
using Attune.Core.Checkpoints;
using Attune.Core.Checkpoints.Gguf;
using Attune.Core.Exchange;
using Attune.Core.Tests.Checkpoints;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Prompts;
using Xunit;

namespace Attune.Core.Tests.Exchange;

/// <summary>Folders and GGUF files become versions with their provenance, and versions become what other programs open.</summary>
public sealed class ImportExportTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void A_folder_becomes_a_version_with_its_provenance()
    {
        var folder = TinyModel.Write(_scratch, template: BuiltInTemplates.ChatMl);
        File.WriteAllText(Path.Combine(folder, "LICENSE"), "Anyone may do anything.");
        File.WriteAllText(Path.Combine(folder, "README.md"), "---\nlicense: mit\n---\n# Tiny");
        File.WriteAllText(Path.Combine(folder, "notes.txt"), "not of the model");
        Directory.CreateDirectory(Path.Combine(folder, ModelImport.MoreTemplates));
        File.WriteAllText(Path.Combine(folder, ModelImport.MoreTemplates, "tool_use.jinja"), "{{ tools }}");

        var version = Import(folder, "tiny", "my:tiny");
        Assert.Equal(VersionKind.Chat, version.Kind);
        Assert.NotNull(version.Lineage.Contract);
        Assert.Equal("import", version.Lineage.Stage);
        var facts = version.Lineage.Facts;
        Assert.Equal("mit", (string?)facts["license"]);
        Assert.Equal("huggingface", (string?)facts["format"]);
        Assert.Equal(["LICENSE"], facts["license_files"]!.AsArray().Select(n => (string)n!));
        Assert.Equal("Anyone may do anything.", File.ReadAllText(version.Files.Require("LICENSE")));
        foreach (var file in facts["files"]!.AsArray())
            Assert.Equal((string?)file!["sha256"], Digests.Sha256Of(version.Files.Require((string)file["name"]!)));
        Assert.Null(version.Files.Find("notes.txt"));
        Assert.NotNull(version.Files.Find("tool_use.jinja"));
        // The same again is the same version.
        Assert.Equal(version.Digest, Import(folder, "tiny", "my:again").Digest);

        ModelExport.ToFolder(Store(), "my:tiny", _scratch["out"], new(), default);
        Assert.Equal(Digests.Sha256Of(Path.Combine(folder, ModelFiles.Weights)), Digests.Sha256Of(Path.Combine(_scratch["out"], ModelFiles.Weights)));
        Assert.True(File.Exists(Path.Combine(_scratch["out"], ModelImport.MoreTemplates, "tool_use.jinja")));
        Assert.True(File.Exists(Path.Combine(_scratch["out"], "special_tokens_map.json")));
        Assert.True(File.Exists(Path.Combine(_scratch["out"], ModelFiles.GenerationConfig)));
        Assert.Equal("ATT2060", Assert.Throws<StoreException>(() => ModelExport.ToGguf(version.Files, "x", _scratch["out"], new())).Code);
        Assert.Equal("ATT3403", Assert.Throws<ExchangeException>(() => ModelExport.ToFolder(Store(), "my:tiny", _scratch["p"], new() { Format = ExportFormat.Peft }, default)).Code);
    }

    [Fact]
    public void The_adapter_of_a_merged_version_comes_out_as_PEFT_names_it()
    {
        var folder = TinyModel.Write(_scratch);
        File.WriteAllText(Path.Combine(folder, "attune.adapter_config.json"), """{"peft_type": "LORA", "r": 1, "lora_alpha": 1, "target_modules": ["x"]}""");
        SafetensorsWriter.Write(Path.Combine(folder, "attune.adapter_model.safetensors"), [TensorSource.Of("base_model.model.x.lora_A.weight", [1, 2], new float[2])]);
        Import(folder, "tiny", "my:lora");
        ModelExport.ToFolder(Store(), "my:lora", _scratch["adapter"], new() { Format = ExportFormat.Peft }, default);
        Assert.Equal(["adapter_config.json", "adapter_model.safetensors"], Directory.EnumerateFiles(_scratch["adapter"]).Select(p => Path.GetFileName(p)!).Order(StringComparer.Ordinal));
        Assert.Equal(Digests.Sha256Of(Path.Combine(folder, "attune.adapter_model.safetensors")), Digests.Sha256Of(Path.Combine(_scratch["adapter"], "adapter_model.safetensors")));
    }

    [Fact]
    public void A_model_without_a_template_is_a_Base()
    {
        var version = Import(TinyModel.Write(_scratch), "tiny", "my:base");
        Assert.Equal(VersionKind.Base, version.Kind);
        Assert.Null(version.Lineage.Contract);
        Assert.Null(version.Files.Find(ModelFiles.PromptContract));
    }

    [Theory]
    [InlineData(WeightStorage.Same, 1e-6, "float32")]
    [InlineData(WeightStorage.F16, 50, "float16")]
    [InlineData(WeightStorage.Bf16, 1e-6, "bfloat16")]
    public void A_folder_has_the_type_and_the_shards_that_are_asked_for(WeightStorage storage, double gigabytes, string dtype)
    {
        var folder = TinyModel.Write(_scratch);
        Import(folder, "tiny", "my:tiny");
        ModelExport.ToFolder(Store(), "my:tiny", _scratch["out"], new() { Weights = storage, ShardGigabytes = gigabytes }, default);
        Assert.Equal(gigabytes < 1, File.Exists(Path.Combine(_scratch["out"], WeightFiles.Index)));
        Assert.Equal(dtype, HuggingFaceConfig.Read(Path.Combine(_scratch["out"], ModelFiles.Config)).Dtype);
        using var before = WeightFiles.Open(ModelFiles.OfFolder(folder));
        using var after = WeightFiles.Open(ModelFiles.OfFolder(_scratch["out"]));
        Assert.Equal(before.Tensors.Select(t => t.Name).Order(StringComparer.Ordinal), after.Tensors.Select(t => t.Name).Order(StringComparer.Ordinal));
        foreach (var tensor in before.Tensors)
        {
            var (wanted, found) = (new float[tensor.Count], new float[tensor.Count]);
            before.ReadFloats(tensor.Name, wanted);
            after.ReadFloats(tensor.Name, found);
            for (var i = 0; i < wanted.Length; i++)
                Assert.True(Math.Abs(wanted[i] - found[i]) <= (dtype == "float32" ? 0 : 1f / 128) * Math.Abs(wanted[i]), tensor.Name);
        }
        // The version goes on as it was, and the folder is one again.
        Assert.Equal(dtype, (string?)Import(_scratch["out"], "out", "my:out").Lineage.Facts["dtype"]);
    }

    [Fact]
    public void A_Hugging_Face_folder_of_Q8_is_refused()
    {
        Import(TinyModel.Write(_scratch), "tiny", "my:tiny");
        Assert.Equal("ATT3408", Assert.Throws<ExchangeException>(() => ModelExport.ToFolder(Store(), "my:tiny", _scratch["out"], new() { Weights = WeightStorage.Q8 }, default)).Code);
    }

    [Fact]
    public void A_model_with_a_score_on_top_is_a_reward_model()
    {
        var folder = TinyModel.Write(_scratch, template: BuiltInTemplates.ChatMl, change: c => c with { Architecture = "LlamaForSequenceClassification", Head = DecoderHead.Score });
        Assert.Equal(VersionKind.Reward, Import(folder, "tiny-rm", "my:rm").Kind);
    }

    // ollama#8363: exported without template and stop tokens, a model did not end its answers.
    [Fact]
    public void Gguf_there_and_back_is_the_same_model()
    {
        var folder = TinyModel.Write(_scratch, template: BuiltInTemplates.ChatMl);
        var files = ModelExport.ToGguf(ModelFiles.OfFolder(folder), "my:tiny", _scratch["gguf"], new() { Format = ExportFormat.Ollama });
        Assert.Equal(["Modelfile", "my-tiny.gguf"], files);
        var version = Import(Path.Combine(_scratch["gguf"], "my-tiny.gguf"), "my-tiny.gguf", "back:tiny");
        Assert.Equal("gguf", (string?)version.Lineage.Facts["format"]);
        Assert.Equal(VersionKind.Chat, version.Kind);
        using var before = WeightFiles.Open(ModelFiles.OfFolder(folder));
        using var after = WeightFiles.Open(version.Files);
        foreach (var tensor in before.Tensors)
            Assert.True(before.Bytes(tensor.Name).SequenceEqual(after.Bytes(tensor.Name)), tensor.Name);
        Assert.Equal(BuiltInTemplates.ChatMl, File.ReadAllText(version.Files.Require(ModelFiles.ChatTemplate)));
        Assert.Equal(Tokenizer.Load(Path.Combine(folder, ModelFiles.Tokenizer)).Encode("the quick<|im_end|> fox"), Tokenizer.Load(version.Files.Require(ModelFiles.Tokenizer)).Encode("the quick<|im_end|> fox"));

        var modelfile = File.ReadAllText(Path.Combine(_scratch["gguf"], "Modelfile"));
        Assert.StartsWith("FROM ./my-tiny.gguf\nTEMPLATE \"\"\"{{- range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}<|im_start|>assistant\n\"\"\"\n", modelfile, StringComparison.Ordinal);
        Assert.Contains("PARAMETER stop \"<|im_end|>\"\n", modelfile, StringComparison.Ordinal);
        Assert.Contains("PARAMETER num_ctx 32\n", modelfile, StringComparison.Ordinal);
    }

    [Fact]
    public void Named_templates_go_into_a_GGUF_file_and_come_back()
    {
        var folder = TinyModel.Write(_scratch, template: BuiltInTemplates.ChatMl);
        Directory.CreateDirectory(Path.Combine(folder, ModelImport.MoreTemplates));
        foreach (var name in (string[])["tool_use", "rag"])
            File.WriteAllText(Path.Combine(folder, ModelImport.MoreTemplates, name + ".jinja"), "{{ " + name + " }}");
        ModelExport.ToGguf(ModelImport.Folder(folder), "tiny", _scratch["gguf"], new());
        GgufImport.ToFolder(Path.Combine(_scratch["gguf"], "tiny.gguf"), _scratch["back"]);
        foreach (var name in (string[])["tool_use", "rag"])
            Assert.Equal("{{ " + name + " }}", File.ReadAllText(Path.Combine(_scratch["back"], ModelImport.MoreTemplates, name + ".jinja")));
        Assert.Equal(BuiltInTemplates.ChatMl, File.ReadAllText(Path.Combine(_scratch["back"], ModelFiles.ChatTemplate)));

        var version = Import(Path.Combine(_scratch["gguf"], "tiny.gguf"), "tiny.gguf", "my:tiny");
        Assert.Equal("{{ rag }}", File.ReadAllText(version.Files.Require("rag.jinja")));
        ModelExport.ToGguf(version.Files, "tiny", _scratch["again"], new());
        Assert.Equal(Digests.Sha256Of(Path.Combine(_scratch["gguf"], "tiny.gguf")), Digests.Sha256Of(Path.Combine(_scratch["again"], "tiny.gguf")));
    }

    [Fact]
    public void The_name_of_a_template_leads_out_of_no_folder()
    {
        var folder = TinyModel.Write(_scratch);
        File.WriteAllText(Path.Combine(folder, ModelFiles.TokenizerConfig), """{"chat_template": [{"name": "../../evil", "template": "x"}]}""");
        ModelExport.ToGguf(ModelFiles.OfFolder(folder), "tiny", _scratch["gguf"], new());
        var refused = Assert.Throws<GgufException>(() => GgufImport.ToFolder(Path.Combine(_scratch["gguf"], "tiny.gguf"), _scratch["back"]));
        Assert.Equal(("ATT3304", "tokenizer.chat_template.../../evil"), (refused.Code, refused.Field));
    }

    [Theory]
    [InlineData(WeightStorage.F16, GgufType.F16)]
    [InlineData(WeightStorage.Bf16, GgufType.BF16)]
    [InlineData(WeightStorage.F32, GgufType.F32)]
    [InlineData(WeightStorage.Q8, GgufType.F16)]
    public void Matrices_are_stored_as_asked_and_norms_as_floats(WeightStorage storage, GgufType expected)
    {
        // Rows of 8 are no whole Q8_0 block: they become halves.
        ModelExport.ToGguf(ModelFiles.OfFolder(TinyModel.Write(_scratch)), "t", _scratch["g"], new() { Weights = storage });
        using var file = GgufFile.Open(Path.Combine(_scratch["g"], "t.gguf"));
        Assert.Equal(expected, file["blk.0.attn_q.weight"].Type);
        Assert.Equal(GgufType.F32, file["blk.0.attn_norm.weight"].Type);
        Assert.Equal("llama", file.Metadata.Text("general.architecture"));
    }

    [Fact]
    public void What_does_not_belong_together_is_refused()
    {
        var folder = TinyModel.Write(_scratch);
        Assert.Equal("ATT3401", Refusal(_scratch["nowhere"]));
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, ModelFiles.Config)))!;
        config["vocab_size"] = 300;
        File.WriteAllText(Path.Combine(folder, ModelFiles.Config), config.ToJsonString());
        Assert.Equal("ATT2016", Refusal(folder));
        File.Delete(Path.Combine(folder, ModelFiles.Weights));
        File.WriteAllText(Path.Combine(folder, "pytorch_model.bin"), "PK\u0003\u0004");
        Assert.Equal("ATT2014", Refusal(folder));
        File.WriteAllText(_scratch["x.gguf"], "GGUF, but not for long");
        Assert.Equal("ATT3301", Refusal(_scratch["x.gguf"]));
    }

    [Fact]
    public void Every_built_in_format_has_a_template_for_Ollama()
    {
        var folder = TinyModel.Write(_scratch);
        var tokenizer = Tokenizer.Load(Path.Combine(folder, ModelFiles.Tokenizer));
        var config = HuggingFaceConfig.Read(Path.Combine(folder, ModelFiles.Config));
        var chats = 0;
        foreach (var (name, make) in BuiltInContracts.All.Where(c => c.Key is not ("base" or "completion")))
        {
            PromptContract contract;
            try
            {
                contract = make(tokenizer);
            }
            catch (PromptException)
            {
                // Formats whose control tokens this tokenizer lacks.
                continue;
            }
            chats++;
            var text = OllamaModelfile.Text("x.gguf", config, contract, ["<|im_end|>", "say \"stop\"\n"], new() { DoSample = true, Temperature = 0.7, TopP = 0.9 });
            Assert.Contains("TEMPLATE \"\"\"{{- ", text, StringComparison.Ordinal);
            Assert.DoesNotContain("</s>", text, StringComparison.Ordinal);
            Assert.Contains("PARAMETER stop \"say \\\"stop\\\"\\n\"\n", text, StringComparison.Ordinal);
            Assert.Contains("PARAMETER temperature 0.7\n", text, StringComparison.Ordinal);
        }
        Assert.True(chats >= 2);
        Assert.Contains("TEMPLATE \"\"\"{{ .Prompt }}\"\"\"", OllamaModelfile.Text("x.gguf", config, null, [], null), StringComparison.Ordinal);
    }

    private string Refusal(string path) => Assert.ThrowsAny<AttuneException>(() => Draft(path, "x")).Code;

    private ModelStore Store() => ModelStore.Open(_scratch["store"]);

    private ModelVersion Import(string path, string origin, string tag) => Store().Add(Draft(path, origin), tag);

    private VersionDraft Draft(string path, string origin) =>
        ModelImport.Draft(path, origin, new() { Source = path }, Directory.CreateDirectory(_scratch[$"staging-{Guid.NewGuid():N}"]).FullName, "1.0");
}
