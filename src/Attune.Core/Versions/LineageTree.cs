using System.Text;

namespace Attune.Core.Versions;

/// <summary>A version with the versions that came from it.</summary>
/// <param name="Digest">Its digest.</param>
/// <param name="Version">The version, or null where the store lacks it but its children are here.</param>
/// <param name="Children">What came from it, in the order it came.</param>
public sealed record LineageNode(string Digest, ModelVersion? Version, IReadOnlyList<LineageNode> Children);

/// <summary>Versions by their parents, and the picture of it.</summary>
public static class LineageTree
{
    /// <summary>The roots; a parent that is not here stands as a root without a version.</summary>
    public static IReadOnlyList<LineageNode> Of(IReadOnlyList<ModelVersion> versions)
    {
        var byDigest = versions.ToDictionary(v => v.Digest, StringComparer.Ordinal);
        var children = versions.Where(v => v.Lineage.Parent is not null).ToLookup(v => v.Lineage.Parent!, StringComparer.Ordinal);
        var missing = children.Select(c => c.Key).Where(d => !byDigest.ContainsKey(d)).Select(d => (Digest: d, Version: (ModelVersion?)null));
        return [.. versions.Where(v => v.Lineage.Parent is null).Select(v => (v.Digest, Version: (ModelVersion?)v)).Concat(missing).Select(root => Node(root.Digest, root.Version))];

        LineageNode Node(string digest, ModelVersion? version) => new(digest, version, [.. children[digest].Select(child => Node(child.Digest, child))]);
    }

    /// <summary>A line for each version, its parent above it.</summary>
    public static string Render(IReadOnlyList<LineageNode> roots)
    {
        var text = new StringBuilder();
        foreach (var root in roots)
            Append(text, root, "", "");
        return text.ToString();
    }

    private static void Append(StringBuilder text, LineageNode node, string first, string rest)
    {
        var line = node.Version is { } version
            ? $"{string.Join(", ", version.Tags.Count > 0 ? version.Tags : ["(no name)"])}  {version.Kind}  {version.Lineage.Stage}  {version.ShortDigest}"
            : $"(not in this store)  {node.Digest}";
        text.Append(first).Append(line).Append('\n');
        for (var i = 0; i < node.Children.Count; i++)
        {
            var last = i == node.Children.Count - 1;
            Append(text, node.Children[i], rest + (last ? "└─ " : "├─ "), rest + (last ? "   " : "│  "));
        }
    }
}
