using System.Globalization;
using System.Text;

namespace Attune.Core.Tokens.Normalizers;

/// <summary>Lower case, character by character, without regard to what stands around.</summary>
internal sealed class Lowercase : Normalizer
{
    public override AlignedText Apply(AlignedText text)
    {
        var changes = new Changes();
        var any = false;
        foreach (var rune in text.Text.EnumerateRunes())
        {
            // The one character whose lower case is two: a dotted capital I.
            var lower = rune.Value == 0x130 ? "i\u0307" : Rune.ToLowerInvariant(rune).ToString();
            any |= !string.Equals(lower, rune.ToString(), StringComparison.Ordinal);
            changes.Replace(1, lower);
        }
        return any ? changes.Apply(text) : text;
    }
}

/// <summary>Marks go.</summary>
internal sealed class StripAccents : Normalizer
{
    public override AlignedText Apply(AlignedText text) => Filter(text, rune => Rune.GetUnicodeCategory(rune)
        is not (UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark));

    public static AlignedText Filter(AlignedText text, Func<Rune, bool> keep)
    {
        var changes = new Changes();
        var dropped = 0;
        foreach (var rune in text.Text.EnumerateRunes())
        {
            if (keep(rune))
                changes.Keep(rune.Value);
            else
                changes.Drop(ref dropped);
        }
        return changes.Any ? changes.Apply(text, dropped) : text;
    }
}

/// <summary>What BERT does: controls go, any white space is a space, Chinese characters stand alone, accents and capitals by choice.</summary>
internal sealed class BertNormalizer(bool clean, bool chinese, bool stripAccents, bool lowercase) : Normalizer
{
    public override AlignedText Apply(AlignedText text)
    {
        if (clean)
        {
            text = StripAccents.Filter(text, r => r.Value is not (0 or 0xFFFD) && (r.Value is '\t' or '\n' or '\r' || !IsControl(r)));
            text = text.With(string.Concat(text.Text.Select(c => char.IsWhiteSpace(c) ? ' ' : c)));
        }
        if (chinese)
            text = Surround(text);
        if (stripAccents)
            text = new StripAccentsOf().Apply(text);
        return lowercase ? new Lowercase().Apply(text) : text;
    }

    private static AlignedText Surround(AlignedText text)
    {
        var changes = new Changes();
        foreach (var rune in text.Text.EnumerateRunes())
        {
            if (IsChinese(rune.Value))
            {
                changes.Add(' ', 0);
                changes.Add(rune.Value, 1);
                changes.Add(' ', 1);
            }
            else
            {
                changes.Keep(rune.Value);
            }
        }
        return changes.Any ? changes.Apply(text) : text;
    }

    private static bool IsControl(Rune rune) => Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.Surrogate;

    private static bool IsChinese(int c) => c is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x20000 and <= 0x2A6DF)
        or (>= 0x2A700 and <= 0x2B73F) or (>= 0x2B740 and <= 0x2B81F) or (>= 0x2B920 and <= 0x2CEAF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F);

    private sealed class StripAccentsOf : Normalizer
    {
        public override AlignedText Apply(AlignedText text) =>
            StripAccents.Filter(new UnicodeForm(NormalizationForm.FormD).Apply(text), r => Rune.GetUnicodeCategory(r) != UnicodeCategory.NonSpacingMark);
    }
}
