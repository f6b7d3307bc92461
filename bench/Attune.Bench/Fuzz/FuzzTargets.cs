using System.Text;
using System.Text.Json.Nodes;
using Attune.Core.Checkpoints;
using Attune.Core.Checkpoints.Gguf;
using Attune.Core.Tokens;
using Attune.Core.Versions;

namespace Attune.Fuzz;

/// <summary>The files that a model of somebody else's brings, with seeds that are made here.</summary>
internal static class FuzzTargets
{
    private const string Corpus = "the quick brown fox jumps over the lazy dog 0123456789\nnaïve café 日本語 the fox the dog the quick quick brown\n";

    /// <summary>All of them; <paramref name="scratch"/> is a folder that seeds are written through.</summary>
    public static IReadOnlyList<FuzzTarget> All(string scratch) =>
    [
        new("safetensors", [Safetensors(scratch)], OpenSafetensors),
        Shards(scratch),
        new("gguf", [.. ((string[])["llama", "gemma3", "gpt2", "granite", "cohere2", "gptneox"]).Select(a => Gguf(scratch, a))], OpenGguf),
        new("tokenizer.json", [ByteLevel(), SentencePiece(), Unigram()], (bytes, _) => OpenTokenizer(bytes)),
        new("config.json", [.. Configs.Select(c => Encoding.UTF8.GetBytes(c))], OpenConfig),
    ];

    private static void OpenSafetensors(byte[] bytes, string path)
    {
        SafetensorsHeader.Read(bytes, bytes.Length, "fuzz.safetensors");
        // Only a head that is sound is worth a file.
        File.WriteAllBytes(path, bytes);
        using var file = SafetensorsFile.Open(path);
        foreach (var tensor in file.Tensors)
            file.ReadFloats(tensor.Name, new float[tensor.Count]);
    }

    // The list of shards is broken, the shards are sound.
    private static FuzzTarget Shards(string scratch)
    {
        var folder = Directory.CreateDirectory(Path.Combine(scratch, "shards")).FullName;
        WeightFiles.Write(folder, [TensorSource.Of("a.weight", [2, 3], new float[6]), TensorSource.Of("b.weight", [4], new float[4]), TensorSource.Of("c.weight", [3, 2], new float[6])], shardBytes: 24);
        var shards = ModelFiles.OfFolder(folder).Paths.Where(f => f.Key != WeightFiles.Index).ToArray();
        return new(WeightFiles.Index, [File.ReadAllBytes(Path.Combine(folder, WeightFiles.Index))], (bytes, path) =>
        {
            File.WriteAllBytes(path, bytes);
            using var weights = WeightFiles.Open(new ModelFiles(shards.Append(new(WeightFiles.Index, path)).ToDictionary(StringComparer.Ordinal), "fuzz"));
            foreach (var tensor in weights.Tensors)
                weights.ReadFloats(tensor.Name, new float[tensor.Count]);
        });
    }

    private static void OpenGguf(byte[] bytes, string path)
    {
        GgufHeader.Read(bytes, bytes.Length, "fuzz.gguf");
        // Only a head that is sound is worth a file.
        File.WriteAllBytes(path, bytes);
        using var file = GgufFile.Open(path);
        var config = GgufConfig.Read(file);
        foreach (var source in GgufWeights.FromGguf(config, file))
            source.WriteTo(Stream.Null);
        OpenTokenizer(GgufTokenizerKeys.Read(file.Metadata).ToTokenizer(path));
    }

    private static void OpenTokenizer(byte[] bytes) => OpenTokenizer(Tokenizer.Parse(bytes, "tokenizer.json"));

    private static void OpenTokenizer(Tokenizer tokenizer)
    {
        foreach (var text in (string[])["the quick fox", "naïve  日本語 🙂\n42", "<s>\uFFFD"])
        {
            var ids = tokenizer.Encode(text, addSpecialTokens: true);
            tokenizer.Decode(ids, skipSpecialTokens: true);
        }
    }

    private static void OpenConfig(byte[] bytes, string path)
    {
        File.WriteAllBytes(path, bytes);
        var config = HuggingFaceConfig.Read(path, DecoderFeatures.All);
        // What is asked of a config before any tensor is there.
        foreach (var _ in TensorNames.All(config).Take(100))
        {
        }
    }

