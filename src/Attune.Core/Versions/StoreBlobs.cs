using System.Buffers;
using System.Security.Cryptography;
using Attune.Core.Checkpoints;

namespace Attune.Core.Versions;

/// <summary>
/// The blobs of a store: plain read-only files named by the SHA-256 of their bytes. A blob is written once and
/// never changed, so a path to one may be mapped and kept.
/// </summary>
public sealed class StoreBlobs(string storeFolder)
{
    private const string Prefix = "sha256:";

    /// <summary>Where they lie.</summary>
    public string Folder { get; } = Path.Combine(storeFolder, "blobs", "sha256");

    /// <summary>Whether a text is a digest: <c>sha256:</c> and 64 lower-case hex digits.</summary>
    public static bool IsDigest(string text) =>
        text.Length == Prefix.Length + 64 && text.StartsWith(Prefix, StringComparison.Ordinal) && !text.AsSpan(Prefix.Length).ContainsAnyExcept(HexDigits);

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    /// <summary>The path of a blob, whether it is there or not.</summary>
    public string PathOf(string digest) => IsDigest(digest)
        ? Path.Combine(Folder, digest[Prefix.Length..])
        : throw new StoreException("ATT2056", $"'{digest}' is not a sha256 digest.") { Field = digest };

    /// <summary>The digests of all blobs here, used or not.</summary>
    public IEnumerable<string> All() => Directory.Exists(Folder)
        ? Directory.EnumerateFiles(Folder).Select(p => Prefix + Path.GetFileName(p)).Where(IsDigest).Order(StringComparer.Ordinal)
        : [];

    /// <summary>A small blob's bytes, checked against its digest.</summary>
    /// <exception cref="StoreException">ATT2057: missing or damaged.</exception>
    public byte[] Read(OciDescriptor descriptor)
    {
        var path = PathOf(descriptor.Digest);
        var file = new FileInfo(path);
        if (!file.Exists || file.Length != descriptor.Size)
            throw Damaged(path, descriptor.Digest, Fault(descriptor.Digest, descriptor.Size) ?? "it is missing");
        var bytes = File.ReadAllBytes(path);
        return Prefix + Digests.Sha256Of(bytes) == descriptor.Digest ? bytes : throw Damaged(path, descriptor.Digest, "its bytes do not have this digest");
    }

    /// <summary>What is wrong with a blob, or null: reads every byte.</summary>
    /// <param name="digest">Which.</param>
    /// <param name="size">The size that somebody expects, if anybody does.</param>
    public string? Fault(string digest, long? size = null)
    {
        var file = new FileInfo(PathOf(digest));
        if (!file.Exists)
            return "it is missing";
        if (size is { } expected && file.Length != expected)
            return FormattableString.Invariant($"it has {file.Length} bytes instead of {expected}");
        return Prefix + Digests.Sha256Of(file.FullName) == digest ? null : "its bytes do not have this digest";
    }

    /// <summary>Stores bytes; does nothing where they are stored already.</summary>
    public OciDescriptor Add(byte[] bytes, string mediaType)
    {
        var digest = Prefix + Digests.Sha256Of(bytes);
        if (Fault(digest, bytes.Length) is not null)
            Atomic.Write(PathOf(digest), stream => stream.Write(bytes), readOnly: true);
        return new(mediaType, digest, bytes.Length);
    }

    /// <summary>Stores a file's bytes; does nothing where they are stored already (and mends a damaged blob).</summary>
    public OciDescriptor AddFile(string path, string mediaType, CancellationToken cancellation)
    {
        var digest = Prefix + Digests.Sha256Of(path);
        var size = new FileInfo(path).Length;
        if (Fault(digest, size) is not null)
            Atomic.Write(PathOf(digest), stream => Copy(path, digest, stream, cancellation), readOnly: true);
        return new(mediaType, digest, size);
    }

    /// <summary>Copies a blob or file, checking on the way that its bytes have the digest.</summary>
    internal static void Copy(string path, string digest, Stream target, CancellationToken cancellation)
    {
        using var source = File.OpenRead(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 20];
        for (int read; (read = source.Read(buffer)) > 0;)
        {
            cancellation.ThrowIfCancellationRequested();
            WriteSteps.Reach("copy");
            hash.AppendData(buffer, 0, read);
            target.Write(buffer, 0, read);
        }
        if (Prefix + Convert.ToHexStringLower(hash.GetHashAndReset()) != digest)
            throw Damaged(path, digest, "its bytes do not have this digest (or it was changed just now)");
    }

    internal static StoreException Damaged(string path, string digest, string fault) => new("ATT2057", $"The file cannot be trusted: {fault}.")
    {
        File = path,
        Field = digest,
        Hint = "Run: attune versions verify. It names the versions that are concerned; store them again from their source.",
    };
}
