using System.Buffers;
using System.Globalization;
using System.Text;
using Attune.Prompts;

namespace Attune.Core.Tokens;

/// <summary>A token that is looked for in the text itself, before the model sees it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Text">Its text.</param>
/// <param name="Special">Left out by decoding that skips special tokens.</param>
/// <param name="SingleWord">Only where no word character stands beside it.</param>
/// <param name="StripLeft">Takes the white space before it.</param>
/// <param name="StripRight">Takes the white space after it.</param>
/// <param name="Normalized">Looked for in normalised text, after the others.</param>
public sealed record AddedToken(
    int Id, string Text, bool Special = true, bool SingleWord = false, bool StripLeft = false, bool StripRight = false, bool Normalized = false)
{
    /// <summary>
    /// Whether untrusted text must never come out as it: special tokens, and those that look like markup, since
    /// published files have control tokens that are not marked special (Phi-3's &lt;/s&gt;, Qwen's &lt;tool_call&gt;).
    /// White space runs and plain words are harmless.
    /// </summary>
    public bool IsControl => Special || Text.AsSpan().IndexOfAny("<>[]|{}") >= 0;
}

/// <summary>Looks for added tokens: of those that begin first the longest, as the reference does (Aho-Corasick, leftmost-longest).</summary>
internal sealed class AddedTokenMatcher
{
    private readonly Dictionary<long, int> _edges = [];
    private readonly List<AddedToken?> _tokenAt = [null];
    private readonly SearchValues<char> _firsts;

    public AddedTokenMatcher(IEnumerable<(string Text, AddedToken Token)> tokens)
    {
        var firsts = new HashSet<char>();
        foreach (var (text, token) in tokens)
        {
            if (text.Length == 0)
                continue;
            firsts.Add(text[0]);
            var node = 0;
            foreach (var c in text)
            {
                if (!_edges.TryGetValue(Edge(node, c), out var child))
                {
                    child = _tokenAt.Count;
                    _edges[Edge(node, c)] = child;
                    _tokenAt.Add(null);
                }
                node = child;
            }
            _tokenAt[node] ??= token;
        }
        _firsts = SearchValues.Create([.. firsts]);
    }

    public bool IsEmpty => _edges.Count == 0;

    /// <summary>
    /// Cuts the text into tokens found and stretches between them (token null), in order. <paramref name="refuses"/>
    /// says which match must not be: then a shorter one at the same place is tried, then the next place.
    /// </summary>
    public void Split(ReadOnlySpan<char> text, Func<AddedToken, int, int, bool>? refuses, List<(AddedToken? Token, int Start, int End)> parts)
    {
        var from = 0;
        for (var at = 0; at < text.Length;)
        {
            var skip = text[at..].IndexOfAny(_firsts);
            if (skip < 0)
                break;
            at += skip;
            if (Longest(text, at, refuses) is not { } match)
            {
                at++;
                continue;
            }
            var (token, end) = match;
            if (token.SingleWord && (EndsWithWord(text[..at]) || StartsWithWord(text[end..])))
            {
                at = end;
                continue;
            }
            var (start, stop) = (at, end);
            at = end;
            while (token.StripLeft && start > from && char.IsWhiteSpace(text[start - 1]))
                start--;
            while (token.StripRight && stop < text.Length && char.IsWhiteSpace(text[stop]))
                stop++;
            if (token.StripLeft)
                start = Math.Max(start, from);
            if (from < start)
                parts.Add((null, from, start));
            parts.Add((token, start, stop));
            from = stop;
        }
        if (from < text.Length)
            parts.Add((null, from, text.Length));
    }

    private (AddedToken Token, int End)? Longest(ReadOnlySpan<char> text, int start, Func<AddedToken, int, int, bool>? refuses)
    {
        (AddedToken, int)? best = null;
        var node = 0;
        for (var at = start; at < text.Length && _edges.TryGetValue(Edge(node, text[at]), out node); at++)
        {
            if (_tokenAt[node] is { } token && refuses?.Invoke(token, start, at + 1) != true)
                best = (token, at + 1);
        }
        return best;
    }

    private static bool EndsWithWord(ReadOnlySpan<char> text) =>
        text.Length > 0 && Rune.DecodeLastFromUtf16(text, out var rune, out _) == OperationStatus.Done && IsWord(rune);

    private static bool StartsWithWord(ReadOnlySpan<char> text) =>
        text.Length > 0 && Rune.DecodeFromUtf16(text, out var rune, out _) == OperationStatus.Done && IsWord(rune);

    /// <summary>\w of Unicode's UTS 18: letters, marks, decimal digits, letter numbers, connectors and joiners.</summary>
    private static bool IsWord(Rune rune) => Rune.GetUnicodeCategory(rune) is <= UnicodeCategory.OtherLetter
        or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark
        or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation
        || rune.Value is 0x200C or 0x200D or (>= 0x24B6 and <= 0x24E9) or (>= 0x1F130 and <= 0x1F149) or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189);

    private static long Edge(int node, char c) => ((long)node << 16) | c;
}