    private static byte[] Safetensors(string scratch)
    {
        var path = Path.Combine(scratch, "seed.safetensors");
        SafetensorsWriter.Write(path,
        [
            TensorSource.Of("a", [2, 3], new float[6]), TensorSource.OfBFloat16("model.layers.0.mlp.up_proj.weight", [4, 2], new float[8]), TensorSource.Of("scalar", [], new float[1]),
        ]);
        return File.ReadAllBytes(path);
    }

    private static byte[] Gguf(string scratch, string architecture)
    {
        var config = new DecoderConfig
        {
            Architecture = GgufArchitecture.Named(architecture, "seed").HuggingFace,
            VocabularySize = 64, HiddenSize = 8, IntermediateSize = 16, Layers = 1, Heads = 2, KeyValueHeads = architecture is "gpt2" or "gptneox" ? 2 : 1, HeadSize = 4, ContextLength = 16, TiedEmbeddings = true,
            RopeScaling = architecture == "llama" ? new("yarn") { Factor = 2, OriginalContext = 8 } : null,
        };
        config = architecture switch
        {
            "gemma3" => config with
            {
                Activation = Activation.GeluTanh, Norm = NormKind.RmsPlusOne, NormPlacement = NormPlacement.BeforeAndAfter, QueryKeyNorm = QueryKeyNorm.PerHead, LocalRopeTheta = 10_000,
                AttentionScale = 0.5, EmbeddingScale = Math.Sqrt(8), SlidingWindow = 8, LayerAttentions = [LayerAttention.Sliding],
            },
            "gpt2" => config with
            {
                Activation = Activation.GeluTanh, Norm = NormKind.Layer, GatedFeedForward = false, LearnedPositions = true, AttentionBias = true, OutputBias = true, FeedForwardBias = true,
            },
            "gptneox" => config with
            {
                Activation = Activation.Gelu, Norm = NormKind.Layer, GatedFeedForward = false, ParallelResidual = true, AttentionBias = true, OutputBias = true, FeedForwardBias = true,
            },
            "granite" => config with { AttentionScale = 0.5, EmbeddingScale = 2, ResidualScale = 0.5, LogitScale = 0.25 },
            "cohere2" => config with
            {
                Norm = NormKind.LayerWithoutBias, NormPlacement = NormPlacement.Shared, ParallelResidual = true, RotatesNeighbours = true, LogitScale = 0.25,
                SlidingWindow = 8, LayerAttentions = [LayerAttention.Sliding],
            },
            _ => config,
        };
        var known = GgufArchitecture.Of(config);
        List<KeyValuePair<string, GgufValue>> metadata =
        [
            new("general.architecture", GgufValue.Of(known.Name)), .. GgufConfig.Write(config, known),
            .. GgufTokenizerKeys.Write(new() { Model = "llama", Tokens = ["<unk>", "<s>", "</s>", "▁", "t", "h", "e", "th", "the"], Types = [2, 3, 3, 1, 1, 1, 1, 1, 1], Scores = [0, 0, 0, -3, -4, -5, -6, -2, -1], Unknown = 0 }),
            new("tokenizer.ggml.bos_token_id", GgufValue.Of(1)), new("tokenizer.chat_template", GgufValue.Of("{{ messages }}")),
        ];
        var path = Path.Combine(scratch, architecture + ".gguf");
        GgufWriter.Write(path, metadata, [.. GgufNames.Of(config, known).Select((p, i) => new GgufSource(p.Gguf, i == 0 ? GgufType.F16 : GgufType.F32, p.GgufShape,
            stream => stream.Write(new byte[p.Shape.Aggregate(1L, (a, b) => a * b) * (i == 0 ? 2 : 4)])))]);
        return File.ReadAllBytes(path);
    }

    private static byte[] ByteLevel() =>
        BpeTrainer.Train(Enumerable.Repeat(Corpus, 3), new() { VocabularySize = 320, SpecialTokens = ["<|endoftext|>"], Threads = 1 }).ToJson().ToArray();

