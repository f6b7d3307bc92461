using System.Globalization;
using System.Runtime.CompilerServices;

namespace Attune.Core.Tokens;

/// <summary>The kinds of characters that the split patterns tell apart.</summary>
internal enum CharKind : byte
{
    /// <summary>None of the others: punctuation, symbols, marks, controls.</summary>
    Other,

    /// <summary>\p{L}.</summary>
    Letter,

    /// <summary>\p{N}.</summary>
    Number,

    /// <summary>\s but for line ends.</summary>
    Space,

    /// <summary>\r and \n.</summary>
    LineEnd,
}

/// <summary>The kind of each character: a table for the basic plane, Unicode data for the others.</summary>
internal static class CharKinds
{
    private static readonly byte[] Table = Build();

    /// <summary>The kind of the code point at <paramref name="index"/> and its length in code units.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static CharKind At(ReadOnlySpan<char> text, int index, out int length)
    {
        var c = text[index];
        length = 1;
        return char.IsSurrogate(c) ? OfSurrogate(text, index, out length) : (CharKind)Table[c];
    }

    private static CharKind OfSurrogate(ReadOnlySpan<char> text, int index, out int length)
    {
        length = 1;
        if (!char.IsHighSurrogate(text[index]) || index + 1 == text.Length || !char.IsLowSurrogate(text[index + 1]))
            return CharKind.Other;
        length = 2;
        return Of(char.ConvertToUtf32(text[index], text[index + 1]));
    }

    private static CharKind Of(int codePoint) => CharUnicodeInfo.GetUnicodeCategory(codePoint) switch
    {
        <= UnicodeCategory.OtherLetter => CharKind.Letter,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => CharKind.Number,
        _ => codePoint is '\r' or '\n' ? CharKind.LineEnd
            : codePoint <= char.MaxValue && char.IsWhiteSpace((char)codePoint) ? CharKind.Space : CharKind.Other,
    };

    private static byte[] Build()
    {
        var table = new byte[char.MaxValue + 1];
        for (var c = 0; c < table.Length; c++)
            table[c] = (byte)Of(c);
        return table;
    }
}
