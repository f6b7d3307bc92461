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
            Trained = Trained(spans, render.GenerationSpans),
            Sources = Sources(spans, render.Runs),
        };
    }

    /// <summary>A token is trained if any of it lies in a generation span, as the reference has it.</summary>
    private static bool[] Trained(TextSpan[] tokens, IReadOnlyList<TextSpan> generated)
    {
        var trained = new bool[tokens.Length];
        var first = 0;
        foreach (var span in generated.OrderBy(s => s.Start))
        {
            while (first < tokens.Length && tokens[first].End <= span.Start)
                first++;
            for (var i = first; i < tokens.Length && tokens[i].Start < span.End; i++)
                trained[i] |= span.Length > 0 && tokens[i].End > span.Start;
        }
        return trained;
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
