namespace Attune.Core.Checkpoints.Families;

/// <summary>GPT-2: LayerNorm, learned positions, a plain feed-forward layer, biases. Source: transformers' GPT2Config and modeling_gpt2.</summary>
internal static class Gpt2Config
{
    internal const string Architecture = "GPT2LMHeadModel";

    internal static DecoderConfig Read(ConfigReader reader)
    {
        reader.Only("model_type", "GPT2LMHeadModel has the model type gpt2", "gpt2");
        CommonConfig.RefuseOtherKinds(reader);
        reader.Only("scale_attn_weights", "unscaled attention", true);
        reader.Only("scale_attn_by_inverse_layer_idx", "attention scaled by layer", false);
        // Only says in which precision scores are computed.
        _ = reader.Flag("reorder_and_upcast_attn");
        // The older name of n_positions, beside it in published files.
        _ = reader.IntOrNull("n_ctx", whenAbsent: null);
        var (hidden, heads) = (reader.Int("n_embd"), reader.Int("n_head"));
        if (hidden % heads != 0)
            throw reader.Impossible("n_embd", FormattableString.Invariant($"{heads} heads do not divide a width of {hidden}."));
        return new()
        {
            Architecture = Architecture,
            VocabularySize = reader.Int("vocab_size"),
            HiddenSize = hidden,
            IntermediateSize = reader.IntOrNull("n_inner", whenAbsent: null) ?? checked(4 * hidden),
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
}
