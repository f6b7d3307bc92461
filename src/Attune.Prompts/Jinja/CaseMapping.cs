using System.Text;

namespace Attune.Prompts.Jinja;

/// <summary>
/// Upper, lower and title case as Python has them: Unicode's full mappings, one character to several where the
/// standard says so (SpecialCasing.txt), independent of culture.
/// </summary>
internal static class CaseMapping
{
    // Each entry: the character, its upper case, a slash, its title case. Data of the Unicode standard.
    private const string Special =
        "\u00DF\u0053\u0053/\u0053\u0073 \u0149\u02BC\u004E/\u02BC\u004E \u01C4\u01C4/\u01C5 \u01C5\u01C4/\u01C5 " +
        "\u01C6\u01C4/\u01C5 \u01C7\u01C7/\u01C8 \u01C8\u01C7/\u01C8 \u01C9\u01C7/\u01C8 " +
        "\u01CA\u01CA/\u01CB \u01CB\u01CA/\u01CB \u01CC\u01CA/\u01CB \u01F0\u004A\u030C/\u004A\u030C " +
        "\u01F1\u01F1/\u01F2 \u01F2\u01F1/\u01F2 \u01F3\u01F1/\u01F2 \u0390\u0399\u0308\u0301/\u0399\u0308\u0301 " +
        "\u03B0\u03A5\u0308\u0301/\u03A5\u0308\u0301 \u0587\u0535\u0552/\u0535\u0582 \u1E96\u0048\u0331/\u0048\u0331 \u1E97\u0054\u0308/\u0054\u0308 " +
        "\u1E98\u0057\u030A/\u0057\u030A \u1E99\u0059\u030A/\u0059\u030A \u1E9A\u0041\u02BE/\u0041\u02BE \u1F50\u03A5\u0313/\u03A5\u0313 " +
        "\u1F52\u03A5\u0313\u0300/\u03A5\u0313\u0300 \u1F54\u03A5\u0313\u0301/\u03A5\u0313\u0301 \u1F56\u03A5\u0313\u0342/\u03A5\u0313\u0342 \u1F80\u1F08\u0399/\u1F88 " +
        "\u1F81\u1F09\u0399/\u1F89 \u1F82\u1F0A\u0399/\u1F8A \u1F83\u1F0B\u0399/\u1F8B \u1F84\u1F0C\u0399/\u1F8C " +
        "\u1F85\u1F0D\u0399/\u1F8D \u1F86\u1F0E\u0399/\u1F8E \u1F87\u1F0F\u0399/\u1F8F \u1F88\u1F08\u0399/\u1F88 " +
        "\u1F89\u1F09\u0399/\u1F89 \u1F8A\u1F0A\u0399/\u1F8A \u1F8B\u1F0B\u0399/\u1F8B \u1F8C\u1F0C\u0399/\u1F8C " +
        "\u1F8D\u1F0D\u0399/\u1F8D \u1F8E\u1F0E\u0399/\u1F8E \u1F8F\u1F0F\u0399/\u1F8F \u1F90\u1F28\u0399/\u1F98 " +
        "\u1F91\u1F29\u0399/\u1F99 \u1F92\u1F2A\u0399/\u1F9A \u1F93\u1F2B\u0399/\u1F9B \u1F94\u1F2C\u0399/\u1F9C " +
        "\u1F95\u1F2D\u0399/\u1F9D \u1F96\u1F2E\u0399/\u1F9E \u1F97\u1F2F\u0399/\u1F9F \u1F98\u1F28\u0399/\u1F98 " +
        "\u1F99\u1F29\u0399/\u1F99 \u1F9A\u1F2A\u0399/\u1F9A \u1F9B\u1F2B\u0399/\u1F9B \u1F9C\u1F2C\u0399/\u1F9C " +
        "\u1F9D\u1F2D\u0399/\u1F9D \u1F9E\u1F2E\u0399/\u1F9E \u1F9F\u1F2F\u0399/\u1F9F \u1FA0\u1F68\u0399/\u1FA8 " +
        "\u1FA1\u1F69\u0399/\u1FA9 \u1FA2\u1F6A\u0399/\u1FAA \u1FA3\u1F6B\u0399/\u1FAB \u1FA4\u1F6C\u0399/\u1FAC " +
        "\u1FA5\u1F6D\u0399/\u1FAD \u1FA6\u1F6E\u0399/\u1FAE \u1FA7\u1F6F\u0399/\u1FAF \u1FA8\u1F68\u0399/\u1FA8 " +
        "\u1FA9\u1F69\u0399/\u1FA9 \u1FAA\u1F6A\u0399/\u1FAA \u1FAB\u1F6B\u0399/\u1FAB \u1FAC\u1F6C\u0399/\u1FAC " +
        "\u1FAD\u1F6D\u0399/\u1FAD \u1FAE\u1F6E\u0399/\u1FAE \u1FAF\u1F6F\u0399/\u1FAF \u1FB2\u1FBA\u0399/\u1FBA\u0345 " +
        "\u1FB3\u0391\u0399/\u1FBC \u1FB4\u0386\u0399/\u0386\u0345 \u1FB6\u0391\u0342/\u0391\u0342 \u1FB7\u0391\u0342\u0399/\u0391\u0342\u0345 " +
        "\u1FBC\u0391\u0399/\u1FBC \u1FC2\u1FCA\u0399/\u1FCA\u0345 \u1FC3\u0397\u0399/\u1FCC \u1FC4\u0389\u0399/\u0389\u0345 " +
        "\u1FC6\u0397\u0342/\u0397\u0342 \u1FC7\u0397\u0342\u0399/\u0397\u0342\u0345 \u1FCC\u0397\u0399/\u1FCC \u1FD2\u0399\u0308\u0300/\u0399\u0308\u0300 " +
        "\u1FD3\u0399\u0308\u0301/\u0399\u0308\u0301 \u1FD6\u0399\u0342/\u0399\u0342 \u1FD7\u0399\u0308\u0342/\u0399\u0308\u0342 \u1FE2\u03A5\u0308\u0300/\u03A5\u0308\u0300 " +
        "\u1FE3\u03A5\u0308\u0301/\u03A5\u0308\u0301 \u1FE4\u03A1\u0313/\u03A1\u0313 \u1FE6\u03A5\u0342/\u03A5\u0342 \u1FE7\u03A5\u0308\u0342/\u03A5\u0308\u0342 " +
        "\u1FF2\u1FFA\u0399/\u1FFA\u0345 \u1FF3\u03A9\u0399/\u1FFC \u1FF4\u038F\u0399/\u038F\u0345 \u1FF6\u03A9\u0342/\u03A9\u0342 " +
        "\u1FF7\u03A9\u0342\u0399/\u03A9\u0342\u0345 \u1FFC\u03A9\u0399/\u1FFC \uFB00\u0046\u0046/\u0046\u0066 \uFB01\u0046\u0049/\u0046\u0069 " +
        "\uFB02\u0046\u004C/\u0046\u006C \uFB03\u0046\u0046\u0049/\u0046\u0066\u0069 \uFB04\u0046\u0046\u004C/\u0046\u0066\u006C \uFB05\u0053\u0054/\u0053\u0074 " +
        "\uFB06\u0053\u0054/\u0053\u0074 \uFB13\u0544\u0546/\u0544\u0576 \uFB14\u0544\u0535/\u0544\u0565 \uFB15\u0544\u053B/\u0544\u056B " +
        "\uFB16\u054E\u0546/\u054E\u0576 \uFB17\u0544\u053D/\u0544\u056D ";

