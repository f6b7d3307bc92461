using System.Buffers.Binary;

namespace Attune.Core.Checkpoints.Gguf.Blocks;

/// <summary>What the blocks have in common.</summary>
internal static class Fields
{
    /// <summary>The half at a place, as a float.</summary>
    public static float Half(ReadOnlySpan<byte> block, int at) => (float)BinaryPrimitives.ReadHalfLittleEndian(block[at..]);

    /// <summary>
    /// Scale and least value j of 8, six bits each, of the twelve bytes that Q4_K and Q5_K share: the first four of each
    /// lie whole in bytes 0 to 7, the last four have their lower bits in bytes 8 to 11 and their upper two above the first.
    /// </summary>
    public static (int Scale, int Least) SixBits(ReadOnlySpan<byte> packed, int j) => j < 4
        ? (packed[j] & 63, packed[j + 4] & 63)
        : ((packed[j + 4] & 15) | (packed[j - 4] >> 6 << 4), (packed[j + 4] >> 4) | (packed[j] >> 6 << 4));
}
