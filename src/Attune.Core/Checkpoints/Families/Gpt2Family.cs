using System.Text.Json.Nodes;

namespace Attune.Core.Checkpoints.Families;

/// <summary>GPT-2: LayerNorm, learned positions, a plain feed-forward layer, biases, transposed matrices. Source: transformers' GPT2Config and modeling_gpt2.</summary>
internal static class Gpt2Family
{
    internal static Family Gpt2 { get; } = new("GPT2LMHeadModel", "gpt2")
    {
        Classifier = "GPT2ForSequenceClassification",
        Names = new()
        {
            Body = "transformer", Embedding = "wte", Positions = "wpe", Layers = "h", FinalNorm = "ln_f", AttentionNorm = "ln_1", FeedForwardNorm = "ln_2",
            Attention = "attn", QueryKeyValue = "c_attn", Output = "c_proj", Up = "c_fc", Down = "c_proj", Transposed = true,
        },
        Read = Read,
        Write = Write,
        Rest = """
            {"add_cross_attention": false, "attn_pdrop": 0.1, "embd_pdrop": 0.1, "reorder_and_upcast_attn": false, "resid_pdrop": 0.1,
             "scale_attn_by_inverse_layer_idx": false, "scale_attn_weights": true, "summary_activation": null, "summary_first_dropout": 0.1,
             "summary_proj_to_labels": true, "summary_type": "cls_index", "summary_use_proj": true, "use_cache": true}
            """,
    };

    private static DecoderConfig Read(ConfigReader reader)
    {
        reader.Only("model_type", "GPT2LMHeadModel has the model type gpt2", "gpt2");
        CommonConfig.RefuseOtherKinds(reader);
        reader.Only("scale_attn_weights", "unscaled attention", true);
        reader.Only("scale_attn_by_inverse_layer_idx", "attention scaled by layer", false);
        // Only says in which precision scores are computed.
        _ = reader.Flag("reorder_and_upcast_attn");
        // The older name of n_positions, beside it in published files.
        _ = reader.IntOrNull("n_ctx", whenAbsent: null);
        var (hidden, heads) = (reader.Int("n_embd", most: int.MaxValue / 4), reader.Int("n_head"));
        if (hidden % heads != 0)
            throw reader.Impossible("n_embd", FormattableString.Invariant($"{heads} heads do not divide a width of {hidden}."));
        return new()
        {
            Architecture = "GPT2LMHeadModel",
            VocabularySize = reader.Int("vocab_size"),
            HiddenSize = hidden,
            IntermediateSize = reader.IntOrNull("n_inner", whenAbsent: null) ?? 4 * hidden,
            Layers = CommonConfig.ReadLayers(reader, "n_layer"),
            Heads = heads,
            KeyValueHeads = heads,
            HeadSize = hidden / heads,
            ContextLength = reader.Int("n_positions", 1024),
            NormEpsilon = reader.Positive("layer_norm_epsilon", 1e-5),
            Activation = CommonConfig.ReadActivation(reader, "activation_function", Activation.GeluTanh),
            TiedEmbeddings = reader.Flag("tie_word_embeddings", whenAbsent: true),
            InitializerRange = reader.Positive("initializer_range", 0.02),
            BosTokenId = reader.TokenId("bos_token_id", 50_256),
            EosTokenIds = reader.TokenIds("eos_token_id", 50_256),
            PadTokenId = reader.TokenId("pad_token_id", null),
            Dtype = CommonConfig.ReadDtype(reader),
            AttentionBias = true,
            OutputBias = true,
            FeedForwardBias = true,
            GatedFeedForward = false,
            Norm = NormKind.Layer,
            LearnedPositions = true,
        };
    }

    private static JsonObject Write(DecoderConfig config) => new()
    {
        ["activation_function"] = config.Activation == Activation.GeluTanh ? "gelu_new" : CommonConfig.ActivationName(config.Activation),
        ["bos_token_id"] = config.BosTokenId,
        ["eos_token_id"] = HuggingFaceConfig.TokenIds(config.EosTokenIds),
        ["pad_token_id"] = config.PadTokenId,
        ["dtype"] = config.Dtype,
        ["initializer_range"] = config.InitializerRange,
        ["layer_norm_epsilon"] = config.NormEpsilon,
        ["model_type"] = "gpt2",
        ["n_embd"] = config.HiddenSize,
        ["n_head"] = config.Heads,
        ["n_inner"] = config.IntermediateSize == 4 * config.HiddenSize ? null : config.IntermediateSize,
        ["n_layer"] = config.Layers,
        ["n_positions"] = config.ContextLength,
        ["tie_word_embeddings"] = config.TiedEmbeddings,
        ["vocab_size"] = config.VocabularySize,
    };
}
