namespace Attune.Core.Checkpoints.Gguf.Architectures;

/// <summary>Every architecture of Attune's that llama.cpp has too. A name that stands for several comes back as the first of them.</summary>
internal static class GgufArchitectures
{
    internal static IReadOnlyList<GgufArchitecture> All { get; } =
    [
        GgufLlama.Llama, GgufLlama.Mistral, GgufQwen.Qwen2, GgufQwen.Qwen3, GgufGemma.Gemma2, GgufGemma.Gemma3, GgufPhi.Phi3,
        GgufOlmo.Olmo2, GgufOlmo.Olmo3, GgufGpt.Gpt2, GgufGpt.GptNeoX, GgufSmolLm.SmolLm3, GgufGranite.Granite, GgufErnie.Ernie45,
        GgufSeed.SeedOss, GgufGlm.Glm4, GgufStarcoder.Starcoder2, GgufStableLm.StableLm, GgufCohere.Cohere2,
    ];
}
