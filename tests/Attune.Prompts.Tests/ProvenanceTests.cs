using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Attune.Prompts.Tests;

/// <summary>Origins through every filter, method, operator and format, one expression at a time.</summary>
public sealed class ProvenanceTests
{
    [Fact]
    public void No_expression_washes_a_callers_text()
    {
        var (rendered, failures) = (Washed("jinja.jsonl", out var first) + Washed("programs.jsonl", out var second), first + second);
        Assert.True(rendered > 300, $"only {rendered} templates show the caller's text");
        Assert.True(failures.Length == 0, failures);
    }

    private static int Washed(string file, out string failed)
    {
        using var reader = new StreamReader(typeof(ProvenanceTests).Assembly.GetManifestResourceStream(file)!);
        var context = (JsonObject)Stranger(JsonNode.Parse(reader.ReadLine()!)!["context"]!);
        var (rendered, failures) = (0, new StringBuilder());
        while (reader.ReadLine() is { } line)
        {
            var source = JsonNode.Parse(line)!["template"]!.GetValue<string>();
            TemplateRender render;
            try
            {
                render = ChatTemplate.Parse(source).RenderVariables(context, new TemplateSettings { Now = Reference.Clock });
            }
            catch (TemplateException)
            {
                continue;
            }
            rendered += Strangers.In(render.Text) ? 1 : 0;
            foreach (var run in render.Runs)
            {
                if (run.Trusted && Strangers.In(render.Text.AsSpan(run.Span.Start, run.Span.Length)))
                    failures.AppendLine($"{source} gives {render.Text.AsSpan(run.Span.Start, run.Span.Length)}");
            }
        }
        failed = failures.ToString();
        return rendered;
    }

    // Where the letters themselves do not survive: what is made of them is the caller's too.
    [Theory]
    [InlineData("{{ s|urlencode }}")]
    [InlineData("{{ s|tojson(ensure_ascii=true) }}")]
    [InlineData("{{ '%c' % i }}")]
    [InlineData("{{ '{:c}{:>4c}'.format(i, i) }}", " ")]
    [InlineData("{{ 'x'.translate({120: i}) }}")]
    [InlineData("{{ '{:{f}>3}'.format('x', f=s[0]) }}")]
    [InlineData("{{ {'a': 1}|tojson(indent=s) }}")]
    [InlineData("{{ strftime_now(s) }}")]
    [InlineData("{{ s.translate({60: '<'}) }}", "<")]
    [InlineData("{{ s|e }}")]
    [InlineData("{{ [s] }}", "[']")]
    [InlineData("{{ '{:>9}'.format(s) }}", " ")]
    [InlineData("{{ s|center(9) }}", " ")]
    [InlineData("{{ s|replace('<', '<|im_end|>') }}", "<|im_end|>")]
    [InlineData("{{ s.split('|')|join('~') }}", "~")]
    public void What_is_made_of_a_callers_text_is_the_callers(string template, string own = "")
    {
        var context = new JsonObject { ["s"] = "<|x", ["i"] = 60 };
        var render = ChatTemplate.Parse(template).RenderVariables(context);
        Assert.NotEmpty(render.Text);
        foreach (var run in render.Runs.Where(r => r.Trusted))
            Assert.All(render.Text.Substring(run.Span.Start, run.Span.Length), c => Assert.Contains(c, own));
    }

    [Theory]
    [InlineData("messages[0].role", "role")]
    [InlineData("messages[0].content|trim|upper", "content")]
    [InlineData("messages[1].tool_calls[0].function.name", "tool_calls[0].function.name")]
    [InlineData("messages[1].tool_calls[0].function.arguments|tojson", "tool_calls[0].function.arguments")]
    [InlineData("tools[0].function.description", "tools[0].function.description")]
    [InlineData("documents[0].text", "documents[0].text")]
    [InlineData("extra.deep[1]", "extra.deep[1]")]
    public void An_origin_names_message_and_field(string expression, string field)
    {
        var conversation = new Conversation(
        [
            new("user", "Hi"),
            new("assistant", null) { Fields = new() { ["tool_calls"] = new JsonArray(new JsonObject { ["function"] = new JsonObject { ["name"] = "f", ["arguments"] = new JsonObject { ["x"] = "y" } } }) } },
        ])
        {
            Tools = [new JsonObject { ["function"] = new JsonObject { ["description"] = "d" } }],
            Documents = [new JsonObject { ["text"] = "t" }],
            Variables = new() { ["extra"] = new JsonObject { ["deep"] = new JsonArray(1, "z") } },
        };
        var render = ChatTemplate.Parse("{{ " + expression + " }}").Render(conversation);
        Assert.Contains(render.Runs, r => !r.Trusted && r.Source.Field!.StartsWith(field, StringComparison.Ordinal));
    }

    // Values only: keys are what the expressions ask for.
    private static JsonNode Stranger(JsonNode node) => node switch
    {
        JsonObject o => new JsonObject(o.Select(p => KeyValuePair.Create(p.Key, p.Value is null ? null : p.Key is "role" or "type" ? p.Value.DeepClone() : Stranger(p.Value)))),
        JsonArray a => new JsonArray([.. a.Select(v => v is null ? null : Stranger(v))]),
        JsonValue v when v.TryGetValue<string>(out var text) => Strangers.Write(text),
        _ => node.DeepClone(),
    };
}
