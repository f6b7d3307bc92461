namespace Attune.Core.Checkpoints.Gguf.Architectures;

/// <summary>ERNIE 4.5: its rows lie in pairs in Hugging Face's files already.</summary>
internal static class GgufErnie
{
    internal static GgufArchitecture Ernie45 { get; } = new("ernie4_5", "Ernie4_5ForCausalLM")
    {
        TakesOutputBias = true,
        Features = DecoderFeatures.AttentionBias | DecoderFeatures.RotatesNeighbours | DecoderFeatures.RopeScaling,
        Read = (config, _) => config with { RotatesNeighbours = true },
    };
}
