namespace Attune.Core.Checkpoints.Families;

/// <summary>StableLM: LayerNorm, a quarter of each head rotated, side-by-side residuals where asked. Source: transformers' StableLmConfig and modeling_stablelm.</summary>
internal static class StableLmFamily
{
    private static readonly FamilyDefaults Defaults = new("StableLmForCausalLM", "stablelm")
    {
        Context = 4096, Epsilon = 1e-5, KeyValueHeads = 32, RotaryShare = 0.25, EpsilonKey = "layer_norm_eps", Bos = 0, Eos = 0,
    };

    internal static Family StableLm { get; } = new(Defaults)
    {
        Read = Read,
        Write = config => CommonConfig.Write(config, Defaults, ("use_parallel_residual", config.ParallelResidual), ("use_qkv_bias", config.AttentionBias)),
        Rest = """{"attention_dropout": 0.0, "hidden_dropout": 0.0, "qk_layernorm": false, "use_cache": true}""",
    };

    private static DecoderConfig Read(ConfigReader reader)
    {
        reader.Only("qk_layernorm", "a LayerNorm for each head's queries and keys", false);
        var parallel = reader.Flag("use_parallel_residual");
        return CommonConfig.Read(reader, Defaults) with
        {
            AttentionBias = reader.Flag("use_qkv_bias"),
            Norm = NormKind.Layer,
            ParallelResidual = parallel,
            NormPlacement = parallel ? NormPlacement.Shared : NormPlacement.Before,
        };
    }
}
