namespace Attune.Inference;

/// <summary>How an engine uses the machine. Nothing here changes a bit of what it computes.</summary>
public sealed record EngineOptions
{
    /// <summary>Threads that compute; 0 takes one for each core, eight at most.</summary>
    public int Threads { get; init; }

    /// <summary>Most tokens that go through the layers together: a longer prompt goes in pieces of this size.</summary>
    public int MaxRows { get; init; } = 192;

    internal int Workers => Threads > 0 ? Threads : Math.Clamp(Environment.ProcessorCount, 1, 8);
}
