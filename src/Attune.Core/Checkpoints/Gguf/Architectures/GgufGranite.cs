namespace Attune.Core.Checkpoints.Gguf.Architectures;

/// <summary>Granite: Llama with four multipliers, each a key; that of the logits divides.</summary>
internal static class GgufGranite
{
    internal static GgufArchitecture Granite { get; } = new("granite", "GraniteForCausalLM")
    {
        PairedRotation = true,
        TakesOutputBias = true,
        DividesFrequencies = true,
        Features = DecoderFeatures.AttentionBias | DecoderFeatures.FeedForwardBias | DecoderFeatures.RopeScaling | DecoderFeatures.LongRope
            | DecoderFeatures.AttentionScale | DecoderFeatures.EmbeddingScale | DecoderFeatures.Multipliers,
        Write = config =>
        [
            ("attention.scale", GgufValue.Of(config.AttentionScale!.Value)),
            ("embedding_scale", GgufValue.Of(config.EmbeddingScale ?? 1)),
            ("residual_scale", GgufValue.Of(config.ResidualScale ?? 1)),
            ("logit_scale", GgufValue.Of(1 / (config.LogitScale ?? 1))),
        ],
        Read = (config, file) => config with
        {
            AttentionScale = file.Metadata.Factor("granite.attention.scale") ?? 1 / Math.Sqrt(config.HeadSize),
            EmbeddingScale = Unless1(file.Metadata.Factor("granite.embedding_scale")),
            ResidualScale = Unless1(file.Metadata.Factor("granite.residual_scale")),
            LogitScale = Unless1(1 / file.Metadata.Factor("granite.logit_scale")),
        },
    };

    private static double? Unless1(double? value) => value == 1 ? null : value;
}
