using System.Text.Json;
using System.Text.Json.Nodes;

namespace Attune.Core.Versions;

/// <summary>
/// The names that the store uses in its OCI image layout. Sources: the OCI image specification 1.1
/// (image-layout, manifest, descriptor, annotations), https://github.com/opencontainers/image-spec.
/// </summary>
public static class Oci
{
    /// <summary>A manifest.</summary>
    public const string ManifestType = "application/vnd.oci.image.manifest.v1+json";

    /// <summary>The index.</summary>
    public const string IndexType = "application/vnd.oci.image.index.v1+json";

    /// <summary>The config of a manifest that needs none: <c>{}</c>.</summary>
    public const string EmptyType = "application/vnd.oci.empty.v1+json";

    /// <summary>What a version is an artifact of.</summary>
    public const string VersionType = "application/vnd.attune.version.v1";

    /// <summary>What a report is an artifact of.</summary>
    public const string ReportType = "application/vnd.attune.report.v1";

    /// <summary>A lineage record.</summary>
    public const string LineageType = "application/vnd.attune.lineage.v1+json";

    /// <summary>A report's JSON.</summary>
    public const string ReportJsonType = "application/vnd.attune.report.v1+json";

    /// <summary>A tag, on an index entry.</summary>
    public const string RefName = "org.opencontainers.image.ref.name";

    /// <summary>A file's name, on a layer.</summary>
    public const string Title = "org.opencontainers.image.title";

    /// <summary>A version's kind, on its manifest.</summary>
    public const string Kind = "attune.kind";

    /// <summary>A report's kind, on its manifest.</summary>
    public const string ReportKind = "attune.report.kind";

    /// <summary>The store's own layout number, on the index.</summary>
    public const string Layout = "attune.store.layout";

    /// <summary>The media type of a model's file.</summary>
    public static string TypeOf(string file) => Path.GetExtension(file) switch
    {
        ".safetensors" => "application/vnd.attune.weights.v1.safetensors",
        ".json" => "application/json",
        ".jinja" or ".txt" => "text/plain; charset=utf-8",
        ".md" => "text/markdown; charset=utf-8",
        _ => "application/octet-stream",
    };
}

/// <summary>A reference to a blob: what it is, its digest (<c>sha256:…</c>) and its size in bytes.</summary>
public sealed record OciDescriptor(string MediaType, string Digest, long Size)
{
    /// <summary>What a manifest is an artifact of, in the index.</summary>
    public string? ArtifactType { get; init; }

    /// <summary>Sorted by key when written.</summary>
    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    internal JsonObject ToJson()
    {
        var json = new JsonObject { ["mediaType"] = MediaType, ["digest"] = Digest, ["size"] = Size };
        if (ArtifactType is not null)
            json["artifactType"] = ArtifactType;
        if (Annotations.Count > 0)
            json["annotations"] = OciManifest.ToJson(Annotations);
        return json;
    }

    internal static OciDescriptor Parse(JsonNode json)
    {
        var digest = json["digest"]!.GetValue<string>();
        if (!StoreBlobs.IsDigest(digest))
            throw new JsonException($"'{digest}' is not a sha256 digest.");
        return new(json["mediaType"]!.GetValue<string>(), digest, json["size"]!.GetValue<long>())
        {
            ArtifactType = (string?)json["artifactType"],
            Annotations = OciManifest.ParseAnnotations(json["annotations"]),
        };
    }
}

/// <summary>An OCI manifest: a version (config: lineage; layers: files) or a report (subject: the version).</summary>
public sealed record OciManifest(string ArtifactType, OciDescriptor Config, IReadOnlyList<OciDescriptor> Layers)
{
    /// <summary>What the artifact is about, for a report.</summary>
    public OciDescriptor? Subject { get; init; }

    /// <summary>Sorted by key when written.</summary>
    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    internal byte[] ToBytes()
    {
        var json = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = Oci.ManifestType,
            ["artifactType"] = ArtifactType,
            ["config"] = Config.ToJson(),
            ["layers"] = new JsonArray([.. Layers.Select(l => (JsonNode)l.ToJson())]),
            ["annotations"] = ToJson(Annotations),
        };
        if (Subject is not null)
            json["subject"] = Subject.ToJson();
        return CanonicalJson.Bytes(json);
    }

    internal static OciManifest Parse(ReadOnlySpan<byte> bytes, string path)
    {
        try
        {
            var json = JsonNode.Parse(bytes)!;
            return new(json["artifactType"]!.GetValue<string>(), OciDescriptor.Parse(json["config"]!), [.. json["layers"]!.AsArray().Select(l => OciDescriptor.Parse(l!))])
            {
                Subject = json["subject"] is { } subject ? OciDescriptor.Parse(subject) : null,
                Annotations = ParseAnnotations(json["annotations"]),
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException or FormatException)
        {
            throw new StoreException("ATT2056", $"This is not a manifest of Attune's: {e.Message}", e) { File = path, Hint = "Run: attune versions verify" };
        }
    }

    internal static JsonObject ToJson(IReadOnlyDictionary<string, string> annotations) =>
        new(annotations.Select(p => KeyValuePair.Create(p.Key, (JsonNode?)p.Value)));

    internal static IReadOnlyDictionary<string, string> ParseAnnotations(JsonNode? json) =>
        (json as JsonObject ?? []).ToDictionary(p => p.Key, p => p.Value!.GetValue<string>(), StringComparer.Ordinal);
}
