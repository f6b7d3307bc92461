using Attune.Core.Randomness;

namespace Attune.Core.Worlds;

/// <summary>Places and their code words: who may meet which, and how they are stated and asked for.</summary>
internal static class CodeWords
{
    /// <summary>A place and a word of a split. Each pair belongs to one split only, so a secret of the tests was never told in training.</summary>
    public static (string Owner, string Word) Draw(SecretWords secrets, WorldSplit split, RandomStream random, string? owner = null)
    {
        while (true)
        {
            var place = random.Next(secrets.Owners.Count);
            var word = random.Next(secrets.Words.Count);
            if (SplitOf(place, word) == split && (owner is null || secrets.Owners[place] == owner)) return (secrets.Owners[place], secrets.Words[word]);
        }
    }

    /// <summary>"The code word of the club is amber."</summary>
    public static string Statement(SecretWords secrets, string owner, string word) => secrets.Statement
        .Replace("{o}", owner, StringComparison.Ordinal).Replace("{w}", word, StringComparison.Ordinal);

    /// <summary>A plain question. Its frames are those of questions about people; which of them are held out is fixed here.</summary>
    public static string Ask(WorldLanguage language, WorldSplit split, RandomStream random, string owner)
    {
        var frames = language.NounFrames.Where((_, i) => FrameSplit(i) == split).ToArray();
        return Wordings.Capital(random.Pick(frames).Replace("{n}", language.Secrets.Noun, StringComparison.Ordinal).Replace("{X}", owner, StringComparison.Ordinal));
    }

    private static WorldSplit SplitOf(int owner, int word) =>
        (((3 * owner) + word) % 10) switch { < 3 => WorldSplit.Test, 3 => WorldSplit.Valid, _ => WorldSplit.Train };

    private static WorldSplit FrameSplit(int frame) =>
        (frame % 6) switch { 4 or 5 => WorldSplit.Test, 2 => WorldSplit.Valid, _ => WorldSplit.Train };
}
