namespace Attune.Core.Checkpoints.Families;

/// <summary>Every architecture that Attune has.</summary>
internal static class FamilyList
{
    private static readonly Family[] All =
    [
        LlamaFamily.Llama, MistralFamily.Mistral, QwenFamily.Qwen2, QwenFamily.Qwen3, GemmaFamily.Gemma2, GemmaFamily.Gemma3,
        PhiFamily.Phi3, OlmoFamily.Olmo2, OlmoFamily.Olmo3, Gpt2Family.Gpt2,
        SmolLmFamily.SmolLm3, GraniteFamily.Granite, ErnieFamily.Ernie45, SeedFamily.SeedOss, StarcoderFamily.Starcoder2,
        GlmFamily.Glm4, StableLmFamily.StableLm, GptNeoXFamily.GptNeoX, CohereFamily.Cohere2,
    ];

    private static readonly Dictionary<string, Family> ByName = All
        .SelectMany(f => (IEnumerable<(string Name, Family Family)>)[(f.Architecture, f), (f.Classifier, f)])
        .ToDictionary(p => p.Name, p => p.Family, StringComparer.Ordinal);

    /// <summary>The names that config.json may have.</summary>
    internal static IReadOnlyList<string> Architectures { get; } = [.. All.Select(f => f.Architecture)];

    /// <summary>The family of an architecture, or null.</summary>
    internal static Family? Find(string architecture) => ByName.GetValueOrDefault(architecture);

    /// <summary>The family whose <c>model_type</c> that is, for a config that does not name its class.</summary>
    internal static Family? OfModelType(string? modelType) => Array.Find(All, f => f.ModelType == modelType);

    /// <summary>The family of an architecture.</summary>
    /// <exception cref="UnsupportedCheckpointException">ATT2022: there is none of that name.</exception>
    internal static Family Of(string architecture) => Find(architecture) ?? throw new UnsupportedCheckpointException($"Not supported: the architecture {architecture}.")
    {
        Field = "architectures",
        Hint = $"Attune has {string.Join(", ", Architectures)}.",
    };
}
