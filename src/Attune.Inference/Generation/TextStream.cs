using System.Text;
using Attune.Core.Tokens;

namespace Attune.Inference;

/// <summary>
/// Tokens to text as they come: whole characters only, and nothing that a stop text may still take back.
/// What it gave, joined, is the text of the finished answer.
/// </summary>
internal sealed class TextStream(Tokenizer tokenizer, IReadOnlyList<string> stops)
{
    private readonly StreamingDecoder _decoder = new(tokenizer, skipSpecialTokens: true);
    private readonly StringBuilder _text = new();
    private string _held = "";

    /// <summary>Everything given so far.</summary>
    public string Text => _text.ToString();

    /// <summary>Whether a stop text came: nothing more will be given.</summary>
    public bool Stopped { get; private set; }

    /// <summary>The text that is certain now.</summary>
    public string Append(int id) => Give(_decoder.Append(id), last: false);

    /// <summary>The rest, when no more tokens come.</summary>
    public string Finish() => Give(_decoder.Flush(), last: true);

    private string Give(string more, bool last)
    {
        if (Stopped)
            return "";
        var text = _held + more;
        var at = stops.Select(stop => text.IndexOf(stop, StringComparison.Ordinal)).Where(i => i >= 0).DefaultIfEmpty(-1).Min();
        Stopped = at >= 0;
        var sure = Stopped ? at : last ? text.Length : text.Length - stops.Select(stop => Overlap(text, stop)).DefaultIfEmpty(0).Max();
        _held = Stopped ? "" : text[sure..];
        _text.Append(text, 0, sure);
        return text[..sure];
    }

    /// <summary>The longest end of the text that is a beginning of the stop.</summary>
    private static int Overlap(string text, string stop)
    {
        for (var length = Math.Min(text.Length, stop.Length - 1); length > 0; length--)
        {
            if (text.AsSpan(text.Length - length).SequenceEqual(stop.AsSpan(0, length)))
                return length;
        }
        return 0;
    }
}
