using Attune.Core.Checkpoints;
using CsCheck;
using Xunit;

namespace Attune.Core.Tests.Checkpoints;

public sealed class HuggingFaceConfigTests : IDisposable
{
    private const string Sizes = """
        "architectures":["LlamaForCausalLM"],"vocab_size":10,"hidden_size":8,"intermediate_size":16,"num_hidden_layers":1,"num_attention_heads":2
        """;

    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void Written_and_read_back_it_is_the_same()
    {
        var config = new DecoderConfig
        {
            VocabularySize = 4096, HiddenSize = 192, IntermediateSize = 512, Layers = 4, Heads = 6, KeyValueHeads = 2, HeadSize = 32, ContextLength = 2048,
            TiedEmbeddings = true, BosTokenId = 0, EosTokenIds = [0, 5], RopeTheta = 500_000, NormEpsilon = 1e-6, Dtype = "bfloat16",
        };
        HuggingFaceConfig.Write(_scratch["config.json"], config);
        var read = HuggingFaceConfig.Read(_scratch["config.json"]);
        Assert.Equal(config with { EosTokenIds = read.EosTokenIds }, read);
        Assert.Equal(config.EosTokenIds, read.EosTokenIds);
        Assert.Contains("\"rms_norm_eps\": 1e-06,", File.ReadAllText(_scratch["config.json"]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", null)]
    [InlineData(",\"rope_theta\":1e6,\"rope_scaling\":null,\"torch_dtype\":\"float16\",\"use_cache\":false,\"_name_or_path\":\"x\",\"whatever\":null", null)]
    [InlineData(",\"attention_bias\":true", null)]
    [InlineData(",\"hidden_act\":\"gelu\"", null)]
    [InlineData(",\"hidden_act\":\"relu2\"", "hidden_act")]
    [InlineData(",\"model_type\":\"mistral\"", "model_type")]
    [InlineData(",\"sliding_window\":16", "sliding_window")]
    [InlineData(",\"rope_scaling\":{\"type\":\"nonsense\",\"factor\":2.0}", "rope_scaling.rope_type")]
    [InlineData(",\"rope_scaling\":{\"type\":\"linear\",\"factor\":2.0}", null)]
    [InlineData(",\"rope_scaling\":{\"type\":\"linear\",\"factor\":2.0,\"slope\":1.0}", "rope_scaling.slope")]
    [InlineData(",\"partial_rotary_factor\":0.5", "partial_rotary_factor")]
    [InlineData(",\"rope_parameters\":{\"rope_type\":\"default\",\"new_thing\":2.0}", "rope_parameters.new_thing")]
    [InlineData(",\"quantization_config\":{\"bits\":4}", "quantization_config")]
    [InlineData(",\"num_experts\":8", "num_experts")]
    public void What_is_not_known_is_refused_by_name(string more, string? field)
    {
        var path = _scratch.Write("config.json", $"{{{Sizes}{more}}}");
        if (field is null)
            Assert.Equal(4, HuggingFaceConfig.Read(path).HeadSize);
        else
            Assert.Equal(field, Assert.Throws<UnsupportedCheckpointException>(() => HuggingFaceConfig.Read(path)).Field);
    }

    // Values that a published file leaves out, as the family's config class in transformers has them.
    [Theory]
    [InlineData("MistralForCausalLM", "\"num_key_value_heads\":2", "4096:S", 10_000, null)]
    [InlineData("MistralForCausalLM", "\"num_key_value_heads\":2,\"sliding_window\":null", "", 10_000, null)]
    [InlineData("Qwen2ForCausalLM", "\"num_key_value_heads\":2,\"rope_theta\":1e6,\"sliding_window\":16,\"use_sliding_window\":false", "", 1e6, null)]
    [InlineData("Qwen2ForCausalLM", "\"num_key_value_heads\":2,\"num_hidden_layers\":3,\"max_window_layers\":1,\"sliding_window\":16,\"use_sliding_window\":true", "16:FSS", 10_000, null)]
    [InlineData("Gemma2ForCausalLM", "\"num_key_value_heads\":2,\"num_hidden_layers\":3,\"hidden_act\":\"gelu\"", "4096:SFS", 10_000, null)]
    [InlineData("Gemma3ForCausalLM", "\"num_key_value_heads\":2,\"num_hidden_layers\":4,\"sliding_window_pattern\":3", "4096:SSFS", 1e6, 10_000.0)]
    [InlineData("Phi3ForCausalLM", "\"auto_map\":{\"AutoConfig\":\"x.y\"}", "", 10_000, null)]
    public void What_a_family_leaves_out_is_what_transformers_takes(string architecture, string more, string layers, double theta, double? local)
    {
        var sizes = Sizes.Replace("LlamaForCausalLM", architecture, StringComparison.Ordinal);
        if (more.Contains("num_hidden_layers", StringComparison.Ordinal))
            sizes = sizes.Replace("\"num_hidden_layers\":1,", "", StringComparison.Ordinal);
        var config = HuggingFaceConfig.Read(_scratch.Write("c", $"{{{sizes},{more}}}"));
        var text = config.SlidingWindow is { } window ? FormattableString.Invariant($"{window}:{string.Concat(config.LayerAttentions.Select(l => l.ToString()[0]))}") : "";
        Assert.Equal((layers, theta, local), (text, config.RopeTheta, config.LocalRopeTheta));
    }

    [Fact]
    public void Keys_that_change_nothing_are_kept_and_options_that_a_family_has_not_are_refused()
    {
        var config = HuggingFaceConfig.Read(_scratch.Write("config.json", $"{{{Sizes},\"attention_dropout\":0.25,\"use_cache\":false}}"));
        var json = HuggingFaceConfig.ToJson(config);
        Assert.Equal((0.25, false), (json["attention_dropout"]!.GetValue<double>(), json["use_cache"]!.GetValue<bool>()));
        Assert.Throws<UnsupportedCheckpointException>(() => HuggingFaceConfig.ToJson(config with { QueryKeyNorm = QueryKeyNorm.PerHead }));
        Assert.Throws<UnsupportedCheckpointException>(() => HuggingFaceConfig.ToJson(config with { SlidingWindow = 4, LayerAttentions = [LayerAttention.Sliding] }));
        Assert.Throws<UnsupportedCheckpointException>(() => HuggingFaceConfig.ToJson(config with { Architecture = "MambaForCausalLM" }));
    }

    [Fact]
    public void A_classifier_of_one_label_is_a_reward_model_and_one_of_more_is_refused()
    {
        var reward = Sizes.Replace("ForCausalLM", "ForSequenceClassification", StringComparison.Ordinal);
        var config = HuggingFaceConfig.Read(_scratch.Write("config.json", $"{{{reward},\"id2label\":{{\"0\":\"LABEL_0\"}},\"label2id\":{{\"LABEL_0\":0}}}}"));
        Assert.Equal((DecoderHead.Score, "score.weight"), (config.Head, TensorNames.All(config).Last().Name));
        HuggingFaceConfig.Write(_scratch["again.json"], config);
        Assert.Equal(config with { EosTokenIds = [] }, HuggingFaceConfig.Read(_scratch["again.json"]) with { EosTokenIds = [] });
        foreach (var more in (string[])["", ",\"num_labels\":3", ",\"id2label\":{\"0\":\"a\",\"1\":\"b\"}"])
            Assert.Throws<UnsupportedCheckpointException>(() => HuggingFaceConfig.Read(_scratch.Write("config.json", $"{{{reward}{more}}}")));
    }

    [Fact]
    public void An_architecture_that_is_not_known_is_named()
    {
        var e = Assert.Throws<UnsupportedCheckpointException>(() => HuggingFaceConfig.Read(_scratch.Write("c", """{"architectures":["MambaForCausalLM"]}""")));
        Assert.Contains("MambaForCausalLM", e.Message, StringComparison.Ordinal);
        Assert.Equal("architectures", e.Field);
    }

    [Theory]
    [InlineData("not json", "ATT2020", null)]
    [InlineData("[1]", "ATT2020", null)]
    [InlineData("{SIZES,\"x\":{\"\\ud800\":1}}", "ATT2020", null)]
    [InlineData("{SIZES,\"x\":[\"\\udc00\"]}", "ATT2020", null)]
    [InlineData("", "ATT2020", null)]
    [InlineData("{\"vocab_size\":1,\"vocab_size\":2}", "ATT2020", null)]
    [InlineData("{\"architectures\":[\"LlamaForCausalLM\"]}", "ATT2021", "hidden_size")]
    [InlineData("{SIZES,\"head_dim\":0}", "ATT2021", "head_dim")]
    [InlineData("{SIZES,\"head_dim\":3}", "ATT2021", "head_dim")]
    [InlineData("{SIZES,\"num_key_value_heads\":3}", "ATT2021", "num_key_value_heads")]
    [InlineData("{SIZES,\"rms_norm_eps\":-1}", "ATT2021", "rms_norm_eps")]
    [InlineData("{SIZES,\"max_position_embeddings\":99999999999}", "ATT2021", "max_position_embeddings")]
    [InlineData("{SIZES,\"eos_token_id\":[1,-2]}", "ATT2021", "eos_token_id")]
    [InlineData("{SIZES,\"tie_word_embeddings\":\"yes\"}", "ATT2021", "tie_word_embeddings")]
    public void A_broken_config_is_refused_with_the_key(string text, string code, string? field)
    {
        var e = Assert.Throws<CheckpointException>(() => HuggingFaceConfig.Read(_scratch.Write("config.json", text.Replace("SIZES", Sizes, StringComparison.Ordinal))));
        Assert.Equal((code, field), (e.Code, e.Field));
    }

    [Fact]
    public void Any_damage_to_a_config_is_refused_with_a_type_or_harmless()
    {
        HuggingFaceConfig.Write(_scratch["config.json"], Versions.Drafts.Config);
        var sound = File.ReadAllBytes(_scratch["config.json"]);
        Gen.Select(Gen.Int[0, sound.Length - 1], Gen.Byte, Gen.Int[0, 3]).Sample((place, value, how) =>
        {
            var path = _scratch[Guid.NewGuid().ToString("N")];
            byte[] damaged = how switch { 0 => sound[..place], 1 => [.. sound[..place], .. sound[(place + 1)..]], _ => [.. sound[..place], value, .. sound[(place + 1)..]] };
            File.WriteAllBytes(path, damaged);
            try
            {
                HuggingFaceConfig.Read(path);
            }
            catch (CheckpointException e)
            {
                Assert.Equal(path, e.File);
            }
            File.Delete(path);
        }, iter: 3000, seed: "0000000000000");
    }

    [Fact]
    public void Deep_nesting_is_refused() =>
        Assert.Equal("ATT2020", Assert.Throws<CheckpointException>(() =>
            HuggingFaceConfig.Read(_scratch.Write("c", string.Concat(Enumerable.Repeat("{\"a\":", 100_000))))).Code);

    [Theory]
    [InlineData(1e-5, "1e-05")]
    [InlineData(1e-4, "0.0001")]
    [InlineData(10000, "10000.0")]
    [InlineData(0, "0.0")]
    [InlineData(1e15, "1000000000000000.0")]
    [InlineData(1.5e16, "1.5e+16")]
    [InlineData(1.5625e-07, "1.5625e-07")]
    [InlineData(-0.02, "-0.02")]
    [InlineData(9999999999999998, "9999999999999998.0")]
    [InlineData(1e16, "1e+16")]
    [InlineData(123.456, "123.456")]
    [InlineData(0.00012, "0.00012")]
    [InlineData(1.2e-5, "1.2e-05")]
    [InlineData(1e-100, "1e-100")]
    public void Floats_are_written_as_Python_writes_them(double value, string text) => Assert.Equal(text, HuggingFaceJson.PythonFloat(value));

    [Fact]
    public void Generation_config_goes_there_and_back_and_refuses_beams()
    {
        var config = new GenerationConfig { EosTokenIds = [2, 7], DoSample = true, Temperature = 0.6, TopK = 20, TopP = 0.95, MaxNewTokens = 100 };
        GenerationConfig.Write(_scratch["g"], config);
        var read = GenerationConfig.Read(_scratch["g"]);
        Assert.Equal(config with { EosTokenIds = read.EosTokenIds }, read);
        Assert.Equal("num_beams", Assert.Throws<UnsupportedCheckpointException>(() => GenerationConfig.Read(_scratch.Write("g", """{"num_beams":4}"""))).Field);
        Assert.Equal("new_sampler", Assert.Throws<UnsupportedCheckpointException>(() => GenerationConfig.Read(_scratch.Write("g", """{"new_sampler":1}"""))).Field);
    }
}
