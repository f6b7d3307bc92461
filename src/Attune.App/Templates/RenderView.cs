using System.Globalization;
using System.Text.Json.Nodes;
using Attune.App.Cli;
using Attune.Core.Tokens;
using Attune.Prompts;
using Spectre.Console;

namespace Attune.App.Templates;

/// <summary>
/// A render as people read it: the template's own text grey, every role in its colour, control tokens in red, what a model
/// learns underlined; then the ids. Piped, it is the text and the ids, nothing else.
/// </summary>
internal static class RenderView
{
    private static readonly Dictionary<string, Color> Roles = new(StringComparer.Ordinal)
    {
        ["system"] = Color.Yellow,
        ["developer"] = Color.Yellow,
        ["user"] = Color.Green,
        ["assistant"] = Color.Aqua,
        ["tool"] = Color.Blue,
    };

    /// <summary>Prints a render with its tokens.</summary>
    public static void Print(IAnsiConsole console, Conversation conversation, TemplateRender render, RenderedPrompt prompt, Tokenizer tokenizer)
    {
        if (Console.IsOutputRedirected)
        {
            Console.Out.WriteLine(render.Text);
            Console.Out.WriteLine(Ids(prompt));
            return;
        }
        var text = new Paragraph();
        var start = 0;
        for (var i = 0; i < prompt.Ids.Length; i++)
        {
            var (span, control) = (prompt.Spans[i], tokenizer.IsSpecial(prompt.Ids[i]));
            if (span.End > start)
                Colour(text, render, conversation, start, span.End, control, prompt.Trained[i]);
            start = Math.Max(start, span.End);
        }
        Colour(text, render, conversation, start, render.Text.Length, control: false, trained: false);
        console.Write(text);
        console.WriteLine();
        Legend(console, conversation);
        console.Line($"[grey]{prompt.Ids.Length} ids, {prompt.Trained.Count(t => t)} of them trained:[/]");
        var ids = new Paragraph();
        for (var i = 0; i < prompt.Ids.Length; i++)
        {
            var style = new Style(tokenizer.IsSpecial(prompt.Ids[i]) ? Color.Red : Color.Default, decoration: prompt.Trained[i] ? Decoration.Underline : Decoration.None);
            ids.Append(prompt.Ids[i].ToString(CultureInfo.InvariantCulture), style).Append(" ");
        }
        console.Write(ids);
        console.WriteLine();
    }

    /// <summary>Prints a render without tokens: sources and the loss mask, by character.</summary>
    public static void Print(IAnsiConsole console, Conversation conversation, TemplateRender render)
    {
        if (Console.IsOutputRedirected)
        {
            Console.Out.WriteLine(render.Text);
            return;
        }
        var text = new Paragraph();
        var cuts = render.Runs.Select(r => r.Span.End).Concat(render.GenerationSpans.SelectMany(s => new[] { s.Start, s.End })).Distinct().Order();
        var start = 0;
        foreach (var end in cuts.Where(c => c > 0))
        {
            Colour(text, render, conversation, start, end, control: false, render.GenerationSpans.Any(s => s.Start <= start && end <= s.End));
            start = end;
        }
        console.Write(text);
        console.WriteLine();
        Legend(console, conversation);
    }

    /// <summary>Everything about a render, for scripts.</summary>
    public static JsonObject ToJson(TemplateRender render, RenderedPrompt? prompt, Tokenizer? tokenizer)
    {
        var json = new JsonObject
        {
            ["text"] = render.Text,
            ["generation_spans"] = new JsonArray([.. render.GenerationSpans.Select(s => (JsonNode)new JsonArray(s.Start, s.End))]),
            ["runs"] = new JsonArray([.. render.Runs.Select(r => (JsonNode)new JsonObject { ["start"] = r.Span.Start, ["end"] = r.Span.End, ["source"] = Source(r.Source), ["trusted"] = r.Trusted })]),
        };
        if (prompt is null || tokenizer is null)
            return json;
        json["ids"] = new JsonArray([.. prompt.Ids.Select(id => (JsonNode)id)]);
        json["tokens"] = new JsonArray([.. prompt.Ids.Select((id, i) => (JsonNode)new JsonObject
        {
            ["id"] = id,
            ["token"] = tokenizer.TokenText(id),
            ["start"] = prompt.Spans[i].Start,
            ["end"] = prompt.Spans[i].End,
            ["control"] = tokenizer.IsSpecial(id),
            ["trained"] = prompt.Trained[i],
            ["source"] = Source(prompt.Sources[i]),
        })]);
        return json;
    }

    private static string Ids(RenderedPrompt prompt) => string.Join(' ', prompt.Ids.Select(id => id.ToString(CultureInfo.InvariantCulture)));

    private static JsonObject Source(TokenSource source) => new()
    {
        ["kind"] = source.Kind.ToString().ToLowerInvariant(),
        ["message"] = source.Message < 0 ? null : source.Message,
        ["field"] = source.Field,
    };

    private static void Colour(Paragraph text, TemplateRender render, Conversation conversation, int start, int end, bool control, bool trained)
    {
        if (end <= start)
            return;
        // A token may reach over several sources: its first character names its colour.
        var run = render.Runs.FirstOrDefault(r => r.Span.Start <= start && start < r.Span.End);
        var style = new Style(control ? Color.Red : ColourOf(run.Source, conversation), decoration: (trained ? Decoration.Underline : Decoration.None) | (control ? Decoration.Bold : Decoration.None));
        text.Append(render.Text[start..end], style);
    }

    private static Color ColourOf(TokenSource source, Conversation conversation) => source switch
    {
        { Kind: SourceKind.Message, Message: >= 0 } when source.Message < conversation.Messages.Count =>
            Roles.GetValueOrDefault(conversation.Messages[source.Message].Role, Color.Fuchsia),
        { Kind: SourceKind.Tools or SourceKind.Documents or SourceKind.Variable } => Color.Fuchsia,
        _ => Color.Grey,
    };

    private static void Legend(IAnsiConsole console, Conversation conversation)
    {
        var legend = new Paragraph("\n").Append("template", new Style(Color.Grey)).Append("  ").Append("control token", new Style(Color.Red, decoration: Decoration.Bold)).Append("  ");
        foreach (var role in conversation.Messages.Select(m => m.Role).Distinct(StringComparer.Ordinal))
            legend.Append(role, new Style(Roles.GetValueOrDefault(role, Color.Fuchsia))).Append("  ");
        legend.Append("trained", new Style(decoration: Decoration.Underline));
        console.Write(legend);
        console.WriteLine();
    }
}