    private static byte[] SentencePiece() => new GgufVocabulary
    {
        Model = "llama",
        Tokens = ["<unk>", "<s>", "</s>", "<0x41>", "▁", "t", "h", "e", "th", "▁the"],
        Types = [2, 3, 3, 6, 1, 1, 1, 1, 1, 1],
        Scores = [0, 0, 0, 0, -9, -9, -9, -9, -2, -1],
        Unknown = 0,
    }.ToTokenizer().ToJson().ToArray();

    private static byte[] Unigram() => Encoding.UTF8.GetBytes(new JsonObject
    {
        ["version"] = "1.0",
        ["added_tokens"] = new JsonArray(new JsonObject { ["id"] = 0, ["content"] = "<unk>", ["special"] = true }),
        ["normalizer"] = new JsonObject { ["type"] = "Sequence", ["normalizers"] = new JsonArray(new JsonObject { ["type"] = "NFKC" }, new JsonObject { ["type"] = "Replace", ["pattern"] = new JsonObject { ["Regex"] = " {2,}" }, ["content"] = " " }) },
        ["pre_tokenizer"] = new JsonObject { ["type"] = "Metaspace", ["replacement"] = "▁", ["prepend_scheme"] = "always", ["split"] = true },
        ["post_processor"] = null,
        ["decoder"] = new JsonObject { ["type"] = "Metaspace", ["replacement"] = "▁", ["prepend_scheme"] = "always", ["split"] = true },
        ["model"] = new JsonObject
        {
            ["type"] = "Unigram",
            ["unk_id"] = 0,
            ["vocab"] = new JsonArray([.. Pieces.Select(p => (JsonNode)new JsonArray(p.Text, p.Score))]),
        },
    }.ToJsonString());

    private static readonly (string Text, double Score)[] Pieces = [("<unk>", 0), ("▁the", -2), ("▁", -3), ("q", -5), ("u", -5), ("fox", -4), ("日", -6)];

    // As transformers 5 and 4 write them, one of each form.
    private static readonly string[] Configs =
    [
        """{"architectures":["LlamaForCausalLM"],"model_type":"llama","vocab_size":256,"hidden_size":64,"intermediate_size":112,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":16,"max_position_embeddings":256,"rms_norm_eps":1e-06,"tie_word_embeddings":false,"hidden_act":"silu","bos_token_id":1,"eos_token_id":[2,3],"rope_parameters":{"factor":8.0,"high_freq_factor":4.0,"low_freq_factor":1.0,"original_max_position_embeddings":64,"rope_theta":500000.0,"rope_type":"llama3"},"dtype":"bfloat16"}""",
        """{"architectures":["Gemma3ForCausalLM"],"model_type":"gemma3_text","vocab_size":256,"hidden_size":64,"intermediate_size":112,"num_hidden_layers":6,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":16,"max_position_embeddings":256,"sliding_window":16,"layer_types":["sliding_attention","sliding_attention","sliding_attention","sliding_attention","sliding_attention","full_attention"],"rope_parameters":{"full_attention":{"rope_theta":1000000.0,"rope_type":"default"},"sliding_attention":{"rope_theta":10000.0,"rope_type":"default"}},"query_pre_attn_scalar":16}""",
        """{"architectures":["Phi3ForCausalLM"],"model_type":"phi3","vocab_size":256,"hidden_size":64,"intermediate_size":112,"num_hidden_layers":2,"num_attention_heads":4,"rope_theta":10000.0,"rope_scaling":{"type":"longrope","short_factor":[1,1,1,1,1,1,1,1],"long_factor":[2,2,2,2,2,2,2,2]},"original_max_position_embeddings":64,"max_position_embeddings":256,"torch_dtype":"float16"}""",
        """{"architectures":["GPT2LMHeadModel"],"model_type":"gpt2","n_embd":64,"n_head":4,"n_inner":null,"n_layer":2,"n_positions":256,"vocab_size":256,"activation_function":"gelu_new"}""",
        """{"architectures":["Qwen2ForCausalLM"],"model_type":"qwen2","vocab_size":256,"hidden_size":64,"intermediate_size":112,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"use_sliding_window":true,"sliding_window":16,"max_window_layers":1,"rope_theta":1000000.0}""",
    ];
}
