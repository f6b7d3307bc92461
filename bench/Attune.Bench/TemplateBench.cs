using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Attune.Prompts;

namespace Attune.Bench;

/// <summary>
/// Renders per second of the template engine against python3-jinja2 (Debian's package, or any jinja2 of the python3 given),
/// single-threaded, the same templates and conversations, parsed once on both sides. A pair is counted where both render
/// a text of the same length; its time is the best of four rounds on both sides, after some renders to warm up.
/// Usage: templates [folder of templates] [python].
/// </summary>
internal static class TemplateBench
{
    public static int Run(string[] args)
    {
        var shared = Environment.GetEnvironmentVariable("ATTUNE_SHARED") ?? Path.Combine("..", "shared");
        var folder = args.Length > 0 ? args[0] : Path.Combine(shared, "templates");
        var python = args.Length > 1 ? args[1] : "python3";
        var settings = new TemplateSettings
        {
            SpecialTokens = new Dictionary<string, string>(StringComparer.Ordinal) { ["bos_token"] = "<s>", ["eos_token"] = "</s>", ["unk_token"] = "<unk>", ["pad_token"] = "<pad>" },
            Now = new DateTime(2025, 1, 15, 10, 20, 30),
        };
        var conversations = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "cases.json")))!.AsObject()
            .Select(c => (c.Key, Conversation: PreparedConversation.From(Read(c.Value!.AsObject())), Settings: settings with { AddGenerationPrompt = c.Value!["add_generation_prompt"]!.GetValue<bool>() })).ToArray();
        var templates = Directory.EnumerateFiles(Path.Combine(folder, "jinja"), "*.jinja").Order(StringComparer.Ordinal)
            .Select(file => (Name: Path.GetFileName(file), Template: TryParse(File.ReadAllText(file)))).Where(t => t.Template is not null).ToArray();
        // The JIT compiles the engine for good in the background: it is done before the first pair is timed.
        foreach (var (_, template) in templates)
        {
            foreach (var (_, conversation, with) in conversations)
                Length(template!, conversation, with, renders: 20);
        }
        using var theirs = new TemplatePeer(python, folder);
        var (ours, peer, log, pairs) = (0.0, 0.0, 0.0, 0);
        foreach (var (file, template) in templates)
        {
            var rows = theirs.Times(file);
            foreach (var (name, conversation, with) in conversations)
            {
                if (rows[name] is not JsonArray row || Length(template!, conversation, with, renders: 1) != row[1]!.GetValue<int>())
                    continue;
                var other = row[0]!.GetValue<double>();
                var seconds = Time(template!, conversation, with);
                ours += seconds;
                peer += other;
                log += Math.Log(other / seconds);
                pairs++;
            }
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{pairs} pairs of template and conversation; renders per second: Attune {pairs / ours:n0}, {theirs.Version} {pairs / peer:n0}; ratio of totals {peer / ours:f1}, geometric mean of ratios {Math.Exp(log / pairs):f1}"));
        return 0;
    }

    private static Conversation Read(JsonObject example) => new([.. example["messages"]!.AsArray().Select(m => Message(m!.AsObject()))])
    {
        Tools = example["tools"]?.DeepClone().AsArray(),
        Documents = example["documents"]?.DeepClone().AsArray(),
    };

    private static Message Message(JsonObject message)
    {
        var fields = new JsonObject();
        foreach (var (name, value) in message)
        {
            if (name != "role")
                fields[name] = value?.DeepClone();
        }
        return new(message["role"]!.GetValue<string>(), null) { Fields = fields };
    }

    private static ChatTemplate? TryParse(string source)
    {
        try
        {
            return ChatTemplate.Parse(source);
        }
        catch (TemplateException)
        {
            return null;
        }
    }

    /// <summary>The render's length in code points; null where it raises.</summary>
    private static int? Length(ChatTemplate template, PreparedConversation conversation, TemplateSettings settings, int renders)
    {
        try
        {
            for (var i = 1; i < renders; i++)
                template.Render(conversation, settings);
            return template.Render(conversation, settings).Text.EnumerateRunes().Count();
        }
        catch (TemplateException)
        {
            return null;
        }
    }

    /// <summary>Best of four rounds, in seconds a render.</summary>
    private static double Time(ChatTemplate template, PreparedConversation conversation, TemplateSettings settings)
    {
        for (var i = 0; i < 200; i++)
            template.Render(conversation, settings);
        var best = double.MaxValue;
        for (var round = 0; round < 4; round++)
        {
            var watch = Stopwatch.GetTimestamp();
            for (var i = 0; i < 40; i++)
                template.Render(conversation, settings);
            best = Math.Min(best, Stopwatch.GetElapsedTime(watch).TotalSeconds / 40);
        }
        return best;
    }
}
