using Attune.Core.Checkpoints;

namespace Attune.Core.Versions;

/// <summary>What was taken away.</summary>
/// <param name="Versions">Digests of the versions.</param>
/// <param name="Blobs">How many blobs, manifests and reports among them.</param>
/// <param name="Leftovers">How many unfinished files of crashed writers.</param>
/// <param name="Bytes">How many bytes in all.</param>
public sealed record GarbageReport(IReadOnlyList<string> Versions, int Blobs, int Leftovers, long Bytes);

/// <summary>Keeps what a name leads to, by parents and reports, and takes the rest away; the index first, then the blobs.</summary>
internal static class StoreGarbage
{
    internal static GarbageReport Collect(ModelStore store, StoreIndex index)
    {
        // A manifest that cannot be read stops everything here: nothing is deleted on a guess.
        var manifests = index.Manifests.DistinctBy(m => m.Digest).ToDictionary(m => m.Digest, store.ReadManifest, StringComparer.Ordinal);
        var kept = Kept(store, index, manifests);
        var used = new HashSet<string>(kept, StringComparer.Ordinal);
        foreach (var manifest in kept.Select(d => manifests[d]))
        {
            used.Add(manifest.Config.Digest);
            used.UnionWith(manifest.Layers.Select(l => l.Digest));
        }

        var gone = manifests.Where(m => !kept.Contains(m.Key) && m.Value.ArtifactType == Oci.VersionType).Select(m => m.Key).Order(StringComparer.Ordinal).ToArray();
        if (manifests.Keys.Any(d => !kept.Contains(d)))
            new StoreIndex([.. index.Manifests.Where(m => kept.Contains(m.Digest))]).Write(store.Folder);

        var (blobs, leftovers, bytes) = (0, 0, 0L);
        foreach (var path in store.Blobs.All().Where(d => !used.Contains(d)).Select(store.Blobs.PathOf).ToArray())
        {
            bytes += Delete(path);
            blobs++;
        }
        foreach (var path in new[] { store.Folder, store.Blobs.Folder }.Where(Directory.Exists)
            .SelectMany(f => Directory.EnumerateFiles(f, $"*{Atomic.TemporarySuffix}", new EnumerationOptions { AttributesToSkip = FileAttributes.None })).ToArray())
        {
            bytes += Delete(path);
            leftovers++;
        }
        return new(gone, blobs, leftovers, bytes);
    }

    private static HashSet<string> Kept(ModelStore store, StoreIndex index, Dictionary<string, OciManifest> manifests)
    {
        var kept = new HashSet<string>(StringComparer.Ordinal);
        foreach (var tagged in index.Tags.Values)
        {
            for (var digest = tagged.Digest; digest is not null && manifests.TryGetValue(digest, out var manifest) && kept.Add(digest);)
            {
                digest = manifest.ArtifactType == Oci.VersionType
                    ? LineageJson.Read(store.Blobs.Read(manifest.Config), store.Blobs.PathOf(manifest.Config.Digest)).Parent
                    : null;
            }
        }
        // What is not Attune's is not Attune's to delete.
        foreach (var (digest, manifest) in manifests)
        {
            var isOurs = manifest.ArtifactType is Oci.VersionType or Oci.ReportType;
            if (!isOurs || (manifest.Subject is { } subject && kept.Contains(subject.Digest)))
                kept.Add(digest);
        }
        return kept;
    }

    private static long Delete(string path)
    {
        var size = new FileInfo(path).Length;
        Atomic.Guard(path, null, () =>
        {
            WriteSteps.Reach("delete");
            File.Delete(path);
        });
        return size;
    }
}
