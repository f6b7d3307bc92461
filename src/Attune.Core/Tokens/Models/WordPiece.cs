namespace Attune.Core.Tokens.Models;

/// <summary>BERT's model: the longest piece that begins the word, then the longest that goes on, or unknown as a whole.</summary>
internal sealed class WordPiece(Vocabulary vocabulary, int unknown, string prefix, int longestWord) : TokenModel
{
    public override Vocabulary Vocabulary => vocabulary;

    public override int Unknown => unknown;

    public override bool CanMake(IReadOnlySet<int> ids) => vocabulary.Entries.Any(e => ids.Contains(e.Value));

    public override void Encode(ReadOnlySpan<char> word, int offset, IReadOnlySet<int>? banned, TokenBuffer output)
    {
        var before = output.Count;
        var characters = 0;
        foreach (var _ in word.EnumerateRunes())
            characters++;
        for (var start = 0; characters <= longestWord && start < word.Length;)
        {
            var end = word.Length;
            for (; end > start; end--)
            {
                var piece = start == 0 ? word[..end] : string.Concat(prefix, word[start..end]);
                if (vocabulary.TryGetId(piece, out var id) && banned?.Contains(id) != true)
                {
                    output.Add(id, offset + start, offset + end);
                    break;
                }
            }
            if (end == start)
                break;
            start = end;
            if (start == word.Length)
                return;
        }
        output.Count = before;
        output.Add(unknown, offset, offset + word.Length);
    }
}

/// <summary>Whole words, or unknown.</summary>
internal sealed class WordLevel(Vocabulary vocabulary, int unknown) : TokenModel
{
    public override Vocabulary Vocabulary => vocabulary;

    public override int Unknown => unknown;

    public override bool CanMake(IReadOnlySet<int> ids) => vocabulary.Entries.Any(e => ids.Contains(e.Value));

    public override void Encode(ReadOnlySpan<char> word, int offset, IReadOnlySet<int>? banned, TokenBuffer output)
    {
        if (!vocabulary.TryGetId(word, out var id) || banned?.Contains(id) == true)
            id = unknown;
        if (id < 0)
            throw TokenException.Unknown("The text has a word that the tokenizer does not know, and it has no token for the unknown.");
        output.Add(id, offset, offset + word.Length);
    }
}
