using System.Text;
using System.Text.Json.Nodes;
using Attune.Testing;
using Xunit;

namespace Attune.Prompts.Tests;

/// <summary>Every render of the reference, byte for byte, and every error by type and phase.</summary>
public sealed class TemplatesGolden
{
    [Fact]
    public void Every_row_of_the_reference_comes_out_the_same()
    {
        Assert.SkipWhen(SharedData.MaySkip, "no reference data");
        var cases = Reference.Cases();
        var templates = new Dictionary<string, (ChatTemplate? Template, TemplateException? Error)>(StringComparer.Ordinal);
        var failures = new StringBuilder();
        var (rows, failed) = (0, 0);
        foreach (var row in Reference.Rows("golden.jsonl"))
        {
            rows++;
            var name = row["template"]!.GetValue<string>();
            if (!templates.TryGetValue(name, out var parsed))
                templates[name] = parsed = Parse(Reference.Template(name));
            var problem = Check(row, cases[row["case"]!.GetValue<string>()], parsed.Template, parsed.Error);
            if (problem is not null && ++failed <= 20)
                failures.AppendLine($"{name} × {row["case"]}: {problem}");
        }
        Assert.True(rows > 0, "golden.jsonl holds no rows");
        Assert.True(failed == 0, $"{failed} of {rows} rows differ\n{failures}");
    }

    [Fact]
    public void Every_trap_of_Jinja_is_stepped_around()
    {
        Assert.SkipWhen(SharedData.MaySkip, "no reference data");
        var (rows, failures) = (0, new StringBuilder());
        foreach (var row in Reference.Rows("traps.jsonl"))
        {
            rows++;
            var problem = Trap(row);
            if (problem is not null)
                failures.AppendLine($"{row["name"]}: {problem}");
        }
        Assert.True(rows > 0, "traps.jsonl holds no rows");
        Assert.True(failures.Length == 0, failures.ToString());
    }

    private static (ChatTemplate?, TemplateException?) Parse(string source)
    {
        try
        {
            return (ChatTemplate.Parse(source), null);
        }
        catch (TemplateException e)
        {
            return (null, e);
        }
    }

    private static string? Check(JsonObject row, JsonObject example, ChatTemplate? template, TemplateException? broken)
    {
        var (conversation, settings) = Reference.Input(example, row["kwargs"]!.AsObject());
        try
        {
            if (template is null)
                throw broken!;
            var render = template.Render(conversation, settings);
            if (row["error"] is { } expected)
                return $"rendered, the reference raises {expected["type"]}: {expected["message"]}";
            var output = row["output"]!.GetValue<string>();
            if (render.Text != output)
                return $"text differs at {At(render.Text, output)}";
            var spans = row["generation_spans"]?.AsArray().Select(s => (s![0]!.GetValue<int>(), s[1]!.GetValue<int>())).ToArray() ?? [];
            var ours = render.GenerationSpans.Select(s => (Reference.CodePoint(render.Text, s.Start), Reference.CodePoint(render.Text, s.End))).ToArray();
            return ours.SequenceEqual(spans) ? null : $"spans {string.Join(' ', ours)} instead of {string.Join(' ', spans)}";
        }
        catch (TemplateException e)
        {
            if (row["error"] is not { } expected)
                return $"raised {e.Describe()}";
            return e.ErrorType == expected["type"]!.GetValue<string>() && e.Message == expected["message"]!.GetValue<string>()
                && e.Phase.ToString().Equals(expected["phase"]!.GetValue<string>(), StringComparison.OrdinalIgnoreCase)
                ? null : $"raised {e.ErrorType} ({e.Phase}): {e.Message}, the reference {expected["type"]} ({expected["phase"]}): {expected["message"]}";
        }
    }

    private static string? Trap(JsonObject row)
    {
        try
        {
            var text = ChatTemplate.Parse(row["template"]!.GetValue<string>())
                .RenderVariables(row["context"]!.AsObject(), new TemplateSettings { Now = Reference.Clock }).Text;
            return row["error"] is { } expected ? $"gave {text}, the reference raises {expected["type"]}"
                : text == row["output"]!.GetValue<string>() ? null : $"gave {text} instead of {row["output"]}";
        }
        catch (TemplateException e)
        {
            return row["error"] is { } expected && e.ErrorType == expected["type"]!.GetValue<string>() && e.Message == expected["message"]!.GetValue<string>()
                ? null : $"raised {e.ErrorType}: {e.Message}";
        }
    }

    private static string At(string ours, string theirs)
    {
        var at = ours.Zip(theirs).TakeWhile(p => p.First == p.Second).Count();
        return $"{at}: {Part(ours)} instead of {Part(theirs)}";

        string Part(string text) => JsonValue.Create(text[Math.Min(Math.Max(at - 20, 0), text.Length)..Math.Min(at + 40, text.Length)]).ToJsonString();
    }
}
