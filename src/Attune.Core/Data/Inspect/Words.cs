using System.Globalization;
using System.Text;

namespace Attune.Core.Data;

/// <summary>Text as hashes of its words, for comparing texts: case, width, punctuation and white space do not count.</summary>
internal static class Words
{
    private const ulong FnvStart = 14695981039346656037, FnvPrime = 1099511628211;

    /// <summary>
    /// A 64-bit hash and the place of each word. A word is a run of letters, marks and digits; in scripts that are
    /// written without spaces every character is one.
    /// </summary>
    public static List<(ulong Hash, int Start, int Length)> Of(string text)
    {
        var words = new List<(ulong, int, int)>();
        var (hash, start) = (FnvStart, -1);
        for (var i = 0; i < text.Length;)
        {
            var rune = Rune.TryGetRuneAt(text, i, out var whole) ? whole : Rune.ReplacementChar;
            var length = rune.Utf16SequenceLength;
            var alone = IsWrittenWithoutSpaces(rune.Value);
            if (start >= 0 && (alone || !IsWordPart(rune)))
            {
                words.Add((Mix(hash), start, i - start));
                (hash, start) = (FnvStart, -1);
            }
            if (alone)
            {
                words.Add((Mix((FnvStart ^ (uint)rune.Value) * FnvPrime), i, length));
            }
            else if (IsWordPart(rune))
            {
                start = start < 0 ? i : start;
                hash = (hash ^ (uint)Rune.ToLowerInvariant(rune).Value) * FnvPrime;
            }
            i += length;
        }
        if (start >= 0)
            words.Add((Mix(hash), start, text.Length - start));
        return words;
    }

    /// <summary>The finaliser of SplitMix64: every bit of the input changes every bit of the output.</summary>
    public static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }

    /// <summary>Han, kana, Thai, Lao, Burmese and Khmer (Korean has spaces).</summary>
    public static bool IsWrittenWithoutSpaces(int rune) =>
        rune is >= 0x3040 and <= 0x30FF or >= 0x3400 and <= 0x4DBF or >= 0x4E00 and <= 0x9FFF or >= 0xF900 and <= 0xFAFF or >= 0x20000 and <= 0x3FFFF
            or >= 0x0E00 and <= 0x0EFF or >= 0x1000 and <= 0x109F or >= 0x1780 and <= 0x17FF;

    private static bool IsWordPart(Rune rune) => Rune.IsLetterOrDigit(rune)
        || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;
}