    private static readonly Dictionary<char, (string Upper, string Title)> Table = Special.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .ToDictionary(e => e[0], e => (e[1..e.IndexOf('/', StringComparison.Ordinal)], e[(e.IndexOf('/', StringComparison.Ordinal) + 1)..]));

    public static PyStr Upper(RenderState state, PyStr text) =>
        Ascii.IsValid(text.Text) && text.Runs is null ? new(text.Text.ToUpperInvariant(), text.Origin, text.Markup) : Map(state, text, (s, i, r) => Upper(r));

    public static PyStr Lower(RenderState state, PyStr text) =>
        Ascii.IsValid(text.Text) && text.Runs is null ? new(text.Text.ToLowerInvariant(), text.Origin, text.Markup) : Map(state, text, Lower);

    /// <summary>First character in title case, the rest in lower case.</summary>
    public static PyStr Capitalize(RenderState state, PyStr text) => Map(state, text, (s, i, r) => i == 0 ? Title(r) : Lower(s, i, r));

    /// <summary>Every letter after a non-letter in title case.</summary>
    public static PyStr TitleWords(RenderState state, PyStr text)
    {
        var inWord = false;
        return Map(state, text, (s, i, r) =>
        {
            var mapped = inWord ? Lower(s, i, r) : Title(r);
            inWord = IsCased(r);
            return mapped;
        });
    }

