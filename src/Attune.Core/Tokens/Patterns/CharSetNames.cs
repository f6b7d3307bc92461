using System.Globalization;

namespace Attune.Core.Tokens.Patterns;

/// <summary>The names of \p{…} and [:…:]: categories, the POSIX brackets, and the scripts that split patterns use.</summary>
internal static class CharSetNames
{
    private static readonly Dictionary<string, UnicodeCategory[]> Categories = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Lu"] = [UnicodeCategory.UppercaseLetter],
        ["Ll"] = [UnicodeCategory.LowercaseLetter],
        ["Lt"] = [UnicodeCategory.TitlecaseLetter],
        ["Lm"] = [UnicodeCategory.ModifierLetter],
        ["Lo"] = [UnicodeCategory.OtherLetter],
        ["Mn"] = [UnicodeCategory.NonSpacingMark],
        ["Mc"] = [UnicodeCategory.SpacingCombiningMark],
        ["Me"] = [UnicodeCategory.EnclosingMark],
        ["Nd"] = [UnicodeCategory.DecimalDigitNumber],
        ["Nl"] = [UnicodeCategory.LetterNumber],
        ["No"] = [UnicodeCategory.OtherNumber],
        ["Zs"] = [UnicodeCategory.SpaceSeparator],
        ["Zl"] = [UnicodeCategory.LineSeparator],
        ["Zp"] = [UnicodeCategory.ParagraphSeparator],
        ["Cc"] = [UnicodeCategory.Control],
        ["Cf"] = [UnicodeCategory.Format],
        ["Cs"] = [UnicodeCategory.Surrogate],
        ["Co"] = [UnicodeCategory.PrivateUse],
        ["Cn"] = [UnicodeCategory.OtherNotAssigned],
        ["Pc"] = [UnicodeCategory.ConnectorPunctuation],
        ["Pd"] = [UnicodeCategory.DashPunctuation],
        ["Ps"] = [UnicodeCategory.OpenPunctuation],
        ["Pe"] = [UnicodeCategory.ClosePunctuation],
        ["Pi"] = [UnicodeCategory.InitialQuotePunctuation],
        ["Pf"] = [UnicodeCategory.FinalQuotePunctuation],
        ["Po"] = [UnicodeCategory.OtherPunctuation],
        ["Sm"] = [UnicodeCategory.MathSymbol],
        ["Sc"] = [UnicodeCategory.CurrencySymbol],
        ["Sk"] = [UnicodeCategory.ModifierSymbol],
        ["So"] = [UnicodeCategory.OtherSymbol],
    };

    private static readonly Dictionary<string, (int First, int Last)[]> Scripts = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Han"] =
        [
            (0x2E80, 0x2E99), (0x2E9B, 0x2EF3), (0x2F00, 0x2FD5), (0x3005, 0x3005), (0x3007, 0x3007), (0x3021, 0x3029), (0x3038, 0x303B),
            (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFA6D), (0xFA70, 0xFAD9), (0x16FE2, 0x16FE3), (0x16FF0, 0x16FF1),
            (0x20000, 0x2A6DF), (0x2A700, 0x2B739), (0x2B740, 0x2B81D), (0x2B820, 0x2CEA1), (0x2CEB0, 0x2EBE0), (0x2EBF0, 0x2EE5D),
            (0x2F800, 0x2FA1D), (0x30000, 0x3134A), (0x31350, 0x323AF),
        ],
        ["Hiragana"] = [(0x3041, 0x3096), (0x309D, 0x309F), (0x1B001, 0x1B11F), (0x1B132, 0x1B132), (0x1B150, 0x1B152), (0x1F200, 0x1F200)],
        ["Katakana"] =
        [
            (0x30A1, 0x30FA), (0x30FD, 0x30FF), (0x31F0, 0x31FF), (0x32D0, 0x32FE), (0x3300, 0x3357), (0xFF66, 0xFF6F), (0xFF71, 0xFF9D),
            (0x1AFF0, 0x1AFF3), (0x1AFF5, 0x1AFFB), (0x1AFFD, 0x1AFFE), (0x1B000, 0x1B000), (0x1B120, 0x1B122), (0x1B155, 0x1B155), (0x1B164, 0x1B167),
        ],
        ["Hangul"] =
        [
            (0x1100, 0x11FF), (0x302E, 0x302F), (0x3131, 0x318E), (0x3200, 0x321E), (0x3260, 0x327E), (0xA960, 0xA97C), (0xAC00, 0xD7A3),
            (0xD7B0, 0xD7C6), (0xD7CB, 0xD7FB), (0xFFA0, 0xFFBE), (0xFFC2, 0xFFC7), (0xFFCA, 0xFFCF), (0xFFD2, 0xFFD7), (0xFFDA, 0xFFDC),
        ],
        ["Bopomofo"] = [(0x02EA, 0x02EB), (0x3105, 0x312F), (0x31A0, 0x31BF)],
        ["Thai"] = [(0x0E01, 0x0E3A), (0x0E40, 0x0E5B)],
    };

    /// <summary>The set of a name, or null where the name is not known.</summary>
    public static CharSet? Find(string name)
    {
        name = name.Replace("_", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal);
        if (Categories.TryGetValue(name, out var one))
            return CharSet.Category(one);
        if (name.Length == 1 && "LMNZCPS".Contains(char.ToUpperInvariant(name[0]), StringComparison.Ordinal))
            return CharSet.Category([.. Categories.Where(c => char.ToUpperInvariant(c.Key[0]) == char.ToUpperInvariant(name[0])).SelectMany(c => c.Value)]);
        if (Scripts.TryGetValue(name, out var ranges))
            return CharSet.Any([.. ranges.Select(r => CharSet.Range(r.First, r.Last))]);
        return name.ToUpperInvariant() switch
        {
            "ALPHA" or "ALPHABETIC" => CharSet.Alphabetic,
            "ALNUM" => CharSet.Any([CharSet.Alphabetic, CharSet.Digit]),
            "DIGIT" => CharSet.Digit,
            "SPACE" or "WHITESPACE" => CharSet.Space,
            "WORD" => CharSet.Word,
            "UPPER" or "UPPERCASE" => Find("Lu"),
            "LOWER" or "LOWERCASE" => Find("Ll"),
            "PUNCT" => CharSet.Any([Find("P")!, new CharSet(c => c is '$' or '+' or '<' or '=' or '>' or '^' or '`' or '|' or '~')]),
            "CNTRL" => Find("Cc"),
            "BLANK" => new CharSet(c => c == '\t' || CharSet.CategoryOf(c) == UnicodeCategory.SpaceSeparator),
            "XDIGIT" => new CharSet(c => c < 128 && char.IsAsciiHexDigit((char)c)),
            "ASCII" => CharSet.Range(0, 127),
            "ANY" => new CharSet(_ => true),
            "LETTER" => Find("L"),
            "MARK" => Find("M"),
            "NUMBER" => Find("N"),
            "PUNCTUATION" => Find("P"),
            "SYMBOL" => Find("S"),
            "SEPARATOR" => Find("Z"),
            "OTHER" => Find("C"),
            _ => null,
        };
    }
}
