namespace Attune.Core.Checkpoints.Gguf.Architectures;

/// <summary>Llama and Mistral. Mistral is a llama there, and comes back as one with no loss.</summary>
internal static class GgufLlama
{
    internal static GgufArchitecture Llama { get; } = new("llama", "LlamaForCausalLM")
    {
        PairedRotation = true,
        TakesOutputBias = true,
        DividesFrequencies = true,
        Features = DecoderFeatures.AttentionBias | DecoderFeatures.FeedForwardBias | DecoderFeatures.RopeScaling | DecoderFeatures.LongRope,
    };

    internal static GgufArchitecture Mistral { get; } = Llama with { HuggingFace = "MistralForCausalLM", Features = DecoderFeatures.SlidingWindow | DecoderFeatures.RopeScaling };
}
