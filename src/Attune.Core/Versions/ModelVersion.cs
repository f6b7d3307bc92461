namespace Attune.Core.Versions;

/// <summary>One immutable model: its files, what it is, and where it came from.</summary>
public sealed record ModelVersion
{
    /// <summary>Digest of its manifest, <c>sha256:…</c>: what names it for good.</summary>
    public required string Digest { get; init; }

    /// <summary>Base, Instruct or Chat.</summary>
    public required VersionKind Kind { get; init; }

    /// <summary>Where it came from.</summary>
    public required Lineage Lineage { get; init; }

    /// <summary>Its files; the paths lead into the store, and nobody may write to them.</summary>
    public required ModelFiles Files { get; init; }

    /// <summary>The names it has now, sorted.</summary>
    public required IReadOnlyList<string> Tags { get; init; }

    /// <summary>Bytes of its files.</summary>
    public required long Size { get; init; }

    /// <summary>The first twelve digits of the digest, for people.</summary>
    public string ShortDigest => Digest.Length > 19 ? Digest[7..19] : Digest;

    /// <summary>A tag, or the short digest where it has none.</summary>
    public string Name => Tags.Count > 0 ? Tags[0] : ShortDigest;
}

/// <summary>A measurement attached to the version that it measured.</summary>
/// <param name="Digest">Digest of its manifest.</param>
/// <param name="Subject">Digest of the version.</param>
/// <param name="Kind">evaluation, run, audit, promotion…</param>
/// <param name="Path">The JSON, in the store.</param>
public sealed record StoredReport(string Digest, string Subject, string Kind, string Path);
