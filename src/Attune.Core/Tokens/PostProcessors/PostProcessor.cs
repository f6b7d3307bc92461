namespace Attune.Core.Tokens.PostProcessors;

/// <summary>What is done to the tokens of a whole text: special tokens around it, white space off the ranges.</summary>
internal abstract class PostProcessor
{
    /// <param name="tokens">Changed in place.</param>
    /// <param name="textOf">A token's text, by id.</param>
    /// <param name="addSpecial">Whether special tokens are wanted.</param>
    public abstract void Apply(TokenBuffer tokens, Func<int, string> textOf, bool addSpecial);
}

internal sealed class PostProcessorSequence(IReadOnlyList<PostProcessor> steps) : PostProcessor
{
    public override void Apply(TokenBuffer tokens, Func<int, string> textOf, bool addSpecial)
    {
        foreach (var step in steps)
            step.Apply(tokens, textOf, addSpecial);
    }
}

/// <summary>Fixed ids before and after the text; they came from nowhere in it.</summary>
internal sealed class Surround(IReadOnlyList<int> before, IReadOnlyList<int> after) : PostProcessor
{
    public override void Apply(TokenBuffer tokens, Func<int, string> textOf, bool addSpecial)
    {
        if (!addSpecial || before.Count + after.Count == 0)
            return;
        var (ids, starts, ends, count) = (tokens.Ids, tokens.Starts, tokens.Ends, tokens.Count);
        var room = new TokenBuffer();
        room.Reserve(before.Count + count + after.Count);
        foreach (var id in before)
            room.Add(id, 0, 0);
        for (var i = 0; i < count; i++)
            room.Add(ids[i], starts[i], ends[i]);
        foreach (var id in after)
            room.Add(id, 0, 0);
        (tokens.Ids, tokens.Starts, tokens.Ends, tokens.Count) = (room.Ids, room.Starts, room.Ends, room.Count);
    }
}

/// <summary>Takes the white space that a token begins or ends with off its range.</summary>
internal sealed class TrimRanges(bool addPrefixSpace) : PostProcessor
{
    public override void Apply(TokenBuffer tokens, Func<int, string> textOf, bool addSpecial)
    {
        for (var i = 0; i < tokens.Count; i++)
        {
            var text = textOf(tokens.Ids[i]);
            var leading = text.TakeWhile(IsSpace).Count();
            var trailing = text.Reverse().TakeWhile(IsSpace).Count();
            // A single space at the start is the one that was put there.
            if (addPrefixSpace && leading == 1 && (i == 0 || tokens.Starts[i] == 0))
                leading = 0;
            tokens.Starts[i] = Math.Min(tokens.Starts[i] + leading, tokens.Ends[i]);
            if (trailing > 0 && tokens.Ends[i] >= trailing)
                tokens.Ends[i] = Math.Max(tokens.Ends[i] - trailing, tokens.Starts[i]);
        }
    }

    private static bool IsSpace(char c) => c == ByteAlphabet.CharOf((byte)' ') || char.IsWhiteSpace(c);
}
