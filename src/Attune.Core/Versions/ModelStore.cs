using System.Text.Json.Nodes;
using Attune.Core.Checkpoints;

namespace Attune.Core.Versions;

/// <summary>
/// Versions on disk, as an OCI image layout: <c>oci-layout</c>, <c>index.json</c>, <c>blobs/sha256/…</c>. Files that
/// versions share are stored once; every byte has a digest; the index is written last, so that a crash between any
/// two writes leaves the store as it was before, plus leftovers that <see cref="CollectGarbage"/> takes away.
/// Many processes may read and write one store at a time: writers take turns.
/// </summary>
public sealed class ModelStore
{
    private ModelStore(string folder) => (Folder, Blobs) = (folder, new(folder));

    /// <summary>The store's folder.</summary>
    public string Folder { get; }

    /// <summary>Its blobs.</summary>
    public StoreBlobs Blobs { get; }

    /// <summary>How long a writer waits for another one.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Opens a store; makes one where the folder is missing or empty.</summary>
    /// <exception cref="StoreException">ATT2052: of a newer layout; ATT2054: broken; ATT2058: the folder holds something else.</exception>
    /// <exception cref="CheckpointException">ATT2030: the folder cannot be written to.</exception>
    public static ModelStore Open(string folder)
    {
        var store = new ModelStore(Path.GetFullPath(folder));
        if (!File.Exists(Path.Combine(folder, StoreIndex.LayoutFileName)))
            store.Create();
        store.ReadIndex();
        return store;
    }

    /// <summary>Stores a version and, if asked, gives it a name in the same write. Storing the same again changes nothing.</summary>
    /// <param name="draft">What to store; hidden and unfinished files are left out.</param>
    /// <param name="tag">A name, <c>world:base</c>, or null.</param>
    /// <param name="cancellation">Stops between blocks; the store stays as it was.</param>
    /// <exception cref="CheckpointException">ATT2003, ATT2030: a file cannot be read, or the disk refuses.</exception>
    /// <exception cref="StoreException">ATT2053: not a name; ATT2055: another process holds the store; ATT2059: no files.</exception>
    public ModelVersion Add(VersionDraft draft, string? tag = null, CancellationToken cancellation = default)
    {
        if (tag is not null)
            StoreReferences.CheckTag(tag);
        var files = draft.Files.Paths.Where(f => !f.Key.StartsWith('.')).OrderBy(f => f.Key, StringComparer.Ordinal).ToArray();
        if (files.Length == 0)
            throw new StoreException("ATT2059", "A version needs files.") { File = draft.Files.Description };
        foreach (var (name, _) in files)
            CheckFileName(name, draft.Files.Description);

        using var taken = StoreLock.Take(Folder, Patience);
        var layers = files.Select(f => Blobs.AddFile(f.Value, Oci.TypeOf(f.Key), cancellation) with { Annotations = One(Oci.Title, f.Key) }).ToArray();
        var config = Blobs.Add(CanonicalJson.Bytes(LineageJson.ToJson(draft.Lineage)), Oci.LineageType);
        var manifest = new OciManifest(Oci.VersionType, config, layers) { Annotations = One(Oci.Kind, KindText(draft.Kind)) };
        var descriptor = Blobs.Add(manifest.ToBytes(), Oci.ManifestType) with { ArtifactType = Oci.VersionType };
        var index = ReadIndex().With(descriptor);
        index = tag is null ? index : index.WithTag(tag, descriptor);
        index.Write(Folder);
        return Load(index, descriptor, tag);
    }

    /// <summary>Refuses what cannot be a name, before any work is done under it.</summary>
    /// <exception cref="StoreException">ATT2053: not a name.</exception>
    public static void CheckName(string name) => StoreReferences.CheckTag(name);

