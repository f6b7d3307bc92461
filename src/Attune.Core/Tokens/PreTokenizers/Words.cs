namespace Attune.Core.Tokens.PreTokenizers;

/// <summary>Text cut into words: one text, and the ranges of it that are words, in order, none empty.</summary>
internal sealed class Words(AlignedText text, List<(int Start, int End)> cuts)
{
    public AlignedText Text { get; private set; } = text;

    public List<(int Start, int End)> Cuts { get; private set; } = cuts;

    public ReadOnlySpan<char> this[(int Start, int End) cut] => Text.Text.AsSpan(cut.Start, cut.End - cut.Start);

    /// <summary>Cuts each word again where <paramref name="find"/> says, and does with the matches what the behaviour says.</summary>
    public void Split(MatchFinder find, SplitBehavior behavior, bool invert = false)
    {
        var after = new List<(int Start, int End)>(Cuts.Count);
        var pieces = new List<(int Start, int End, bool Match)>();
        var matches = new List<(int Start, int End)>();
        foreach (var (start, end) in Cuts)
        {
            pieces.Clear();
            matches.Clear();
            var at = 0;
            var length = end - start;
            find(Text.Text.AsSpan(start, length), matches);
            foreach (var match in matches)
            {
                if (match.Start > at)
                    pieces.Add((at, match.Start, invert));
                pieces.Add((match.Start, match.End, !invert));
                at = match.End;
            }
            if (at < length)
                pieces.Add((at, length, invert));
            Join(pieces, behavior, start, after);
        }
        Cuts = after;
    }

    /// <summary>The same for runs of one character: each character that the rule holds for is a match.</summary>
    public void Split(Func<int, bool> isDelimiter, SplitBehavior behavior) => Split(
        (text, matches) =>
        {
            for (var at = 0; at < text.Length;)
            {
                System.Text.Rune.DecodeFromUtf16(text[at..], out var rune, out var length);
                if (isDelimiter(rune.Value))
                    matches.Add((at, at + length));
                at += length;
            }
        },
        behavior);

    /// <summary>Writes every word anew: <paramref name="write"/> gets the word's range and where to write to.</summary>
    public void Rewrite(Action<AlignedText, int, int, AlignedText.Builder> write)
    {
        var builder = new AlignedText.Builder(Text, Text.Text.Length + Cuts.Count + 8);
        var after = new List<(int Start, int End)>(Cuts.Count);
        foreach (var (start, end) in Cuts)
        {
            var from = builder.Length;
            write(Text, start, end, builder);
            if (builder.Length > from)
                after.Add((from, builder.Length));
        }
        (Text, Cuts) = (builder.Build(), after);
    }

    private static void Join(List<(int Start, int End, bool Match)> pieces, SplitBehavior behavior, int offset, List<(int Start, int End)> output)
    {
        var from = output.Count;
        switch (behavior)
        {
            case SplitBehavior.Removed:
                output.AddRange(pieces.Where(p => !p.Match).Select(p => (p.Start, p.End)));
                break;
            case SplitBehavior.Isolated:
                output.AddRange(pieces.Select(p => (p.Start, p.End)));
                break;
            case SplitBehavior.Contiguous:
                for (var i = 0; i < pieces.Count; i++)
                {
                    if (i > 0 && pieces[i].Match == pieces[i - 1].Match)
                        output[^1] = (output[^1].Start, pieces[i].End);
                    else
                        output.Add((pieces[i].Start, pieces[i].End));
                }
                break;
            case SplitBehavior.MergedWithPrevious:
                for (var i = 0; i < pieces.Count; i++)
                {
                    if (pieces[i].Match && i > 0 && !pieces[i - 1].Match)
                        output[^1] = (output[^1].Start, pieces[i].End);
                    else
                        output.Add((pieces[i].Start, pieces[i].End));
                }
                break;
            case SplitBehavior.MergedWithNext:
                for (var i = 0; i < pieces.Count; i++)
                {
                    if (!pieces[i].Match && i > 0 && pieces[i - 1].Match)
                        output[^1] = (output[^1].Start, pieces[i].End);
                    else
                        output.Add((pieces[i].Start, pieces[i].End));
                }
                break;
        }
        var kept = from;
        for (var i = from; i < output.Count; i++)
        {
            if (output[i].End > output[i].Start)
                output[kept++] = (output[i].Start + offset, output[i].End + offset);
        }
        output.RemoveRange(kept, output.Count - kept);
    }
}

/// <summary>Appends the matches in a text, in order.</summary>
internal delegate void MatchFinder(ReadOnlySpan<char> text, List<(int Start, int End)> matches);

/// <summary>What becomes of a match that text is cut at.</summary>
internal enum SplitBehavior
{
    Removed,
    Isolated,
    MergedWithPrevious,
    MergedWithNext,
    Contiguous,
}
