using System.Security.Cryptography;

namespace Attune.Core.Checkpoints;

/// <summary>SHA-256, as lower-case hex.</summary>
public static class Digests
{
    /// <summary>Of a file's bytes.</summary>
    /// <exception cref="CheckpointException">ATT2003: the file cannot be read.</exception>
    public static string Sha256Of(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            return Convert.ToHexStringLower(SHA256.HashData(stream));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException("ATT2003", $"The file cannot be read: {e.Message}", e) { File = path };
        }
    }

    /// <summary>Of bytes.</summary>
    public static string Sha256Of(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
