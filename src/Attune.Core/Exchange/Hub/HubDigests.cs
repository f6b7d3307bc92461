using System.Security.Cryptography;
using System.Text;

namespace Attune.Core.Exchange.Hub;

/// <summary>Whether a file is the one that a hub names: SHA-256 for large files, git's blob digest for small ones.</summary>
internal static class HubDigests
{
    /// <summary>Compares length and digest; a file without either digest passes by its length.</summary>
    public static bool Fits(string path, HubFile file)
    {
        using var stream = File.OpenRead(path);
        if (file.Size > 0 && stream.Length != file.Size)
            return false;
        if (file.Sha256 is { } sha256)
            return string.Equals(Convert.ToHexString(SHA256.HashData(stream)), sha256, StringComparison.OrdinalIgnoreCase);
        return file.BlobId is not { } blob || string.Equals(GitBlob(stream), blob, StringComparison.OrdinalIgnoreCase);
    }

    // Git names blobs by SHA-1; it is a name here, not a safeguard.
#pragma warning disable CA5350
    private static string GitBlob(Stream stream)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
        hash.AppendData(Encoding.ASCII.GetBytes(FormattableString.Invariant($"blob {stream.Length}\0")));
        var buffer = new byte[1 << 17];
        while (stream.Read(buffer) is var read and > 0)
            hash.AppendData(buffer, 0, read);
        return Convert.ToHexString(hash.GetHashAndReset());
    }
#pragma warning restore CA5350
}
