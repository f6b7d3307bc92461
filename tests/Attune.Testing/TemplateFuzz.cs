using System.Text;
using System.Text.Json.Nodes;
using Attune.Prompts;

namespace Attune.Testing;

/// <summary>
/// Mutated templates over mutated conversations, each case from (seed, index) alone. A case renders or raises a typed
/// error; anything else escapes as it is, and so does a render whose spans or origins are not what they must be.
/// </summary>
public static class TemplateFuzz
{
    private static readonly string[] Pieces =
    [
        "{{", "}}", "{%", "%}", "{#", "#}", "-", "+", "(", ")", "[", "]", "{", "}", "|", ".", ",", ":", "'", "\"", "\\", "~", "%", "=", "loop", "messages", "tools", "|tojson", "|tojson(indent=9)",
        "|length", "[::-1]", "is defined", "%s", "{}", "**9", "*99999", "recursive", "set x=", "\ud83d\ude42", "\n", "None", ".format(", "'{:>9999}'.format(1)", "endfor", "endif", "generation",
        "endgeneration", "if ", "for x in ", "range(99999)", "macro m()", "{{ m() }}", "caller()", "namespace(", "|map('upper')|list", "|map(attribute='a.b')", "|sort", "|groupby('role')", ".split(",
        "|indent(9)", "|replace('','x')", "|batch(2)", "|wordwrap(1)", "|urlencode", "|xmlattr", "|dictsort", "loop(messages)", "break", "continue", "raw", "endraw", "block a", "with x=x", "~x~x~x",
        "ns.x", "self", "super()", "varargs", "include 'x'", "autoescape true", "|safe", "|e", "'%9999999d'%1", "9**9**9", "x.__class__", ".append(1)", "|random", "joiner()", "cycler(1,2)", "{{ loop }}",
    ];

    /// <summary>Runs one case; null where it rendered, else the code of the error.</summary>
    /// <param name="templates">Templates to mutate.</param>
    /// <param name="seed">Which million.</param>
    /// <param name="index">Which case of it.</param>
    /// <param name="settings">With the limits.</param>
    public static string? Run(IReadOnlyList<string> templates, int seed, int index, TemplateSettings settings)
    {
        var random = new Random(unchecked((seed * 16_777_619) ^ (index * 374_761_393)));
        var source = Mutate(templates[random.Next(templates.Count)], random, 4);
        try
        {
            var conversation = Talk(random);
            var render = ChatTemplate.Parse(source).Render(conversation, settings with { AddGenerationPrompt = random.Next(3) switch { 0 => null, 1 => true, _ => false } });
            Check(render);
            return null;
        }
        catch (TemplateException e)
        {
            return e.Code;
        }
    }

    /// <summary>The text is covered by runs, what a message or tool brought is not trusted, and spans lie in the text in order.</summary>
    private static void Check(TemplateRender render)
    {
        var end = 0;
        foreach (var run in render.Runs)
        {
            if (run.Span.Start != end || run.Span.Length < 0 || (run.Trusted && run.Source.Kind != SourceKind.Template))
                throw new InvalidOperationException(FormattableString.Invariant($"run {run} does not follow {end}, or is trusted"));
            end = run.Span.End;
        }
        if (end != render.Text.Length)
            throw new InvalidOperationException(FormattableString.Invariant($"runs end at {end} of {render.Text.Length}"));
        if (render.GenerationSpans.Any(s => s.Start < 0 || s.Length < 0 || s.End > render.Text.Length))
            throw new InvalidOperationException("a generation span lies outside of the text");
    }

    private static Conversation Talk(Random random)
    {
        var messages = new List<Message>();
        for (var n = random.Next(5); n > 0; n--)
            messages.Add(Turn(random));
        return new Conversation(messages)
        {
            Tools = random.Next(3) == 0 ? new JsonArray(Any(random, 4), Any(random, 4)) : null,
            Documents = random.Next(6) == 0 ? new JsonArray(Any(random, 3)) : null,
            Variables = random.Next(4) == 0 ? new JsonObject { ["x"] = Any(random, 3), ["enable_thinking"] = random.Next(2) == 0 } : null,
        };
    }

    private static Message Turn(Random random)
    {
        var role = random.Next(8) switch { 0 => "system", 1 or 2 or 3 => "user", 4 or 5 => "assistant", 6 => "tool", _ => Words(random) };
        var fields = new JsonObject();
        if (random.Next(4) == 0)
            fields["tool_calls"] = new JsonArray(new JsonObject { ["id"] = "c1", ["type"] = "function", ["function"] = new JsonObject { ["name"] = Words(random), ["arguments"] = Any(random, 3) } });
        if (random.Next(5) == 0)
            fields["reasoning_content"] = Words(random);
        if (random.Next(6) == 0)
            fields[Words(random)] = Any(random, 3);
        if (random.Next(6) == 0)
            fields["content"] = Any(random, 3);
        return new Message(role, random.Next(6) == 0 ? null : Words(random)) { Fields = fields };
    }

    private static JsonNode? Any(Random random, int depth) => random.Next(depth > 0 ? 9 : 6) switch
    {
        0 => null,
        1 => random.Next(-9, 99),
        2 => random.NextDouble() * Math.Pow(10, random.Next(-9, 20)),
        3 => random.Next(2) == 0,
        4 or 5 => Words(random),
        6 => new JsonArray(Any(random, depth - 1), Any(random, depth - 1)),
        7 => new JsonObject { ["type"] = "text", ["text"] = Any(random, 0) },
        _ => new JsonObject { ["type"] = "function", ["function"] = new JsonObject { ["name"] = Words(random), ["parameters"] = Any(random, depth - 1) } },
    };

    private static string Words(Random random) => Mutate(random.Next(4) switch
    {
        0 => "Hello <|im_end|> {{ x }} ünïcödé",
        1 => "<think>\nhm\n</think>\n\nYes.",
        2 => "  a\r\n\tb  ",
        _ => "x",
    }, random, 3);

    private static string Mutate(string text, Random random, int most)
    {
        var builder = new StringBuilder(text);
        for (var n = random.Next(most); n > 0; n--)
        {
            var at = random.Next(builder.Length + 1);
            switch (random.Next(5))
            {
                case 0 or 1:
                    builder.Insert(at, Pieces[random.Next(Pieces.Length)]);
                    break;
                case 2 when at < builder.Length:
                    builder.Remove(at, Math.Min(random.Next(1, 12), builder.Length - at));
                    break;
                case 3 when at < builder.Length:
                    builder[at] = (char)random.Next(0, random.Next(2) == 0 ? 128 : 65536);
                    break;
                default:
                    var from = random.Next(builder.Length + 1);
                    builder.Insert(at, builder.ToString(from, Math.Min(random.Next(40), builder.Length - from)));
                    break;
            }
        }
        return builder.ToString();
    }
}
