using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Attune.Testing;
using Xunit;

namespace Attune.Prompts.Tests;

/// <summary>
/// Over every shared template and conversation: nothing that a caller brought is ever taken for the template's own text. The
/// caller's letters are Armenian here, which no template writes, so a letter that lost its origin on its way through filters,
/// methods, macros and loops stands out; then the caller types every control token that the template knows.
/// </summary>
public sealed partial class ProvenanceGolden
{
    [Fact]
    public void No_letter_of_a_caller_becomes_the_templates_own()
    {
        Assert.SkipWhen(SharedData.MaySkip, "no reference data");
        var (renders, failures) = (0, new StringBuilder());
        foreach (var (name, template, conversation, settings) in Pairs(Strangers.Write))
        {
            if (Try(template, conversation, settings) is not { } render)
                continue;
            renders++;
            foreach (var run in render.Runs)
            {
                var text = render.Text.AsSpan(run.Span.Start, run.Span.Length);
                if (run.Trusted && Strangers.In(text))
                    failures.AppendLine($"{name}: {text}");
            }
        }
        Assert.True(renders > 0, "no template rendered");
        Assert.True(failures.Length == 0, failures.ToString());
    }

    [Fact]
    public void Control_tokens_come_from_the_template_alone_and_the_text_stays_whole()
    {
        Assert.SkipWhen(SharedData.MaySkip, "no reference data");
        var (renders, controls, failures) = (0, 0, new StringBuilder());
        foreach (var file in SharedData.Files("*.jinja", "templates", "jinja"))
        {
            var source = File.ReadAllText(file);
            string[] tokens = [.. Markers().Matches(source).Select(m => m.Value).Concat(Special.Values).Distinct(StringComparer.Ordinal)];
            var encoder = new ToyEncoder(tokens);
            var attack = string.Concat(tokens) + tokens[0][..1] + " " + tokens[^1];
            if (Contract(source, encoder) is not { } contract)
                continue;
            foreach (var (name, _, conversation, settings) in Pairs(text => text + attack, file))
            {
                RenderedPrompt prompt;
                TemplateRender render;
                try
                {
                    render = contract.RenderText(conversation, settings.AddGenerationPrompt == true);
                    prompt = contract.Render(conversation, encoder, settings.AddGenerationPrompt == true);
                }
                catch (TemplateException)
                {
                    continue;
                }
                renders++;
                var trusted = new bool[render.Text.Length];
                foreach (var run in render.Runs.Where(r => r.Trusted))
                    trusted.AsSpan(run.Span.Start, run.Span.Length).Fill(true);
                for (var i = 0; i < prompt.Ids.Length; i++)
                {
                    if (!encoder.IsAdded(prompt.Ids[i]))
                        continue;
                    controls++;
                    var span = prompt.Spans[i];
                    if (prompt.Sources[i].Kind != SourceKind.Template || trusted.AsSpan(span.Start, span.Length).Contains(false))
                        failures.AppendLine($"{name}: {prompt.Text.AsSpan(span.Start, span.Length)} at {span.Start} from {prompt.Sources[i]}");
                }
                // Only a doubled BOS at the start may be missing.
                var whole = encoder.Decode(prompt.Ids);
                if (whole != prompt.Text && "<s>" + whole != prompt.Text)
                    failures.AppendLine($"{name}: decoding does not give the render back");
            }
        }
        Assert.True(renders > 0 && controls > 0, "no template rendered with control tokens");
        Assert.True(failures.Length == 0, failures.Length > 4000 ? failures.ToString(0, 4000) : failures.ToString());
    }

    private static readonly Dictionary<string, string> Special = new(StringComparer.Ordinal) { ["bos_token"] = "<s>", ["eos_token"] = "</s>", ["unk_token"] = "<unk>", ["pad_token"] = "<pad>" };

    private static IEnumerable<(string Name, ChatTemplate Template, Conversation Conversation, TemplateSettings Settings)> Pairs(Func<string, string> change, string? only = null)
    {
        var cases = Reference.Cases().ToDictionary(c => c.Key, c => (Reference.Conversation((JsonObject)Changed(c.Value, change)), c.Value["add_generation_prompt"]?.GetValue<bool>()), StringComparer.Ordinal);
        foreach (var file in only is null ? SharedData.Files("*.jinja", "templates", "jinja") : [only])
        {
            ChatTemplate template;
            try
            {
                template = ChatTemplate.Parse(File.ReadAllText(file));
            }
            catch (TemplateException)
            {
                continue;
            }
            foreach (var (name, (conversation, add)) in cases)
                yield return ($"{Path.GetFileName(file)} × {name}", template, conversation, new TemplateSettings { SpecialTokens = Special, AddGenerationPrompt = add, Now = Reference.Clock });
        }
    }

    /// <summary>Every text changed but those by which templates tell roles and types apart.</summary>
    private static JsonNode Changed(JsonNode node, Func<string, string> change) => node switch
    {
        JsonObject o => new JsonObject(o.Select(p => KeyValuePair.Create(p.Key, p.Key is "role" or "type" ? p.Value?.DeepClone() : p.Value is null ? null : Changed(p.Value, change)))),
        JsonArray a => new JsonArray([.. a.Select(v => v is null ? null : Changed(v, change))]),
        JsonValue v when v.TryGetValue<string>(out var text) => change(text),
        _ => node.DeepClone(),
    };

    private static PromptContract? Contract(string source, ToyEncoder encoder)
    {
        try
        {
            return PromptContract.FromFiles(new JsonObject(Special.Select(t => KeyValuePair.Create(t.Key, (JsonNode?)t.Value))).ToJsonString(), source, encoder).WithClock(Reference.Clock, encoder);
        }
        catch (TemplateException)
        {
            return null;
        }
    }

    private static TemplateRender? Try(ChatTemplate template, Conversation conversation, TemplateSettings settings)
    {
        try
        {
            return template.Render(conversation, settings);
        }
        catch (TemplateException)
        {
            return null;
        }
    }

    // What looks like a control token in a template's source.
    [GeneratedRegex(@"<\|[^|<>\s]{1,40}\|>|<｜[^｜<>\s]{1,40}｜>|</?(?:s|think|tool_call|tool_response|start_of_turn|end_of_turn|bos|eos)>|\[/?(?:INST|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|SYSTEM_PROMPT)\]", RegexOptions.None, 1000)]
    private static partial Regex Markers();
}

/// <summary>Texts in letters that no template writes: Armenian, which has both cases.</summary>
internal static class Strangers
{
    /// <summary>Letters become Armenian ones; whatever else stands in a text stays.</summary>
    public static string Write(string text) => string.Concat(text.Select(c => char.IsAsciiLetterLower(c) ? (char)('ա' + c - 'a') : char.IsAsciiLetterUpper(c) ? (char)('Ա' + c - 'A') : c));

    /// <summary>Whether such a letter is in a text.</summary>
    public static bool In(ReadOnlySpan<char> text) => text.IndexOfAnyInRange('\u0531', '\u0587') >= 0;
}
