using System.Text.Json.Nodes;
using Attune.Prompts;

namespace Attune.Core.Versions;

/// <summary>A damaged or missing blob.</summary>
/// <param name="Blob">Its digest.</param>
/// <param name="File">What it is to the versions that use it: model.safetensors, manifest, lineage, report.json.</param>
/// <param name="Versions">The versions that use it, by name; empty where none does.</param>
/// <param name="Problem">What is wrong with it.</param>
public sealed record StoreFault(string Blob, string File, IReadOnlyList<string> Versions, string Problem)
{
    /// <summary>One line for people.</summary>
    public override string ToString() =>
        $"{Blob} ({File}{(Versions.Count > 0 ? $" of {string.Join(", ", Versions)}" : ", used by no version")}): {Problem}";
}

/// <summary>Reads every byte of a store, each blob once.</summary>
internal static class StoreCheck
{
    internal static IReadOnlyList<StoreFault> Run(ModelStore store, StoreIndex index, CancellationToken cancellation)
    {
        var uses = new SortedDictionary<string, Use>(StringComparer.Ordinal);
        var faults = new List<StoreFault>();
        foreach (var descriptor in index.Manifests.DistinctBy(m => m.Digest))
        {
            var name = Name(index, descriptor);
            Add(uses, descriptor.Digest, descriptor.Size, "manifest", name);
            try
            {
                var manifest = store.ReadManifest(descriptor);
                if (manifest.Subject is { } subject)
                    name = index.Manifests.FirstOrDefault(m => m.Digest == subject.Digest) is { } known ? Name(index, known) : name;
                Add(uses, manifest.Config.Digest, manifest.Config.Size, "lineage", name);
                foreach (var layer in manifest.Layers)
                    Add(uses, layer.Digest, layer.Size, layer.Annotations.GetValueOrDefault(Oci.Title, "?"), name);
            }
            catch (AttuneException e) when (store.Blobs.Fault(descriptor.Digest, descriptor.Size) is null)
            {
                faults.Add(new(descriptor.Digest, "manifest", [name], e.Message));
            }
            catch (AttuneException)
            {
                // The blob itself is damaged: it is named below.
            }
        }
        foreach (var blob in store.Blobs.All())
            uses.TryAdd(blob, new("unused", null, []));
        foreach (var (digest, use) in uses)
        {
            cancellation.ThrowIfCancellationRequested();
            if (store.Blobs.Fault(digest, use.Size) is { } fault)
                faults.Add(new(digest, use.File, [.. use.Versions.Distinct(StringComparer.Ordinal)], fault));
        }
        return faults;
    }

    private static void Add(SortedDictionary<string, Use> uses, string digest, long size, string file, string version)
    {
        if (!uses.TryGetValue(digest, out var use))
            uses[digest] = use = new(file, size, []);
        use.Versions.Add(version);
    }

    private static string Name(StoreIndex index, OciDescriptor manifest) => index.TagsOf(manifest.Digest) is [var tag, ..] ? tag : manifest.Digest;

    private sealed record Use(string File, long? Size, List<string> Versions);
}
