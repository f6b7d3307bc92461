namespace Attune.Core.Checkpoints.Families;

/// <summary>GPT-NeoX and Pythia: LayerNorm, side-by-side residuals, a part of each head rotated, heads fused one by one. Source: transformers' GPTNeoXConfig and modeling_gpt_neox.</summary>
internal static class GptNeoXFamily
{
    private static readonly FamilyDefaults Defaults = new("GPTNeoXForCausalLM", "gpt_neox")
    {
        Epsilon = 1e-5, RotaryShare = 0.25, EpsilonKey = "layer_norm_eps", Activation = Activation.Gelu, Bos = 0, Eos = 2,
    };

    internal static Family GptNeoX { get; } = new(Defaults)
    {
        Names = new()
        {
            Body = "gpt_neox", Embedding = "embed_in", FinalNorm = "final_layer_norm", Attention = "attention", QueryKeyValue = "query_key_value", FusedByHead = true,
            Output = "dense", Up = "dense_h_to_4h", Down = "dense_4h_to_h", Head = "embed_out",
        },
        Read = Read,
        Write = Write,
        Rest = """{"attention_dropout": 0.0, "classifier_dropout": 0.1, "hidden_dropout": 0.0, "is_decoder": false, "use_cache": true}""",
    };

    private static DecoderConfig Read(ConfigReader reader)
    {
        var (bias, parallel) = (reader.Flag("attention_bias", whenAbsent: true), reader.Flag("use_parallel_residual", whenAbsent: true));
        return CommonConfig.Read(reader, Defaults) with
        {
            AttentionBias = bias,
            OutputBias = bias,
            FeedForwardBias = true,
            GatedFeedForward = false,
            Norm = NormKind.Layer,
            ParallelResidual = parallel,
        };
    }

    private static System.Text.Json.Nodes.JsonObject Write(DecoderConfig config)
    {
        var json = CommonConfig.Write(config, Defaults, ("attention_bias", config.AttentionBias), ("use_parallel_residual", config.ParallelResidual));
        json.Remove("num_key_value_heads");
        return json;
    }
}
