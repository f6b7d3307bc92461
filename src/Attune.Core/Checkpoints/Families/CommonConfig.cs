using System.Text.Json.Nodes;

namespace Attune.Core.Checkpoints.Families;

/// <summary>The defaults of a family's config class in transformers, for keys that a file may leave out. Sizes must be stated.</summary>
internal sealed record FamilyDefaults(string Architecture, string ModelType)
{
    internal int Context { get; init; } = 2048;

    internal double Epsilon { get; init; } = 1e-6;

    internal bool Tied { get; init; }

    internal int? HeadSize { get; init; }

    internal int? KeyValueHeads { get; init; }

    internal double Theta { get; init; } = 10_000;

    /// <summary>Whether sliding layers have rotary frequencies of their own, not stretched.</summary>
    internal bool LocalRope { get; init; }

    /// <summary>Their base where the file says nothing; null: that of the others.</summary>
    internal double? LocalTheta { get; init; }

    /// <summary>The rotated share where the file says nothing; null: families that always rotate whole heads.</summary>
    internal double? RotaryShare { get; init; }

    internal string EpsilonKey { get; init; } = "rms_norm_eps";

    internal string ActivationKey { get; init; } = "hidden_act";

    internal Activation Activation { get; init; }

    internal int? Bos { get; init; }

    internal int? Eos { get; init; }

    internal int? Pad { get; init; }
}

/// <summary>What the families that follow Llama have in common.</summary>
internal static class CommonConfig
{
    internal static DecoderConfig Read(ConfigReader reader, FamilyDefaults defaults)
    {
        var (architecture, modelType) = defaults;
        reader.Only("model_type", $"{architecture} has the model type {modelType}", modelType);
        RefuseOtherKinds(reader);
        var (hidden, heads) = (reader.Int("hidden_size"), reader.Int("num_attention_heads"));
        var keyValueHeads = reader.Int("num_key_value_heads", defaults.KeyValueHeads ?? heads);
        if (heads % keyValueHeads != 0)
            throw reader.Impossible("num_key_value_heads", FormattableString.Invariant($"{keyValueHeads} key and value heads do not divide {heads} query heads."));
        if (!reader.Has("head_dim") && defaults.HeadSize is null && hidden % heads != 0)
            throw reader.Impossible("hidden_size", FormattableString.Invariant($"{heads} heads do not divide a width of {hidden}."));
        var headSize = reader.Int("head_dim", defaults.HeadSize ?? hidden / heads);
        var rope = RopeConfig.Read(reader, defaults);
        if (rope.Share != 1 && defaults.RotaryShare is null)
            throw reader.Unsupported("partial_rotary_factor", $"a partly rotated {architecture}");
        if ((int)(headSize * rope.Share) is var rotated && (rotated % 2 != 0 || rotated == 0))
            throw reader.Impossible("head_dim", FormattableString.Invariant($"Rotary positions turn pairs; {rotated} of a head are rotated."));
        return new()
        {
            Architecture = architecture,
            VocabularySize = reader.Int("vocab_size"),
            HiddenSize = hidden,
            IntermediateSize = reader.Int("intermediate_size"),
            Layers = ReadLayers(reader, "num_hidden_layers"),
            Heads = heads,
            KeyValueHeads = keyValueHeads,
            HeadSize = headSize,
            ContextLength = reader.Int("max_position_embeddings", defaults.Context),
            RopeTheta = rope.Theta,
            RopeScaling = rope.Scaling,
            RotaryShare = rope.Share,
            LocalRopeTheta = rope.LocalTheta,
            NormEpsilon = reader.Positive(defaults.EpsilonKey, defaults.Epsilon),
            Activation = ReadActivation(reader, defaults.ActivationKey, defaults.Activation),
            TiedEmbeddings = reader.Flag("tie_word_embeddings", defaults.Tied),
            InitializerRange = reader.Positive("initializer_range", 0.02),
            BosTokenId = reader.TokenId("bos_token_id", defaults.Bos),
            EosTokenIds = reader.TokenIds("eos_token_id", defaults.Eos),
            PadTokenId = reader.TokenId("pad_token_id", defaults.Pad),
            Dtype = ReadDtype(reader),
        };
    }

    /// <summary>The keys of <see cref="Read"/>, all but head_dim, as transformers 5 writes them, and <paramref name="more"/>.</summary>
    internal static JsonObject Write(DecoderConfig config, FamilyDefaults defaults, params ReadOnlySpan<(string Key, JsonNode? Value)> more)
    {
        var json = Common(config, defaults);
        foreach (var (key, value) in more)
            json[key] = value;
        return json;
    }

