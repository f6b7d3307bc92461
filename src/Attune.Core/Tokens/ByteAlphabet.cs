using System.Text;

namespace Attune.Core.Tokens;

/// <summary>
/// GPT-2's way to write any byte as one visible character, so that a vocabulary of byte strings can stand in JSON:
/// printable Latin-1 bytes are themselves, the other 68 are U+0100 and on.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] ByteToChar = Build();
    private static readonly short[] CharToByte = Invert();

    /// <summary>The character of a byte.</summary>
    public static char CharOf(byte value) => ByteToChar[value];

    /// <summary>The byte of a character, or -1 where it is none of the 256.</summary>
    public static int ByteOf(char character) => character < CharToByte.Length ? CharToByte[character] : -1;

    /// <summary>All 256 characters in ascending order: the order of their ids in a vocabulary trained by the reference.</summary>
    public static IEnumerable<char> Sorted() => ByteToChar.Order();

    /// <summary>Text as its UTF-8 bytes, each as a visible character.</summary>
    public static string Write(ReadOnlySpan<byte> bytes)
    {
        var builder = new StringBuilder(bytes.Length);
        foreach (var value in bytes)
            builder.Append(ByteToChar[value]);
        return builder.ToString();
    }

    /// <summary>The bytes that a visible text stands for; where one character is not of the alphabet, the text's own UTF-8 bytes.</summary>
    public static byte[] Read(string visible)
    {
        var bytes = new byte[visible.Length];
        for (var i = 0; i < visible.Length; i++)
        {
            var value = ByteOf(visible[i]);
            if (value < 0)
                return Encoding.UTF8.GetBytes(visible);
            bytes[i] = (byte)value;
        }
        return bytes;
    }

    private static char[] Build()
    {
        var table = new char[256];
        var next = 256;
        for (var b = 0; b < 256; b++)
            table[b] = b is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE and <= 0xFF ? (char)b : (char)next++;
        return table;
    }

    private static short[] Invert()
    {
        var table = new short[ByteToChar.Max() + 1];
        Array.Fill(table, (short)-1);
        for (var b = 0; b < 256; b++)
            table[ByteToChar[b]] = (short)b;
        return table;
    }
}
