namespace Attune.Core.Versions;

/// <summary>A version about to be stored: the files a stage wrote, what it is, and where it came from.</summary>
public sealed record VersionDraft(VersionKind Kind, ModelFiles Files, Lineage Lineage);
