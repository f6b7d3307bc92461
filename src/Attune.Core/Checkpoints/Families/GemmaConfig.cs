namespace Attune.Core.Checkpoints.Families;

/// <summary>
/// Gemma 2 and 3 (text): norms before and after with one plus the weight, scaled embeddings, sliding and full layers;
/// soft caps in 2, norms on queries and keys and a rotary base for sliding layers in 3.
/// Source: transformers' Gemma2Config, Gemma3TextConfig and their models.
/// </summary>
internal static class GemmaConfig
{
    internal const string Architecture2 = "Gemma2ForCausalLM";
    internal const string Architecture3 = "Gemma3ForCausalLM";

    internal static DecoderConfig Read2(ConfigReader reader)
    {
        var config = Shared(reader, Architecture2, new() { ModelType = "gemma2", Context = 8192, HeadSize = 256, KeyValueHeads = 4 }) with
        {
            AttentionSoftCap = reader.NumberOrNull("attn_logit_softcapping", whenAbsent: 50),
            LogitSoftCap = reader.NumberOrNull("final_logit_softcapping", whenAbsent: 30),
        };
        return CommonConfig.WithWindow(config, reader, reader.Int("sliding_window", 4096), i => i % 2 == 0);
    }

    internal static DecoderConfig Read3(ConfigReader reader)
    {
        var defaults = new FamilyDefaults { ModelType = "gemma3_text", Context = 131_072, HeadSize = 256, KeyValueHeads = 4, Theta = 1_000_000, LocalTheta = 10_000 };
        var config = Shared(reader, Architecture3, defaults) with
        {
            QueryKeyNorm = QueryKeyNorm.PerHead,
            AttentionSoftCap = reader.Number("attn_logit_softcapping"),
            LogitSoftCap = reader.Number("final_logit_softcapping"),
        };
        var (written, older) = (reader.Int("_sliding_window_pattern", 6), reader.Has("sliding_window_pattern"));
        var period = older ? reader.Int("sliding_window_pattern") : written;
        return CommonConfig.WithWindow(config, reader, reader.Int("sliding_window", 4096), i => (i + 1) % period != 0);
    }

    private static DecoderConfig Shared(ConfigReader reader, string architecture, FamilyDefaults defaults)
    {
        // Old files have hidden_act too, and transformers does not read it.
        _ = reader.Text("hidden_act");
        _ = reader.Text("cache_implementation");
        var bias = reader.Flag("attention_bias");
        var config = CommonConfig.Read(reader, architecture, defaults with { Tied = true, ActivationKey = "hidden_activation", Activation = Activation.GeluTanh, Bos = 2, Eos = 1, Pad = 0 });
        return config with
        {
            AttentionBias = bias,
            OutputBias = bias,
            Norm = NormKind.RmsPlusOne,
            NormPlacement = NormPlacement.BeforeAndAfter,
            AttentionScale = 1 / Math.Sqrt(reader.Positive("query_pre_attn_scalar", 256)),
            EmbeddingScale = Math.Sqrt(config.HiddenSize),
        };
    }
}