    /// <summary>The version that a tag, a digest or the beginning of one names.</summary>
    /// <exception cref="StoreException">ATT2050: none; ATT2051: several; ATT2056, ATT2057: it is damaged.</exception>
    public ModelVersion Resolve(string reference)
    {
        var index = ReadIndex();
        return Load(index, StoreReferences.Find(index, reference, Folder), reference);
    }

    /// <summary>All versions, in the order they came.</summary>
    public IReadOnlyList<ModelVersion> List()
    {
        var index = ReadIndex();
        return [.. index.OfType(Oci.VersionType).Select(d => Load(index, d, null))];
    }

    /// <summary>Gives a version a name, taking it from whatever had it.</summary>
    public void Tag(string name, string reference)
    {
        StoreReferences.CheckTag(name);
        Change(index => index.WithTag(name, StoreReferences.Find(index, reference, Folder)));
    }

    /// <summary>Takes a name away; the version stays until <see cref="CollectGarbage"/>.</summary>
    /// <exception cref="StoreException">ATT2050: there is no such name.</exception>
    public void Untag(string name) => Change(index => index.Tags.ContainsKey(name)
        ? index.WithoutTag(name)
        : throw new StoreException("ATT2050", $"There is no name '{name}'.") { File = Folder, Field = name });

    /// <summary>Attaches a report to a version. It may hold what a version may not: times, machine, paths.</summary>
    /// <param name="reference">The version.</param>
    /// <param name="kind">evaluation, run, audit, promotion…</param>
    /// <param name="json">The report.</param>
    public StoredReport AttachReport(string reference, string kind, JsonNode json)
    {
        using var taken = StoreLock.Take(Folder, Patience);
        var index = ReadIndex();
        var subject = StoreReferences.Find(index, reference, Folder);
        var layer = Blobs.Add(CanonicalJson.Bytes(json), Oci.ReportJsonType) with { Annotations = One(Oci.Title, "report.json") };
        var manifest = new OciManifest(Oci.ReportType, Blobs.Add("{}"u8.ToArray(), Oci.EmptyType), [layer])
        {
            Subject = new(Oci.ManifestType, subject.Digest, subject.Size),
            Annotations = One(Oci.ReportKind, kind),
        };
        var descriptor = Blobs.Add(manifest.ToBytes(), Oci.ManifestType) with { ArtifactType = Oci.ReportType };
        index.With(descriptor).Write(Folder);
        return new(descriptor.Digest, subject.Digest, kind, Blobs.PathOf(layer.Digest));
    }

    /// <summary>The reports of a version, in the order they came.</summary>
    public IReadOnlyList<StoredReport> Reports(string reference)
    {
        var index = ReadIndex();
        var subject = StoreReferences.Find(index, reference, Folder).Digest;
        return [.. from descriptor in index.OfType(Oci.ReportType)
                   let manifest = ReadManifest(descriptor)
                   where manifest.Subject?.Digest == subject && manifest.Layers.Count > 0
                   select new StoredReport(descriptor.Digest, subject, manifest.Annotations.GetValueOrDefault(Oci.ReportKind, ""), Blobs.PathOf(manifest.Layers[0].Digest))];
    }

    /// <summary>Reads every byte and says what is damaged. Empty: all is well.</summary>
    public IReadOnlyList<StoreFault> Verify(CancellationToken cancellation = default) => StoreCheck.Run(this, ReadIndex(), cancellation);

    /// <summary>
    /// Takes away versions that have no name and are no ancestor of one that has, their reports, blobs that nothing
    /// uses, and what crashes left behind.
    /// </summary>
    public GarbageReport CollectGarbage()
    {
        using var taken = StoreLock.Take(Folder, Patience);
        return StoreGarbage.Collect(this, ReadIndex());
    }

    /// <summary>Lays a version out as a plain folder, checking every byte. The folder appears only when it is complete.</summary>
    /// <exception cref="StoreException">ATT2060: the folder is there and not empty; ATT2057: a file is damaged.</exception>
    public ModelVersion Export(string reference, string folder, CancellationToken cancellation = default)
    {
        var version = Resolve(reference);
        PlainFolder.Write(version.Files, folder, (path, stream) => StoreBlobs.Copy(path, $"sha256:{Path.GetFileName(path)}", stream, cancellation));
        return version;
    }

