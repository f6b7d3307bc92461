using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Attune.Core.Tokens.Normalizers;

/// <summary>
/// SentencePiece's normalisation as its models carry it: a double-array trie (darts) from UTF-8 bytes to places in a
/// list of texts that end in zero. Grapheme by grapheme, then character by character, as the reference reads it.
/// </summary>
internal sealed class PrecompiledMap : Normalizer
{
    private readonly uint[] _trie;
    private readonly byte[] _texts;
    private readonly bool _asciiStays;

    public PrecompiledMap(JsonField field)
    {
        byte[] data;
        try
        {
            data = Convert.FromBase64String(field.Text());
        }
        catch (FormatException)
        {
            throw field.Bad("Not valid base64.");
        }
        if (data.Length < 4 || BinaryPrimitives.ReadUInt32LittleEndian(data) is var size && (size > data.Length - 4 || size % 4 != 0 || size == 0))
            throw field.Bad("The map's trie is cut short.");
        _trie = new uint[size / 4];
        for (var i = 0; i < _trie.Length; i++)
            _trie[i] = BinaryPrimitives.ReadUInt32LittleEndian(data.AsSpan(4 + (4 * i)));
        _texts = data[(4 + (int)size)..];
        Span<byte> one = stackalloc byte[1];
        _asciiStays = true;
        for (var c = ' '; c <= '~'; c++)
        {
            one[0] = (byte)c;
            _asciiStays &= Find(one) is null;
        }
    }

    public override AlignedText Apply(AlignedText text)
    {
        if (_asciiStays && !text.Text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            return text;
        var changes = new Changes();
        Span<byte> utf8 = stackalloc byte[8];
        for (var at = 0; at < text.Text.Length;)
        {
            var rest = text.Text.AsSpan(at);
            if (_asciiStays && rest.Length > 1 && rest[0] is >= ' ' and <= '~' && rest[1] is >= ' ' and <= '~')
            {
                changes.Keep(rest[0]);
                at++;
                continue;
            }
            var length = rest.Length > 1 && rest[0] is >= ' ' and <= '~' && rest[1] is >= ' ' and <= '~' ? 1 : StringInfo.GetNextTextElementLength(rest);
            var grapheme = rest[..length];
            at += length;
            // Only graphemes of at most five bytes are looked up whole.
            if (length <= 5 && Encoding.UTF8.GetByteCount(grapheme) < 6
                && Find(utf8[..Encoding.UTF8.GetBytes(grapheme, utf8)]) is { } whole)
            {
                var count = 0;
                foreach (var _ in grapheme.EnumerateRunes())
                    count++;
                changes.Replace(count, whole);
                continue;
            }
            foreach (var rune in grapheme.EnumerateRunes())
            {
                if (Find(utf8[..rune.EncodeToUtf8(utf8)]) is { } one)
                    changes.Replace(1, one);
                else
                    changes.Keep(rune.Value);
            }
        }
        return changes.Any ? changes.Apply(text) : text;
    }

    /// <summary>The text for the shortest prefix that the trie knows, as the reference takes it, or null.</summary>
    private string? Find(ReadOnlySpan<byte> key)
    {
        var node = Offset(_trie[0]);
        foreach (var b in key)
        {
            node ^= b;
            if (b == 0 || node >= _trie.Length)
                return null;
            var unit = _trie[node];
            if ((unit & 0x800000FF) != b)
                return null;
            node ^= Offset(unit);
            if ((unit >> 8 & 1) == 0)
                continue;
            if (node >= _trie.Length)
                return null;
            var start = (int)(_trie[node] & 0x7FFFFFFF);
            if (start > _texts.Length)
                return null;
            var rest = _texts.AsSpan(start);
            var end = rest.IndexOf((byte)0);
            return Encoding.UTF8.GetString(end < 0 ? rest : rest[..end]);
        }
        return null;
    }

    private static uint Offset(uint unit) => (unit >> 10) << (int)((unit & (1 << 9)) >> 6);
}
