using System.Text;
using System.Text.Unicode;

namespace Attune.Core.Data;

/// <summary>Text files read strictly: UTF-8, or UTF-16 and UTF-32 that say so by a byte order mark. Nothing becomes U+FFFD silently.</summary>
internal static class TextFile
{
    private const int Sniffed = 4096;

    /// <summary>The lines, counted from one, without their ends (\n, \r\n or \r).</summary>
    public static IEnumerable<(int Number, string Text)> Lines(string path)
    {
        var encoding = Sniff(path);
        using var reader = new StreamReader(path, encoding, detectEncodingFromByteOrderMarks: true);
        for (var number = 1; ; number++)
        {
            string? line;
            try
            {
                line = reader.ReadLine();
            }
            catch (DecoderFallbackException)
            {
                throw BadBytes(path, encoding);
            }
            catch (IOException e)
            {
                throw DataException.NoFile(path, e);
            }
            if (line is null)
                yield break;
            yield return (number, line);
        }
    }

    /// <summary>The whole file as valid UTF-8 without a byte order mark.</summary>
    public static byte[] Utf8(string path)
    {
        var encoding = Sniff(path);
        if (new FileInfo(path).Length > Array.MaxLength)
            throw DataException.TooLarge(path);
        try
        {
            var bytes = File.ReadAllBytes(path);
            if (encoding is not UTF8Encoding)
                return Encoding.UTF8.GetBytes(encoding.GetString(bytes.AsSpan(encoding.Preamble.Length)));
            return !System.Text.Unicode.Utf8.IsValid(bytes) ? throw BadBytes(path, encoding)
                : bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? bytes[Encoding.UTF8.Preamble.Length..]
                : bytes;
        }
        catch (DecoderFallbackException)
        {
            throw BadBytes(path, encoding);
        }
        catch (IOException e)
        {
            throw DataException.NoFile(path, e);
        }
    }

    /// <summary>The name of the encoding, for people.</summary>
    public static string EncodingName(string path) => Sniff(path) is UTF8Encoding ? "UTF-8" : Sniff(path).WebName.ToUpperInvariant() + " (by its byte order mark)";

    private static Encoding Sniff(string path)
    {
        Span<byte> head = stackalloc byte[Sniffed];
        try
        {
            using var file = File.OpenRead(path);
            head = head[..file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw DataException.NoFile(path, e);
        }
        if (head.IsEmpty)
            throw DataException.Empty(path);

        // The 32-bit mark first: the 16-bit one is its beginning.
        Encoding[] marked = [new UTF32Encoding(false, true, true), new UTF32Encoding(true, true, true), new UnicodeEncoding(false, true, true), new UnicodeEncoding(true, true, true)];
        foreach (var encoding in marked)
        {
            if (head.StartsWith(encoding.Preamble))
                return encoding;
        }
        return head.Contains((byte)0)
            ? throw DataException.Encoding(path, 1, "There are NUL bytes: UTF-16 without a byte order mark, or no text at all.")
            : new UTF8Encoding(false, throwOnInvalidBytes: true);
    }

    // Found again byte by byte, for a decoder reports by the buffer.
    private static DataException BadBytes(string path, Encoding encoding)
    {
        if (encoding is not UTF8Encoding)
            return DataException.Encoding(path, null, $"The bytes are not valid {encoding.WebName.ToUpperInvariant()}, which the byte order mark promises.");
        ReadOnlySpan<byte> rest = File.ReadAllBytes(path);
        for (var line = 1; !rest.IsEmpty; line++)
        {
            var end = rest.IndexOf((byte)'\n') is >= 0 and var at ? at + 1 : rest.Length;
            var bytes = rest[..end];
            for (var i = 0; i < bytes.Length;)
            {
                if (Rune.DecodeFromUtf8(bytes[i..], out _, out var used) != System.Buffers.OperationStatus.Done)
                    return DataException.Encoding(path, line, FormattableString.Invariant($"Byte 0x{bytes[i]:X2} at column {i + 1} is not UTF-8 (Latin-1, Windows-1252 or GB18030, perhaps)."));
                i += used;
            }
            rest = rest[end..];
        }
        return DataException.Encoding(path, null, "The file is not UTF-8.");
    }
}
