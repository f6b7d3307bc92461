using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;

namespace Attune.Core.Tokens;

/// <summary>
/// Turns tokens into text as they come, never half a character: bytes wait until their character is whole. What
/// <see cref="Append"/> and <see cref="Flush"/> gave, joined, is what <see cref="Tokenizer.Decode"/> gives for all ids
/// at once. For one stream; not thread-safe.
/// </summary>
public sealed class StreamingDecoder
{
    private readonly Tokenizer _tokenizer;
    private readonly bool _skipSpecialTokens;
    private readonly List<byte> _pending = [];

    /// <param name="tokenizer">Whose ids come.</param>
    /// <param name="skipSpecialTokens">Special tokens give no text.</param>
    public StreamingDecoder(Tokenizer tokenizer, bool skipSpecialTokens = true)
    {
        _tokenizer = tokenizer;
        _skipSpecialTokens = skipSpecialTokens;
    }

    /// <summary>The text that this token completes; empty while a character is still open.</summary>
    /// <exception cref="TokenException">ATT2505: no such id.</exception>
    public string Append(int id) => Take(_tokenizer.BytesOf(id, _skipSpecialTokens), flush: false);

    /// <summary>What is left at the end: U+FFFD for a character that never became whole.</summary>
    public string Flush() => Take([], flush: true);

    private string Take(ReadOnlySpan<byte> bytes, bool flush)
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
