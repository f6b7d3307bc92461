using System.ComponentModel;
using Attune.Core.Versions;

namespace Attune.Core.Exchange;

/// <summary>What to import, and what to say of it.</summary>
public sealed record ImportOptions
{
    /// <summary>Where the model is.</summary>
    [Description("A Hugging Face folder, a .gguf file, or hf:OWNER/NAME.")]
    public required string Source { get; init; }

    /// <summary>What it is.</summary>
    [Description("What it is; guessed from its prompt template and its name unless given.")]
    public VersionKind? Kind { get; init; }

    /// <summary>Its licence.</summary>
    [Description("Its licence, where its files do not say it.")]
    public string? License { get; init; }

    /// <summary>Which state of a hub's model.</summary>
    [Description("hf: a branch, a tag or a commit.")]
    public string Revision { get; init; } = "main";

    /// <summary>Which file of a hub's model.</summary>
    [Description("hf: a .gguf file of the model, in place of its folder.")]
    public string? File { get; init; }
}
