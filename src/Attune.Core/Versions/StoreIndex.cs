using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Core.Checkpoints;

namespace Attune.Core.Versions;

/// <summary>
/// index.json: which manifests the store holds, in the order they came, and their tags. A manifest with several
/// tags has an entry for each; one with none has an entry without a name.
/// </summary>
public sealed record StoreIndex(IReadOnlyList<OciDescriptor> Manifests)
{
    internal const string FileName = "index.json";
    internal const string LayoutFileName = "oci-layout";
    internal const int NewestLayout = 1;

    /// <summary>The digests of the manifests of a type, each once, in the order they came.</summary>
    public IEnumerable<OciDescriptor> OfType(string artifactType) => Manifests.Where(m => m.ArtifactType == artifactType).DistinctBy(m => m.Digest);

    /// <summary>The tags of a manifest.</summary>
    public IReadOnlyList<string> TagsOf(string digest) => [.. Manifests.Where(m => m.Digest == digest).Select(TagOf).OfType<string>().Order(StringComparer.Ordinal)];

    /// <summary>Every tag with the manifest it names.</summary>
    public IReadOnlyDictionary<string, OciDescriptor> Tags => Manifests.Where(m => TagOf(m) is not null).ToDictionary(m => TagOf(m)!, StringComparer.Ordinal);

    internal StoreIndex With(OciDescriptor manifest) => Manifests.Any(m => m.Digest == manifest.Digest) ? this : new([.. Manifests, manifest]);

    // In the place of the manifest's nameless entry, or beside its other names: the order stays that of coming.
    internal StoreIndex WithTag(string tag, OciDescriptor manifest)
    {
        var entries = WithoutTag(tag).Manifests.ToList();
        var named = manifest with { Annotations = new Dictionary<string, string>(StringComparer.Ordinal) { [Oci.RefName] = tag } };
        var nameless = entries.FindIndex(m => m.Digest == manifest.Digest && TagOf(m) is null);
        if (nameless >= 0)
            entries[nameless] = named;
        else
            entries.Insert(entries.FindLastIndex(m => m.Digest == manifest.Digest) is >= 0 and var last ? last + 1 : entries.Count, named);
        return new(entries);
    }

    internal StoreIndex WithoutTag(string tag)
    {
        var tagged = Manifests.FirstOrDefault(m => TagOf(m) == tag);
        if (tagged is null)
            return this;
        return Manifests.Count(m => m.Digest == tagged.Digest) > 1
            ? new([.. Manifests.Where(m => m != tagged)])
            : new([.. Manifests.Select(m => m == tagged ? m with { Annotations = new Dictionary<string, string>(StringComparer.Ordinal) } : m)]);
    }

    internal static string? TagOf(OciDescriptor manifest) => manifest.Annotations.GetValueOrDefault(Oci.RefName);

    internal static StoreIndex Read(string folder)
    {
        CheckLayout(folder);
        var path = Path.Combine(folder, FileName);
        var json = Parse(path);
        try
        {
            var layout = OciManifest.ParseAnnotations(json["annotations"]).GetValueOrDefault(Oci.Layout, "1");
            if (!int.TryParse(layout, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > NewestLayout)
                throw Newer(path, layout);
            var manifests = json["manifests"]!.AsArray().Select(m => OciDescriptor.Parse(m!)).ToArray();
            if (manifests.Select(TagOf).OfType<string>().GroupBy(t => t, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
                throw new JsonException($"the tag {twice.Key} stands twice");
            return new(manifests);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException or FormatException)
        {
            throw Broken(path, e);
        }
    }

    internal void Write(string folder) => Atomic.WriteAllBytes(Path.Combine(folder, FileName), CanonicalJson.Bytes(new JsonObject
    {
        ["schemaVersion"] = 2,
        ["mediaType"] = Oci.IndexType,
        ["manifests"] = new JsonArray([.. Manifests.Select(m => (JsonNode)m.ToJson())]),
        ["annotations"] = new JsonObject { [Oci.Layout] = "1" },
    }));

    internal static void WriteLayout(string folder) => Atomic.WriteAllText(Path.Combine(folder, LayoutFileName), "{\"imageLayoutVersion\":\"1.0.0\"}");

    private static void CheckLayout(string folder)
    {
        var path = Path.Combine(folder, LayoutFileName);
        try
        {
            var version = Parse(path)["imageLayoutVersion"]!.GetValue<string>();
            if (version != "1.0.0")
                throw Newer(path, version);
        }
        catch (Exception e) when (e is InvalidOperationException or NullReferenceException)
        {
            throw Broken(path, e);
        }
    }

    private static JsonObject Parse(string path)
    {
        try
        {
            return JsonNode.Parse(File.ReadAllBytes(path))!.AsObject();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException or IOException or UnauthorizedAccessException)
        {
            throw Broken(path, e);
        }
    }

    private static StoreException Newer(string path, string layout) => new("ATT2052", $"The store has layout {layout}, which this Attune does not know.")
    {
        File = path,
        Field = "layout",
        Hint = "A newer Attune wrote it: use that one.",
    };

    private static StoreException Broken(string path, Exception e) => new("ATT2054", $"The store's index is broken: {e.Message}", e)
    {
        File = path,
        Hint = "The blobs may be whole; restore the file from a copy, or rebuild the store from its models.",
    };
}
