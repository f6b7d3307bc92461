using System.Collections.Concurrent;
using Attune.Core.Tokens.Models;
using Attune.Core.Tokens.PreTokenizers;
using Attune.Prompts;

namespace Attune.Core.Tokens;

/// <summary>
/// Text to tokens in the reference's order: added tokens that are looked for in the text as it is; then, in each
/// stretch between them, the normalizer, added tokens that are looked for in normalised text, the cut into words, and
/// the model on each word.
/// </summary>
internal sealed class TextEncoder
{
    private readonly TokenizerParts _parts;
    private readonly AddedTokenMatcher _raw;
    private readonly AddedTokenMatcher _normalized;
    private readonly HashSet<int> _control;
    private readonly bool _modelMakesControl;
    private readonly WordSplit? _scanner;
    private readonly char? _boundary;
    private readonly PreTokenizer? _afterWhiteSpace;
    private readonly ConcurrentBag<WordCache> _caches = [];

    public TextEncoder(TokenizerParts parts)
    {
        _parts = parts;
        _raw = new AddedTokenMatcher(parts.Added.Where(t => !t.Normalized).Select(t => (t.Text, t)));
        _normalized = new AddedTokenMatcher(parts.Added.Where(t => t.Normalized).Select(t => (Normalize(t.Text, 0).Text, t)));
        _control = [.. parts.Added.Where(t => t.IsControl && !IsNeeded(t)).Select(t => t.Id)];
        _modelMakesControl = parts.Model.CanMake(_control);
        _afterWhiteSpace = PreTokenizerReader.AfterWhiteSpace(parts.PreTokenizer);
        if (parts.Model is Bpe bpe)
        {
            _scanner = bpe.TakesBytes ? PreTokenizerReader.Scanner(parts.PreTokenizer) : null;
            _boundary = parts.PreTokenizer is null ? bpe.Boundary : null;
        }
    }

    /// <summary>Appends the text's tokens, with ranges in code units of it. See <see cref="ITokenEncoder.Encode"/>.</summary>
    public void Encode(string text, IReadOnlyList<TextSpan> untrusted, TokenBuffer output)
    {
        text = WithoutLoneSurrogates(text);
        if (!_caches.TryTake(out var cache))
            cache = new WordCache();
        if (_raw.IsEmpty)
        {
            EncodeStretch(text, 0, text.Length, untrusted, output, cache);
        }
        else
        {
            var parts = new List<(AddedToken? Token, int Start, int End)>();
            _raw.Split(text, untrusted.Count == 0 ? null : (token, start, end) => token.IsControl && Touches(untrusted, start, end), parts);
            foreach (var (token, start, end) in parts)
            {
                if (token is not null)
                    output.Add(token.Id, start, end);
                else
                    EncodeStretch(text, start, end, untrusted, output, cache);
            }
        }
        _caches.Add(cache);
    }

    /// <summary>Bytes and the unknown token are special in some files, and still what ordinary text comes out as.</summary>
    private bool IsNeeded(AddedToken token) => Decoders.ByteFallbackDecoder.ByteOf(token.Text) is not null || token.Id == _parts.Model.Unknown;

    private void EncodeStretch(string text, int start, int end, IReadOnlyList<TextSpan> untrusted, TokenBuffer output, WordCache cache)
    {
        if (_parts.Normalizer is null && _normalized.IsEmpty && _scanner is { } scanner)
        {
            EncodeBytes(text.AsSpan(start, end - start), scanner, start, untrusted, output, cache);
            return;
        }
        var aligned = Normalize(text[start..end], start);
        if (_normalized.IsEmpty)
        {
            EncodeWords(aligned, 0, aligned.Text.Length, untrusted, output, cache);
            return;
        }
        var parts = new List<(AddedToken? Token, int Start, int End)>();
        _normalized.Split(
            aligned.Text,
            untrusted.Count == 0 ? null : (token, from, to) => token.IsControl && aligned.Range(from, to) is var range && Touches(untrusted, range.Start, range.End),
            parts);
        foreach (var (token, from, to) in parts)
        {
            if (token is null)
            {
                EncodeWords(aligned, from, to, untrusted, output, cache);
                continue;
            }
            var range = aligned.Range(from, to);
            output.Add(token.Id, range.Start, range.End);
        }
    }

    private AlignedText Normalize(string text, int origin)
    {
        var aligned = new AlignedText(text, origin);
        return _parts.Normalizer?.Apply(aligned) ?? aligned;
    }

    private void EncodeWords(AlignedText text, int start, int end, IReadOnlyList<TextSpan> untrusted, TokenBuffer output, WordCache cache)
    {
        if (start == end)
            return;
        if (_scanner is { } scanner && text.IsOriginal)
        {
            EncodeBytes(text.Text.AsSpan(start, end - start), scanner, text.Origin + start, untrusted, output, cache);
            return;
        }
        if (_afterWhiteSpace is not null)
        {
            EncodeBetweenSpaces(text, start, end, untrusted, output, cache);
            return;
        }
        var words = new Words(text, [(start, end)]);
        _parts.PreTokenizer?.Apply(words);
        foreach (var cut in words.Cuts)
        {
            if (_boundary is { } mark)
                EncodeAtBoundaries(words.Text, cut.Start, cut.End, mark, untrusted, output, cache);
            else
                EncodeWord(words.Text, cut.Start, cut.End, untrusted, output, cache);
        }
    }

