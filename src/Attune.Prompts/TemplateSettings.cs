namespace Attune.Prompts;

/// <summary>What a template may use up before it is stopped with a typed error.</summary>
public sealed record TemplateLimits
{
    /// <summary>The limits that hold where none are given.</summary>
    public static TemplateLimits Default { get; } = new();

    /// <summary>Statements, iterations, calls and comparisons.</summary>
    public long MaxSteps { get; init; } = 20_000_000;

    /// <summary>UTF-16 code units of the render, and of any one value.</summary>
    public int MaxOutput { get; init; } = 32_000_000;

    /// <summary>Characters and list elements made in all, intermediate values included.</summary>
    public long MaxAllocation { get; init; } = 256_000_000;

    /// <summary>Macros and recursive loops inside each other.</summary>
    public int MaxDepth { get; init; } = 100;
}

/// <summary>What goes into a render besides the conversation.</summary>
public sealed record TemplateSettings
{
    /// <summary>Special tokens by the names that templates know them by: bos_token, eos_token…</summary>
    public IReadOnlyDictionary<string, string> SpecialTokens { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>End with the opening of an assistant's turn; null leaves the variable undefined.</summary>
    public bool? AddGenerationPrompt { get; init; }

    /// <summary>What strftime_now tells; null is the clock of this machine.</summary>
    public DateTime? Now { get; init; }

    /// <summary>The sandbox's limits.</summary>
    public TemplateLimits Limits { get; init; } = TemplateLimits.Default;
}
