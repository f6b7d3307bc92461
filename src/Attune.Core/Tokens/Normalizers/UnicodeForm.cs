using System.Globalization;
using System.Text;

namespace Attune.Core.Tokens.Normalizers;

/// <summary>
/// NFC, NFD, NFKC, NFKD (Unicode annex 15), stretch by stretch, so that each character out knows the characters that
/// it came from: a composed one swallows its marks, a decomposed one brings new ones.
/// </summary>
internal sealed class UnicodeForm(NormalizationForm form) : Normalizer
{
    private readonly NormalizationForm _decomposed = form is NormalizationForm.FormC or NormalizationForm.FormD
        ? NormalizationForm.FormD : NormalizationForm.FormKD;

    public override AlignedText Apply(AlignedText text)
    {
        if (text.Text.IsNormalized(form))
            return text;
        var changes = new Changes();
        for (var at = 0; at < text.Text.Length;)
        {
            var end = StretchEnd(text.Text, at);
            var stretch = text.Text[at..end];
            if (stretch.IsNormalized(form))
            {
                foreach (var rune in stretch.EnumerateRunes())
                    changes.Keep(rune.Value);
            }
            else
            {
                Normalize(stretch, changes);
            }
            at = end;
        }
        return changes.Apply(text);
    }

    /// <summary>A stretch ends before a character that can join nothing before it.</summary>
    private int StretchEnd(string text, int start)
    {
        var at = start + Rune.GetRuneAt(text, start).Utf16SequenceLength;
        while (at < text.Length)
        {
            var rune = Rune.GetRuneAt(text, at);
            if (rune.IsAscii || !JoinsBefore(rune))
                break;
            at += rune.Utf16SequenceLength;
        }
        return at;
    }

    private bool JoinsBefore(Rune rune) => IsMark(rune) || rune.Value is >= 0x1160 and <= 0x11FF
        || (_decomposed == NormalizationForm.FormKD && rune.Value >= 0x3000
            && Rune.GetRuneAt(rune.ToString().Normalize(_decomposed), 0) is var first && (IsMark(first) || first.Value is >= 0x1160 and <= 0x11FF));

    private static bool IsMark(Rune rune) => Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark;

    private void Normalize(string stretch, Changes changes)
    {
        // Each old character's parts: the first takes its place, the others are new. Reordering marks moves both.
        var parts = new Dictionary<int, Queue<int>>();
        foreach (var rune in stretch.EnumerateRunes())
        {
            var first = 0;
            foreach (var part in rune.ToString().Normalize(_decomposed).EnumerateRunes())
            {
                if (!parts.TryGetValue(part.Value, out var queue))
                    parts[part.Value] = queue = new Queue<int>();
                queue.Enqueue(first);
                first = 1;
            }
        }
        foreach (var rune in stretch.Normalize(form).EnumerateRunes())
        {
            var (change, count) = (0, 0);
            foreach (var part in rune.ToString().Normalize(NormalizationForm.FormD).EnumerateRunes())
            {
                change += parts.TryGetValue(part.Value, out var queue) && queue.TryDequeue(out var found) ? found : 1;
                count++;
            }
            changes.Add(rune.Value, change - (count - 1));
        }
    }
}