    /// <summary>White space parts the words and goes: what becomes of each does not depend on the others, and is remembered.</summary>
    private void EncodeBetweenSpaces(AlignedText text, int start, int end, IReadOnlyList<TextSpan> untrusted, TokenBuffer output, WordCache cache)
    {
        for (var at = start; at < end;)
        {
            if (char.IsWhiteSpace(text.Text[at]))
            {
                at++;
                continue;
            }
            var next = at + 1;
            while (next < end && !char.IsWhiteSpace(text.Text[next]))
                next++;
            var word = text.Text.AsSpan(at, next - at);
            var from = output.Count;
            var banned = MustNotMakeControl(text, at, next, untrusted);
            var hash = WordCache.Hash(word);
            if (banned || !cache.TryAppend(word, hash, at, output))
            {
                var words = new Words(new AlignedText(word.ToString(), at), [(0, word.Length)]);
                _afterWhiteSpace!.Apply(words);
                foreach (var cut in words.Cuts)
                    EncodeWord(words.Text, cut, banned, output);
                if (!banned)
                    cache.Add(word, hash, at, output, from);
            }
            for (var i = from; i < output.Count; i++)
                (output.Starts[i], output.Ends[i]) = text.Range(output.Starts[i], output.Ends[i]);
            at = next;
        }
    }

    private void EncodeWord(AlignedText text, (int Start, int End) cut, bool banned, TokenBuffer output)
    {
        var from = output.Count;
        _parts.Model.Encode(text.Text.AsSpan(cut.Start, cut.End - cut.Start), cut.Start, banned ? _control : null, output);
        for (var i = from; i < output.Count; i++)
            (output.Starts[i], output.Ends[i]) = text.Range(output.Starts[i], output.Ends[i]);
    }

    private bool MustNotMakeControl(AlignedText text, int start, int end, IReadOnlyList<TextSpan> untrusted) =>
        _modelMakesControl && untrusted.Count > 0 && text.Range(start, end) is var range && Touches(untrusted, range.Start, range.End);

    private void EncodeAtBoundaries(AlignedText text, int start, int end, char mark, IReadOnlyList<TextSpan> untrusted, TokenBuffer output, WordCache cache)
    {
        while (start < end)
        {
            var at = start;
            while (at < end && text.Text[at] == mark)
                at++;
            var next = text.Text.AsSpan(at, end - at).IndexOf(mark);
            next = next < 0 ? end : at + next;
            EncodeWord(text, start, next, untrusted, output, cache);
            start = next;
        }
    }

    private void EncodeWord(AlignedText text, int start, int end, IReadOnlyList<TextSpan> untrusted, TokenBuffer output, WordCache cache)
    {
        var word = text.Text.AsSpan(start, end - start);
        var from = output.Count;
        if (MustNotMakeControl(text, start, end, untrusted))
        {
            _parts.Model.Encode(word, start, _control, output);
        }
        else
        {
            var hash = WordCache.Hash(word);
            if (!cache.TryAppend(word, hash, start, output))
            {
                _parts.Model.Encode(word, start, null, output);
                cache.Add(word, hash, start, output, from);
            }
        }
        for (var i = from; i < output.Count; i++)
            (output.Starts[i], output.Ends[i]) = text.Range(output.Starts[i], output.Ends[i]);
    }

    /// <summary>Byte-level BPE with a known split, on text that was not changed: no visible bytes are written, no places kept.</summary>
    private void EncodeBytes(ReadOnlySpan<char> text, WordSplit split, int offset, IReadOnlyList<TextSpan> untrusted, TokenBuffer output, WordCache cache)
    {
        var bpe = (Bpe)_parts.Model;
        var careful = _modelMakesControl && untrusted.Count > 0;
        for (var at = 0; at < text.Length;)
        {
            var end = WordSplits.Next(split, text, at);
            var word = text[at..end];
            if (careful && Touches(untrusted, offset + at, offset + end))
            {
                bpe.EncodeBytes(word, offset + at, _control, output);
            }
            else
            {
                var hash = WordCache.Hash(word);
                if (!cache.TryAppend(word, hash, offset + at, output))
                {
                    var from = output.Count;
                    bpe.EncodeBytes(word, offset + at, null, output);
                    cache.Add(word, hash, offset + at, output, from);
                }
            }
            at = end;
        }
    }

    private static string WithoutLoneSurrogates(string text)
    {
        if (text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0)
            return text;
        var units = text.ToCharArray();
        for (var at = 0; at < units.Length; at++)
        {
            if (char.IsHighSurrogate(units[at]) && at + 1 < units.Length && char.IsLowSurrogate(units[at + 1]))
                at++;
            else if (char.IsSurrogate(units[at]))
                units[at] = '\uFFFD';
        }
        return new string(units);
    }

    /// <summary>Whether [start, end) shares a code unit with one of the sorted spans.</summary>
    private static bool Touches(IReadOnlyList<TextSpan> spans, int start, int end)
    {
        var (low, high) = (0, spans.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (spans[middle].End <= start)
                low = middle + 1;
            else
                high = middle;
        }
        for (; low < spans.Count && spans[low].Start < end; low++)
        {
            if (spans[low].Length > 0)
                return true;
        }
        return false;
    }
}
