using System.Text.RegularExpressions;
using Attune.Core.Options;

namespace Attune.Core.Versions;

/// <summary>What people may call a version: a tag, <c>name:tag</c>; a digest; the beginning of a digest.</summary>
internal static partial class StoreReferences
{
    /// <summary>Fewer digits than this are too easily another version's.</summary>
    internal const int ShortestPrefix = 4;

    // As in the OCI distribution specification: a lower-case name, a colon, a tag.
    [GeneratedRegex("^[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}\\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex TagForm();

    internal static string CheckTag(string tag) => TagForm().IsMatch(tag) && !tag.StartsWith("sha256:", StringComparison.Ordinal)
        ? tag
        : throw new StoreException("ATT2053", $"'{tag}' cannot be a version's name.")
        {
            Field = tag,
            Hint = "Names look like world:chat: small letters and digits, a colon, then letters, digits, dots and dashes.",
        };

    internal static OciDescriptor Find(StoreIndex index, string reference, string folder)
    {
        var tags = index.Tags;
        if (tags.TryGetValue(reference, out var tagged) || tags.TryGetValue($"{reference}:latest", out tagged))
            return tagged;
        var versions = index.OfType(Oci.VersionType).ToArray();
        var hex = reference.StartsWith("sha256:", StringComparison.Ordinal) ? reference[7..] : reference;
        var matches = hex.Length >= ShortestPrefix
            ? versions.Where(v => v.Digest.AsSpan(7).StartsWith(hex, StringComparison.OrdinalIgnoreCase)).ToArray()
            : [];
        return matches switch
        {
            [var one] => one,
            [] => throw new StoreException("ATT2050", $"There is no version '{reference}'.")
            {
                File = folder,
                Field = reference,
                Hint = tags.Count == 0 ? "The store has no named version yet; try: attune quickstart" : Nearest.Hint(reference, [.. tags.Keys.Order(StringComparer.Ordinal)]),
            },
            _ => throw new StoreException("ATT2051", $"'{reference}' is the beginning of {matches.Length} digests.")
            {
                File = folder,
                Field = reference,
                Hint = $"Give more digits: {string.Join(", ", matches.Select(m => m.Digest[7..23]))}",
            },
        };
    }
}