    /// <summary>Every version under the one it came from.</summary>
    public IReadOnlyList<LineageNode> Tree() => LineageTree.Of(List());

    /// <summary>What differs between two versions.</summary>
    public VersionDiff Diff(string left, string right, CancellationToken cancellation = default) =>
        VersionDiff.Between(Resolve(left), Resolve(right), cancellation);

    internal OciManifest ReadManifest(OciDescriptor descriptor) => OciManifest.Parse(Blobs.Read(descriptor), Blobs.PathOf(descriptor.Digest));

    internal static void CheckFileName(string name, string where)
    {
        if (name.Length == 0 || name is "." or ".." || name.AsSpan().ContainsAny('/', '\\', '\0') || name.Contains(':', StringComparison.Ordinal))
            throw new StoreException("ATT2056", $"'{name}' is not the name of a model's file.") { File = where, Field = name };
    }

    private static Dictionary<string, string> One(string key, string value) => new(StringComparer.Ordinal) { [key] = value };

    private static string KindText(VersionKind kind) => kind.ToString().ToLowerInvariant();

    private StoreIndex ReadIndex() => StoreIndex.Read(Folder);

    private void Change(Func<StoreIndex, StoreIndex> change)
    {
        using var taken = StoreLock.Take(Folder, Patience);
        change(ReadIndex()).Write(Folder);
    }

    private ModelVersion Load(StoreIndex index, OciDescriptor descriptor, string? reference)
    {
        var path = Blobs.PathOf(descriptor.Digest);
        var manifest = ReadManifest(descriptor);
        var files = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var layer in manifest.Layers)
        {
            var name = layer.Annotations.GetValueOrDefault(Oci.Title, "");
            CheckFileName(name, path);
            files[name] = Blobs.PathOf(layer.Digest);
        }
        if (!Enum.TryParse<VersionKind>(manifest.Annotations.GetValueOrDefault(Oci.Kind), ignoreCase: true, out var kind))
            throw new StoreException("ATT2056", "The manifest does not say what kind of version it is.") { File = path, Field = Oci.Kind };
        var tags = index.TagsOf(descriptor.Digest);
        return new()
        {
            Digest = descriptor.Digest,
            Kind = kind,
            Lineage = LineageJson.Read(Blobs.Read(manifest.Config), Blobs.PathOf(manifest.Config.Digest)),
            Files = new(files, reference ?? (tags.Count > 0 ? tags[0] : descriptor.Digest)),
            Tags = tags,
            Size = manifest.Layers.Sum(l => l.Size),
        };
    }

    // The mark that makes the folder a store comes last, so that a crash here is simply begun again.
    private void Create()
    {
        if (Directory.Exists(Folder) && Directory.EnumerateFileSystemEntries(Folder).Select(Path.GetFileName).FirstOrDefault(IsForeign) is { } other)
        {
            throw new StoreException("ATT2058", $"The folder is no store of versions, and it is not empty ({other}).")
            {
                File = Folder,
                Hint = "Give another folder, or an empty one.",
            };
        }
        using var taken = StoreLock.Take(Folder, Patience);
        if (File.Exists(Path.Combine(Folder, StoreIndex.LayoutFileName)))
            return;
        Atomic.Guard(Folder, null, () => Directory.CreateDirectory(Blobs.Folder));
        new StoreIndex([]).Write(Folder);
        StoreIndex.WriteLayout(Folder);
    }

    // The mark itself is there where another process has made the store since we looked for it.
    private static bool IsForeign(string? name) =>
        name is not ("blobs" or StoreIndex.FileName or StoreIndex.LayoutFileName or StoreLock.FileName) && name?.EndsWith(Atomic.TemporarySuffix, StringComparison.Ordinal) != true;
}
