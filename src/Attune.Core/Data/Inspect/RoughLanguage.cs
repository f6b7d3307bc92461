using System.Text;

namespace Attune.Core.Data;

/// <summary>
/// The language of a text, roughly: by its script, and where that is Latin by its commonest little words. Good enough to
/// see that a file mixes languages; not a language identifier.
/// </summary>
public static class RoughLanguage
{
    private const int LettersSeen = 4000;

    private static readonly (string Language, HashSet<string> Words)[] LittleWords =
    [
        ("en", ["the", "and", "of", "to", "is", "in", "that", "it", "for", "you", "with", "are", "what"]),
        ("de", ["der", "die", "und", "das", "ist", "nicht", "ein", "eine", "zu", "den", "mit", "von"]),
        ("fr", ["le", "la", "les", "et", "des", "est", "une", "que", "dans", "pour", "du", "qui"]),
        ("es", ["el", "los", "las", "que", "y", "una", "por", "con", "para", "del", "es", "se"]),
    ];

    /// <summary>en, de, fr, es, zh, ja, ko, ru (any Cyrillic), ar (any Arabic); "latin" for other Latin text, "other", or "none" without letters.</summary>
    public static string Of(string text)
    {
        var (latin, han, kana, hangul, cyrillic, arabic, other) = (0, 0, 0, 0, 0, 0, 0);
        foreach (var rune in text.AsSpan(0, Math.Min(text.Length, LettersSeen)).EnumerateRunes())
        {
            if (!Rune.IsLetter(rune))
                continue;
            _ = rune.Value switch
            {
                < 0x250 or >= 0x1E00 and < 0x1F00 => latin++,
                >= 0x3040 and <= 0x30FF => kana++,
                >= 0x4E00 and <= 0x9FFF or >= 0x3400 and <= 0x4DBF => han++,
                >= 0xAC00 and <= 0xD7AF or >= 0x1100 and <= 0x11FF => hangul++,
                >= 0x400 and < 0x530 => cyrillic++,
                >= 0x600 and < 0x780 => arabic++,
                _ => other++,
            };
        }
        // A Han character says about as much as two letters of an alphabet.
        var scripts = new (string Language, int Weight)[]
        {
            ("latin", latin), (kana * 10 > han ? "ja" : "zh", 2 * (han + kana)), ("ko", 2 * hangul), ("ru", cyrillic), ("ar", arabic), ("other", other),
        };
        var best = scripts.MaxBy(s => s.Weight);
        return best.Weight == 0 ? "none" : best.Language == "latin" ? Latin(text) : best.Language;
    }

    private static string Latin(string text)
    {
        var counts = new int[LittleWords.Length];
        foreach (var word in text[..Math.Min(text.Length, LettersSeen)].ToLowerInvariant().Split([' ', '\n', '\t', '.', ',', '?', '!', '\'', '"'], StringSplitOptions.RemoveEmptyEntries))
        {
            for (var i = 0; i < counts.Length; i++)
                counts[i] += LittleWords[i].Words.Contains(word) ? 1 : 0;
        }
        var most = Array.IndexOf(counts, counts.Max());
        return counts[most] == 0 ? "latin" : LittleWords[most].Language;
    }
}
