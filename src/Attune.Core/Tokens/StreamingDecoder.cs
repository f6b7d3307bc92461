using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using Attune.Core.Tokens.Decoders;

namespace Attune.Core.Tokens;

/// <summary>
/// Turns tokens into text as they come, never half a character: bytes wait until their character is whole. What
/// <see cref="Append"/> and <see cref="Flush"/> gave, joined, is what <see cref="Tokenizer.Decode"/> gives for all ids
/// at once (but for a broken run of byte-fallback tokens, where Decode gives up on the whole run). For one stream.
/// </summary>
/// <param name="tokenizer">Whose ids come.</param>
/// <param name="skipSpecialTokens">Special tokens give no text.</param>
public sealed class StreamingDecoder(Tokenizer tokenizer, bool skipSpecialTokens = true)
{
    private readonly List<byte> _pending = [];
    private readonly List<int> _window = [];
    private int _context;
    private int _shown;

    /// <summary>The text that this token completes; empty while a character is still open.</summary>
    /// <exception cref="TokenException">ATT2505: no such id.</exception>
    public string Append(int id)
    {
        if (tokenizer.DecodesBytes)
            return TakeBytes(tokenizer.BytesOf(id, skipSpecialTokens), flush: false);
        var isByte = ByteFallbackDecoder.ByteOf(tokenizer.TokenText(id)) is not null;
        if (skipSpecialTokens && tokenizer.IsSpecial(id))
            return "";
        _window.Add(id);
        var text = tokenizer.Decode(CollectionsMarshal.AsSpan(_window));
        if (isByte && text.EndsWith('\uFFFD'))
            return "";
        var fresh = text[Math.Min(_shown, text.Length)..];
        // One token before stays, because the first of a text may be written otherwise. It must not be a byte.
        if (!isByte)
            _window.RemoveRange(0, _window.Count - 1);
        else if (_context > 0)
            _window.RemoveRange(_context, _window.Count - _context);
        _context = isByte ? _context : 1;
        _shown = tokenizer.Decode(CollectionsMarshal.AsSpan(_window)).Length;
        return fresh;
    }

    /// <summary>What is left at the end: U+FFFD for a character that never became whole.</summary>
    public string Flush()
    {
        if (tokenizer.DecodesBytes)
            return TakeBytes([], flush: true);
        var text = tokenizer.Decode(CollectionsMarshal.AsSpan(_window));
        var fresh = text[Math.Min(_shown, text.Length)..];
        _shown = text.Length;
        return fresh;
    }

    private string TakeBytes(ReadOnlySpan<byte> bytes, bool flush)
    {
        _pending.AddRange(bytes);
        var whole = flush ? _pending.Count : _pending.Count - OpenTail(CollectionsMarshal.AsSpan(_pending));
        var text = Encoding.UTF8.GetString(CollectionsMarshal.AsSpan(_pending)[..whole]);
        _pending.RemoveRange(0, whole);
        return text;
    }

    /// <summary>How many bytes at the end begin a character that is not whole yet: 0 to 3.</summary>
    private static int OpenTail(ReadOnlySpan<byte> bytes)
    {
        for (var length = Math.Min(3, bytes.Length); length > 0; length--)
        {
            if (Rune.DecodeFromUtf8(bytes[^length..], out _, out _) == OperationStatus.NeedMoreData)
                return length;
        }
        return 0;
    }
}
