namespace Attune.Core.Tokens.Normalizers;

/// <summary>Changes text before it is cut into words.</summary>
internal abstract class Normalizer
{
    public abstract AlignedText Apply(AlignedText text);
}

internal sealed class NormalizerSequence(IReadOnlyList<Normalizer> steps) : Normalizer
{
    public override AlignedText Apply(AlignedText text)
    {
        foreach (var step in steps)
            text = step.Apply(text);
        return text;
    }
}

/// <summary>Puts a text before any text that is not empty; it came from the first character.</summary>
internal sealed class Prepend(string prefix) : Normalizer
{
    public override AlignedText Apply(AlignedText text) => text.Text.Length == 0 ? text : text.After(prefix);
}

/// <summary>Every match of a pattern becomes a text that came from the match's last character.</summary>
internal sealed class Replace(Patterns.Pattern pattern, string content) : Normalizer
{
    public override AlignedText Apply(AlignedText text)
    {
        if (pattern.Literal is [var from] && content is [var to] && !char.IsSurrogate(from) && !char.IsSurrogate(to))
            return text.Text.Contains(from, StringComparison.Ordinal) ? text.With(text.Text.Replace(from, to)) : text;
        var matches = pattern.Matches(text.Text);
        if (matches.Count == 0)
            return text;
        var builder = new AlignedText.Builder(text, text.Text.Length + (matches.Count * content.Length));
        var at = 0;
        foreach (var (start, end) in matches)
        {
            builder.Copy(at, start);
            builder.Insert(content, end);
            at = end;
        }
        builder.Copy(at, text.Text.Length);
        return builder.Build();
    }
}

/// <summary>Takes white space from the ends.</summary>
internal sealed class Strip(bool left, bool right) : Normalizer
{
    public override AlignedText Apply(AlignedText text)
    {
        var (start, end) = (0, text.Text.Length);
        while (left && start < end && char.IsWhiteSpace(text.Text[start]))
            start++;
        while (right && end > start && char.IsWhiteSpace(text.Text[end - 1]))
            end--;
        if (end - start == text.Text.Length)
            return text;
        var builder = new AlignedText.Builder(text, end - start);
        builder.Copy(start, end);
        return builder.Build();
    }
}

/// <summary>Every byte of the text as a visible character, each from the character that it is of.</summary>
internal sealed class ByteLevelNormalizer : Normalizer
{
    public override AlignedText Apply(AlignedText text)
    {
        var builder = new AlignedText.Builder(text, text.Text.Length + 16);
        ToBytes(text, 0, text.Text.Length, builder);
        return builder.Build();
    }

    public static void ToBytes(AlignedText text, int start, int end, AlignedText.Builder builder)
    {
        Span<byte> utf8 = stackalloc byte[4];
        for (var at = start; at < end;)
        {
            System.Text.Rune.DecodeFromUtf16(text.Text.AsSpan(at, end - at), out var rune, out var consumed);
            var size = rune.EncodeToUtf8(utf8);
            var (from, to) = (text.StartOf(at), text.EndOf(at + consumed - 1));
            for (var b = 0; b < size; b++)
                builder.Add(ByteAlphabet.CharOf(utf8[b]), from, to);
            at += consumed;
        }
    }
}
