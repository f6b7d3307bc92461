namespace Attune.Prompts;

/// <summary>A conversation as a model reads it.</summary>
public sealed record RenderedPrompt
{
    /// <summary>The render.</summary>
    public required string Text { get; init; }

    /// <summary>Its token ids.</summary>
    public required int[] Ids { get; init; }

    /// <summary>By token: assistant text that a model must learn, the end of turn included.</summary>
    public required bool[] Trained { get; init; }

    /// <summary>By token: who brought the text that it begins in.</summary>
    public required TokenSource[] Sources { get; init; }

    /// <summary>By token: where it lies in <see cref="Text"/>, in UTF-16 code units.</summary>
    public required TextSpan[] Spans { get; init; }
}
