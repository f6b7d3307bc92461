using Attune.Prompts;

namespace Attune.Inference;

/// <summary>How a version is opened for use.</summary>
public sealed record LocalModelOptions
{
    /// <summary>Threads and step size of the engine.</summary>
    public EngineOptions Engine { get; init; } = new();

    /// <summary>Most sequences that run together; more wait their turn.</summary>
    public int MaxSequences { get; init; } = 32;

    /// <summary>Makes a contract to speak by instead of the version's own, for its tokenizer; null for its own.</summary>
    public Func<ITokenEncoder, PromptContract>? Contract { get; init; }

    /// <summary>A contract that is not the version's own is meant (to measure what it does, for one); else it is refused with ATT1107.</summary>
    public bool AllowContractMismatch { get; init; }
}