    private static JsonObject Common(DecoderConfig config, FamilyDefaults defaults) => new()
    {
        ["bos_token_id"] = config.BosTokenId,
        ["eos_token_id"] = HuggingFaceConfig.TokenIds(config.EosTokenIds),
        ["pad_token_id"] = config.PadTokenId,
        ["dtype"] = config.Dtype,
        [defaults.ActivationKey] = ActivationName(config.Activation),
        ["hidden_size"] = config.HiddenSize,
        ["initializer_range"] = config.InitializerRange,
        ["intermediate_size"] = config.IntermediateSize,
        ["max_position_embeddings"] = config.ContextLength,
        ["model_type"] = defaults.ModelType,
        ["num_attention_heads"] = config.Heads,
        ["num_hidden_layers"] = config.Layers,
        ["num_key_value_heads"] = config.KeyValueHeads,
        [defaults.EpsilonKey] = config.NormEpsilon,
        ["rope_parameters"] = RopeConfig.ToJson(config, defaults),
        ["tie_word_embeddings"] = config.TiedEmbeddings,
        ["vocab_size"] = config.VocabularySize,
    };

    internal static void RefuseOtherKinds(ConfigReader reader)
    {
        reader.Only("is_encoder_decoder", "an encoder", false);
        reader.Only("add_cross_attention", "cross-attention", false);
        reader.Only("is_decoder", "it is always a decoder", true, false);
        reader.Only("use_bidirectional_attention", "attention to what comes later", false);
    }

    /// <summary>The number of layers. Lists are made of that length before a tensor is looked at, so a file must not claim any number it likes.</summary>
    internal static int ReadLayers(ConfigReader reader, string key)
    {
        const int most = 10_000;
        var layers = reader.Int(key);
        return layers <= most ? layers : throw reader.Impossible(key, FormattableString.Invariant($"{layers} layers; {most} is the most."));
    }

    internal static string ReadDtype(ConfigReader reader)
    {
        var (now, before) = (reader.Text("dtype"), reader.Text("torch_dtype"));
        return now ?? before ?? "float32";
    }

    internal static Activation ReadActivation(ConfigReader reader, string key, Activation whenAbsent) => reader.Text(key) switch
    {
        null => whenAbsent,
        "silu" or "swish" => Activation.Silu,
        "gelu_pytorch_tanh" or "gelu_new" => Activation.GeluTanh,
        "gelu" => Activation.Gelu,
        var other => throw reader.Unsupported(key, $"the activation {other}"),
    };

    internal static string ActivationName(Activation activation) => activation switch
    {
        Activation.Silu => "silu",
        Activation.GeluTanh => "gelu_pytorch_tanh",
        _ => "gelu",
    };

    /// <summary>A window, and which layers have it: <c>layer_types</c> where the file has it, else the family's rule.</summary>
    internal static DecoderConfig WithWindow(DecoderConfig config, ConfigReader reader, int? window, Func<int, bool> slides)
    {
        var types = reader.Texts("layer_types")?.Select(type => type switch
        {
            "full_attention" => LayerAttention.Full,
            "sliding_attention" => LayerAttention.Sliding,
            _ => throw reader.Unsupported("layer_types", $"the layer type {type}"),
        }).ToArray();
        if (types is not null && types.Length != config.Layers)
            throw reader.Impossible("layer_types", FormattableString.Invariant($"{types.Length} layer types for {config.Layers} layers."));
        types ??= [.. Enumerable.Range(0, config.Layers).Select(i => window is not null && slides(i) ? LayerAttention.Sliding : LayerAttention.Full)];
        if (types.All(type => type == LayerAttention.Full))
            return config;
        return window is null
            ? throw reader.Impossible("layer_types", "Sliding layers need a sliding_window.")
            : config with { SlidingWindow = window, LayerAttentions = types };
    }

    /// <summary><c>layer_types</c> as it is written: every layer named.</summary>
    internal static JsonArray LayerTypes(DecoderConfig config) =>
        new([.. Enumerable.Range(0, config.Layers).Select(i => (JsonNode)(config.WindowOf(i) is null ? "full_attention" : "sliding_attention"))]);

    /// <summary>A number that is whole in the files where it is whole.</summary>
    internal static JsonNode Number(double value)
    {
        var whole = Math.Round(value);
        return Math.Abs(value - whole) < 1e-9 ? JsonValue.Create((long)whole) : JsonValue.Create(Math.Round(value, 9));
    }
}
