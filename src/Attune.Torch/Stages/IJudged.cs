namespace Attune.Torch.Stages;

/// <summary>Options that may name a judge: a version, or a model behind an endpoint.</summary>
public interface IJudged
{
    /// <summary>A version or a folder.</summary>
    string? Judge { get; }

    /// <summary>An OpenAI-compatible endpoint.</summary>
    string? Endpoint { get; }

    /// <summary>The judge's name there.</summary>
    string? Model { get; }

    /// <summary>A file with its principles.</summary>
    string? Constitution { get; }
}
