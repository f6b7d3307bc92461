using System.Text.RegularExpressions;

namespace Attune.Core.Exchange.Hub;

/// <summary>A file of a model on a hub.</summary>
/// <param name="Name">Its path in the repository.</param>
/// <param name="Size">Its length in bytes.</param>
/// <param name="Sha256">Digest of its bytes, for large files.</param>
/// <param name="BlobId">Git's digest of it (SHA-1 of "blob SIZE\0" and its bytes), for small ones.</param>
public sealed record HubFile(string Name, long Size, string? Sha256, string? BlobId);

/// <summary>One state of a model on a hub.</summary>
/// <param name="Owner">Who holds it.</param>
/// <param name="Name">Its name.</param>
/// <param name="Commit">The commit that the revision named.</param>
/// <param name="Files">Its files.</param>
public sealed record HubModel(string Owner, string Name, string Commit, IReadOnlyList<HubFile> Files)
{
    /// <summary>What lineage says: hf:OWNER/NAME@COMMIT.</summary>
    public string Origin => $"hf:{Owner}/{Name}@{Commit}";
}

/// <summary>hf:OWNER/NAME.</summary>
/// <param name="Owner">Who holds it.</param>
/// <param name="Name">Its name.</param>
public sealed partial record HubReference(string Owner, string Name)
{
    /// <summary>Whether a text names a model on a hub.</summary>
    public static bool Is(string text) => text.StartsWith("hf:", StringComparison.Ordinal);

    /// <summary>Reads hf:OWNER/NAME.</summary>
    /// <exception cref="ExchangeException">ATT3401: it is none.</exception>
    public static HubReference Parse(string text) => Form().Match(text) is { Success: true } match
        ? new(match.Groups[1].Value, match.Groups[2].Value)
        : throw new ExchangeException("ATT3401", $"'{text}' names no model on a hub.") { Field = "source", Hint = "It is written hf:OWNER/NAME." };

    [GeneratedRegex(@"^hf:([A-Za-z0-9][A-Za-z0-9._-]*)/([A-Za-z0-9][A-Za-z0-9._-]*)$")]
    private static partial Regex Form();
}
