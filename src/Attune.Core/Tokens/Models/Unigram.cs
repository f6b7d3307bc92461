using System.Buffers;

namespace Attune.Core.Tokens.Models;

/// <summary>
/// The Unigram model (Kudo 2018): of all ways to write a word as pieces, the one whose scores add up highest (Viterbi).
/// A character that no piece covers is unknown, at ten less than the worst piece.
/// </summary>
internal sealed class Unigram : TokenModel
{
    private const double UnknownPenalty = 10;
    private readonly PieceTrie _trie;
    private readonly double[] _scores;
    private readonly int _unknown;
    private readonly double _unknownScore;
    private readonly int[]? _fallback;

    /// <param name="pieces">Texts and scores, by id.</param>
    /// <param name="unknown">The id for what is unknown, or -1 where there is none.</param>
    /// <param name="byteFallback">Whether what is unknown is written in bytes.</param>
    public Unigram(IReadOnlyList<(string Text, double Score)> pieces, int unknown, bool byteFallback)
    {
        Vocabulary = new Vocabulary([.. pieces.Select((p, id) => KeyValuePair.Create(p.Text, id))]);
        _scores = [.. pieces.Select(p => p.Score)];
        _unknown = unknown;
        _unknownScore = (pieces.Count == 0 ? 0 : pieces.Min(p => p.Score)) - UnknownPenalty;
        _fallback = byteFallback ? Bpe.FallbackIds(Vocabulary) : null;
        _trie = new PieceTrie(Vocabulary);
    }

    public override Vocabulary Vocabulary { get; }

    public override int Unknown => _unknown;

    // Any piece can come out of text that spells it.
    public override bool CanMake(IReadOnlySet<int> ids) => Vocabulary.Entries.Any(e => ids.Contains(e.Value));

    public override void Encode(ReadOnlySpan<char> word, int offset, IReadOnlySet<int>? banned, TokenBuffer output)
    {
        var length = word.Length;
        var scores = ArrayPool<double>.Shared.Rent(length + 1);
        var from = ArrayPool<int>.Shared.Rent(length + 1);
        var ids = ArrayPool<int>.Shared.Rent(length + 1);
        from.AsSpan(0, length + 1).Fill(-1);
        scores[0] = 0;
        for (var at = 0; at < length;)
        {
            var character = char.IsHighSurrogate(word[at]) && at + 1 < length && char.IsLowSurrogate(word[at + 1]) ? 2 : 1;
            var here = scores[at];
            var covered = false;
            var node = 0;
            for (var end = at; end < length && (node = _trie.Child(node, word[end])) > 0;)
            {
                end++;
                var id = _trie.IdAt(node);
                if (id < 0 || banned?.Contains(id) == true)
                    continue;
                covered |= end - at == character;
                Offer(end, here + _scores[id], id);
            }
            if (!covered)
                Offer(at + character, here + _unknownScore, _unknown);
            at += character;

            void Offer(int end, double score, int id)
            {
                if (from[end] < 0 || score > scores[end])
                    (scores[end], from[end], ids[end]) = (score, at, id);
            }
        }
        Emit(word, offset, from, ids, output);
        ArrayPool<double>.Shared.Return(scores);
        ArrayPool<int>.Shared.Return(from);
        ArrayPool<int>.Shared.Return(ids);
    }

    private void Emit(ReadOnlySpan<char> word, int offset, int[] from, int[] ids, TokenBuffer output)
    {
        var pieces = new List<(int Start, int End, int Id)>();
        for (var end = word.Length; end > 0; end = from[end])
        {
            // Unknown pieces that touch are one.
            if (ids[end] == _unknown && pieces.Count > 0 && pieces[^1].Id == _unknown)
                pieces[^1] = (from[end], pieces[^1].End, _unknown);
            else
                pieces.Add((from[end], end, ids[end]));
        }
        Span<byte> utf8 = stackalloc byte[4];
        for (var i = pieces.Count - 1; i >= 0; i--)
        {
            var (start, end, id) = pieces[i];
            var text = word[start..end];
            // Fused unknown pieces may spell a piece after all; the reference looks the text up again.
            if (id == _unknown && Vocabulary.TryGetId(text, out var known))
                id = known;
            else if (id == _unknown && _fallback is not null && KnowsBytes(text))
            {
                foreach (var rune in text.EnumerateRunes())
                {
                    foreach (var b in utf8[..rune.EncodeToUtf8(utf8)])
                        output.Add(_fallback[b], offset + start, offset + end);
                }
                continue;
            }
            if (id < 0)
                throw TokenException.Unknown("The text has a character that the tokenizer does not know, and it has no token for the unknown.");
            output.Add(id, offset + start, offset + end);
        }
    }

    private bool KnowsBytes(ReadOnlySpan<char> text)
    {
        Span<byte> utf8 = stackalloc byte[4];
        foreach (var rune in text.EnumerateRunes())
        {
            foreach (var b in utf8[..rune.EncodeToUtf8(utf8)])
            {
                if (_fallback![b] < 0)
                    return false;
            }
        }
        return true;
    }
}
