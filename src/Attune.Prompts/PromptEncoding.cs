namespace Attune.Prompts;

/// <summary>From a render to ids: control tokens come from the template alone, and every id knows its source.</summary>
internal static class PromptEncoding
{
    /// <summary>
    /// Encodes the whole render at once, with special-token matching off inside what the template did not write.
    /// A second BOS in a row at the start is dropped: a template that prints one and a text that begins with one
    /// do not add up.
    /// </summary>
    public static RenderedPrompt Encode(TemplateRender render, ITokenEncoder encoder, int? bos)
    {
        var tokens = new List<EncodedToken>(render.Text.Length / 3);
        encoder.Encode(render.Text, render.UntrustedSpans(), tokens);
        while (tokens.Count > 1 && tokens[0].Id == bos && tokens[1].Id == bos)
            tokens.RemoveAt(1);
        var (ids, spans) = (new int[tokens.Count], new TextSpan[tokens.Count]);
        for (var i = 0; i < ids.Length; i++)
        {
            ids[i] = tokens[i].Id;
            spans[i] = new TextSpan(tokens[i].Start, tokens[i].Length);
        }
        return new()
        {
            Text = render.Text,
            Ids = ids,
            Spans = spans,
            Trained = Trained(render.Text, spans, render.GenerationSpans),
            Sources = Sources(spans, render.Runs),
        };
    }

    /// <summary>
    /// From the first token that holds a span's first character to the first that holds its last, as the reference
    /// has it: of a last character that is several tokens (an emoji in bytes), only the first token is trained.
    /// </summary>
    private static bool[] Trained(string text, TextSpan[] tokens, IReadOnlyList<TextSpan> generated)
    {
        var trained = new bool[tokens.Length];
        foreach (var span in generated)
        {
            if (span.Length == 0)
                continue;
            var last = span.End - 1;
            if (last > span.Start && char.IsLowSurrogate(text[last]))
                last--;
            for (var i = FirstWith(tokens, span.Start); i < tokens.Length && tokens[i].Start <= last; i++)
            {
                trained[i] = true;
                if (tokens[i].End > last)
                    break;
            }
        }
        return trained;
    }

    /// <summary>The first token that ends after an offset; tokens are in order.</summary>
    private static int FirstWith(TextSpan[] tokens, int offset)
    {
        var (low, high) = (0, tokens.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (tokens[middle].End <= offset)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    private static TokenSource[] Sources(TextSpan[] tokens, IReadOnlyList<TextRun> runs)
    {
        var sources = new TokenSource[tokens.Length];
        var run = 0;
        for (var i = 0; i < tokens.Length; i++)
        {
            while (run + 1 < runs.Count && runs[run].Span.End <= tokens[i].Start)
                run++;
            sources[i] = runs.Count == 0 ? TokenSource.Template : runs[run].Source;
        }
        return sources;
    }
}
