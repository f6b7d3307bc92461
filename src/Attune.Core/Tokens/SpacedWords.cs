namespace Attune.Core.Tokens;

/// <summary>The words of a vocabulary that are two tokens: one with the space before it, one without.</summary>
public static class SpacedWords
{
    /// <summary>Words of letters or digits that are one token alone, and one after a space.</summary>
    public static IEnumerable<(int Spaced, int Bare)> Of(Tokenizer tokenizer)
    {
        for (var id = 0; id < tokenizer.VocabularySize; id++)
        {
            if (!tokenizer.HasId(id) || tokenizer.Decode([id]) is not [' ', _, ..] text || !text.Skip(1).All(char.IsLetterOrDigit))
                continue;
            if (tokenizer.Encode(text) is [var spaced] && spaced == id && tokenizer.Encode(text[1..]) is [var bare])
                yield return (spaced, bare);
        }
    }
}
