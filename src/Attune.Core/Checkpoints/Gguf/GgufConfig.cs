namespace Attune.Core.Checkpoints.Gguf;

/// <summary>
/// A decoder's shape as GGUF's keys have it, both ways. Source: ggml's docs/gguf.md, llama.cpp's conversion/base.py and
/// llama-arch.cpp.
/// </summary>
internal static class GgufConfig
{
    /// <summary>The keys of a config, after <c>general.*</c>.</summary>
    public static IEnumerable<KeyValuePair<string, GgufValue>> Write(DecoderConfig config, GgufArchitecture architecture)
    {
        var keys = new List<KeyValuePair<string, GgufValue>>();
        Add("block_count", GgufValue.Of(config.Layers));
        // llama.cpp's graphs of these know no window. Within it they compute the same, so no more is declared.
        Add("context_length", GgufValue.Of(architecture.FullEvery == 0 && config.SlidingWindow is { } window ? Math.Min(window, config.ContextLength) : config.ContextLength));
        Add("embedding_length", GgufValue.Of(config.HiddenSize));
        Add("feed_forward_length", GgufValue.Of(config.IntermediateSize));
        Add("attention.head_count", GgufValue.Of(config.Heads));
        Add("attention.head_count_kv", GgufValue.Of(config.KeyValueHeads));
        Add(config.Norm is NormKind.Layer or NormKind.LayerWithoutBias ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon", GgufValue.Of(config.NormEpsilon));
        Add("vocab_size", GgufValue.Of(config.VocabularySize));
        if (config.LearnedPositions)
            return keys;
        Add("attention.key_length", GgufValue.Of(config.HeadSize));
        Add("attention.value_length", GgufValue.Of(config.HeadSize));
        Add("rope.dimension_count", GgufValue.Of(config.RotatedSize));
        Add("rope.freq_base", GgufValue.Of(config.RopeTheta));
        if (config.LocalRopeTheta is { } local)
            Add("rope.freq_base_swa", GgufValue.Of(local));
        if (config.RopeScaling is { } scaling)
        {
            foreach (var (key, value) in GgufRope.Write(scaling, config))
                Add(key, value);
        }
        foreach (var (key, value) in architecture.Write(config))
            Add(key, value);
        return keys;

        void Add(string key, GgufValue value) => keys.Add(new($"{architecture.Name}.{key}", value));
    }

    /// <summary>The config that a file describes; ids of special tokens included.</summary>
    /// <exception cref="CheckpointException">ATT2022: an architecture that Attune does not have; ATT3304: a key is missing or impossible; ATT2013: no embedding.</exception>
    public static DecoderConfig Read(GgufFile file)
    {
        var metadata = file.Metadata;
        var architecture = GgufArchitecture.Named(metadata.RequiredText("general.architecture"), file.Path);
        var (hidden, heads) = (Size("embedding_length"), Size("attention.head_count"));
        var keyValueHeads = metadata.Int(Key("attention.head_count_kv")) ?? heads;
        if (keyValueHeads == 0 || heads % keyValueHeads != 0)
            throw metadata.Impossible(Key("attention.head_count_kv"), FormattableString.Invariant($"{keyValueHeads} key and value heads do not divide {heads} query heads."));
        var headSize = metadata.Int(Key("attention.key_length")) ?? hidden / heads;
        if (headSize < 1 || (metadata.Int(Key("attention.value_length")) ?? headSize) != headSize)
            throw metadata.Impossible(Key("attention.value_length"), "Keys and values of different widths, or of none.");
        if (architecture.PairedRotation && headSize % 2 != 0)
            throw metadata.Impossible(Key("attention.key_length"), FormattableString.Invariant($"Heads of {headSize} cannot be rotated in pairs."));
        RefuseExperts();
        // Every layer has tensors: a file cannot claim more layers than it lists.
        if (Size("block_count") > file.Tensors.Count)
            throw metadata.Impossible(Key("block_count"), FormattableString.Invariant($"{Size("block_count")} layers in a file of {file.Tensors.Count} tensors."));
        var embedding = file["token_embd.weight"];
        if (embedding.Shape.Count != 2 || embedding.Shape[0] > int.MaxValue)
            throw GgufException.Metadata(file.Path, "token_embd.weight", $"An embedding of {embedding.ShapeText}.");
        var config = new DecoderConfig
        {
            Architecture = architecture.HuggingFace,
            VocabularySize = (int)embedding.Shape[0],
            HiddenSize = hidden,
            IntermediateSize = Size("feed_forward_length"),
            Layers = Size("block_count"),
            Heads = heads,
            KeyValueHeads = keyValueHeads,
            HeadSize = headSize,
            ContextLength = Size("context_length"),
            RopeTheta = metadata.Number(Key("rope.freq_base")) ?? 10_000,
            RopeScaling = GgufRope.Read(file, architecture, headSize),
            RotaryShare = architecture.Features.HasFlag(DecoderFeatures.PartialRope) ? (metadata.Int(Key("rope.dimension_count")) ?? headSize) / (double)headSize : 1,
            NormEpsilon = metadata.Number(Key("attention.layer_norm_rms_epsilon")) ?? metadata.Number(Key("attention.layer_norm_epsilon")) ?? throw metadata.Missing(Key("attention.layer_norm_rms_epsilon")),
            Activation = architecture.Activation,
            TiedEmbeddings = file.Find("output.weight") is null,
            AttentionBias = file.Find("blk.0.attn_q.bias") is not null || file.Find("blk.0.attn_qkv.bias") is not null,
            OutputBias = file.Find("blk.0.attn_output.bias") is not null,
            FeedForwardBias = file.Find("blk.0.ffn_down.bias") is not null,
            BosTokenId = metadata.Int("tokenizer.ggml.bos_token_id"),
            EosTokenIds = Ends(metadata),
            PadTokenId = metadata.Int("tokenizer.ggml.padding_token_id"),
            Dtype = GgufWeights.DtypeOf(file),
        };
        return architecture.Read(config, file);

        int Size(string key) => metadata.Size(Key(key));
        string Key(string key) => $"{architecture.Name}.{key}";

        void RefuseExperts()
        {
            if (metadata.Int(Key("expert_count")) is > 0)
                throw new UnsupportedCheckpointException($"Not supported: a mixture of experts of the architecture {architecture.Name}.") { File = file.Path, Field = Key("expert_count") };
        }
    }

    private static IReadOnlyList<int> Ends(GgufMetadata metadata) =>
        [.. ((string[])["eos", "eot"]).Select(name => metadata.Int($"tokenizer.ggml.{name}_token_id")).OfType<int>().Distinct()];
}
