namespace Attune.Inference;

/// <summary>How a version is opened for use.</summary>
public sealed record LocalModelOptions
{
    /// <summary>Threads and step size of the engine.</summary>
    public EngineOptions Engine { get; init; } = new();

    /// <summary>Most sequences that run together; more wait their turn.</summary>
    public int MaxSequences { get; init; } = 32;
}