    public static PyStr Swap(RenderState state, PyStr text) => Map(state, text, (s, i, r) => IsUpper(r) ? Lower(s, i, r) : IsLower(r) ? Upper(r) : r.ToString());

    public static PyStr Fold(RenderState state, PyStr text) => Map(state, text, (s, i, r) => r.Value switch
    {
        'ß' or 0x1E9E => "ss",
        'ς' => "σ",
        'ſ' => "s",
        _ => Upper(r) is { Length: > 1 } upper && r.Value != 0x131 && !IsUpper(r) && r.Value < 0x10000 && Table.ContainsKey((char)r.Value)
            ? string.Concat(upper.EnumerateRunes().Select(u => Lower(u))) : Lower(r),
    });

    private static PyStr Map(RenderState state, PyStr text, Func<string, int, Rune, string> map)
    {
        var to = state.NewText();
        var s = text.Text;
        for (var i = 0; i < s.Length; )
        {
            var rune = Rune.TryGetRuneAt(s, i, out var found) ? found : Rune.ReplacementChar;
            to.Append(map(s, i, rune), text.OriginAt(i));
            i += rune.Utf16SequenceLength;
        }
        state.Charge(to.Length);
        return to.ToPyStr(text.Markup);
    }

    public static string Upper(Rune rune) => rune.Value switch
    {
        < 0x10000 when Table.TryGetValue((char)rune.Value, out var special) => special.Upper,
        0x131 => "I",
        0x17F => "S",
        0xB5 => "\u039C",
        _ => Rune.ToUpperInvariant(rune).ToString(),
    };

    public static string Title(Rune rune) =>
        rune.Value < 0x10000 && Table.TryGetValue((char)rune.Value, out var special) ? special.Title
        : rune.Value is >= 0x10D0 and <= 0x10FF ? rune.ToString() : Upper(rune);

    private static string Lower(Rune rune) => rune.Value == 0x130 ? "i\u0307" : Rune.ToLowerInvariant(rune).ToString();

    private static string Lower(string text, int at, Rune rune) => rune.Value == 0x3A3 && IsFinal(text, at) ? "\u03C2" : Lower(rune);

    /// <summary>A sigma after a letter and before none is the final one.</summary>
    private static bool IsFinal(string text, int at)
    {
        var before = at - 1;
        while (before >= 0 && IsIgnorable(text[before]))
            before--;
        if (before < 0 || !IsCased(RuneEndingAt(text, before)))
            return false;
        var after = at + 1;
        while (after < text.Length && IsIgnorable(text[after]))
            after++;
        return after >= text.Length || !Rune.TryGetRuneAt(text, after, out var next) || !IsCased(next);
    }

    private static Rune RuneEndingAt(string text, int at) =>
        char.IsLowSurrogate(text[at]) && at > 0 ? new Rune(text[at - 1], text[at]) : Rune.TryCreate(text[at], out var rune) ? rune : Rune.ReplacementChar;

    private static bool IsIgnorable(char c) => c is '\'' or '.' or ':' or '\u00B7' or '\u2019' or '^' or '`' or '\u00A8'
        || char.GetUnicodeCategory(c) is System.Globalization.UnicodeCategory.NonSpacingMark or System.Globalization.UnicodeCategory.EnclosingMark
            or System.Globalization.UnicodeCategory.Format or System.Globalization.UnicodeCategory.ModifierLetter or System.Globalization.UnicodeCategory.ModifierSymbol;

    public static bool IsUpper(Rune rune) => Rune.IsUpper(rune) || rune.Value is (>= 0x2160 and <= 0x216F) or (>= 0x24B6 and <= 0x24CF);

    public static bool IsLower(Rune rune) => Rune.IsLower(rune) || rune.Value is 0xAA or 0xBA or (>= 0x2B0 and <= 0x2B8) or (>= 0x2170 and <= 0x217F) or (>= 0x24D0 and <= 0x24E9);

    public static bool IsTitle(Rune rune) => Rune.GetUnicodeCategory(rune) == System.Globalization.UnicodeCategory.TitlecaseLetter;

    public static bool IsCased(Rune rune) => IsUpper(rune) || IsLower(rune) || IsTitle(rune);
}
