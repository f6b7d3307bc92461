using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Attune.Prompts;

namespace Attune.Bench;

/// <summary>
/// Renders per second of the template engine against python3-jinja2 (Debian's package, or any jinja2 of the python3 given),
/// single-threaded, the same templates and conversations, parsed once on both sides. A pair is counted where both render
/// the same text. Usage: templates [folder of templates] [python].
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
        var theirs = Peer(python, folder);
        var (ours, peer, log, pairs) = (0.0, 0.0, 0.0, 0);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(folder, "jinja"), "*.jinja").Order(StringComparer.Ordinal))
        {
            var template = TryParse(File.ReadAllText(file));
            if (template is null)
                continue;
            foreach (var (name, conversation, with) in conversations)
            {
                if (theirs[Path.GetFileName(file) + "\t" + name] is not JsonArray row || Time(template, conversation, with, row[1]!.GetValue<int>()) is not { } seconds)
                    continue;
                var other = row[0]!.GetValue<double>();
                ours += seconds;
                peer += other;
                log += Math.Log(other / seconds);
                pairs++;
            }
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{pairs} pairs of template and conversation; renders per second: Attune {pairs / ours:n0}, Jinja2 {pairs / peer:n0}; ratio of totals {peer / ours:f1}, geometric mean of ratios {Math.Exp(log / pairs):f1}"));
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

    /// <summary>Best of four rounds, in seconds a render; null where it raises or gives another length than the peer.</summary>
    private static double? Time(ChatTemplate template, PreparedConversation conversation, TemplateSettings settings, int length)
    {
        try
        {
            if (template.Render(conversation, settings).Text.EnumerateRunes().Count() != length)
                return null;
        }
        catch (TemplateException)
        {
            return null;
        }
        // The JIT compiles for good after some hundred calls.
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

    private static JsonObject Peer(string python, string folder)
    {
        using var process = Process.Start(new ProcessStartInfo(python, ["-c", Script, folder]) { RedirectStandardOutput = true, UseShellExecute = false })
            ?? throw new InvalidOperationException($"{python} does not start");
        var json = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return JsonNode.Parse(json)!.AsObject();
    }

    private const string Script =
        """
        import json, os, sys, time, datetime, jinja2
        from jinja2.sandbox import ImmutableSandboxedEnvironment
        from jinja2.ext import Extension, loopcontrols
        class Gen(Extension):
            tags = {"generation"}
            def parse(self, parser):
                line = next(parser.stream).lineno
                body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
                return jinja2.nodes.CallBlock(self.call_method("_run"), [], [], body).set_lineno(line)
            def _run(self, caller): return caller()
        env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Gen, loopcontrols])
        def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
            return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
        def fail(message): raise jinja2.TemplateError(message)
        env.filters["tojson"] = tojson
        env.globals["raise_exception"] = fail
        env.globals["strftime_now"] = lambda f: datetime.datetime(2025, 1, 15, 10, 20, 30).strftime(f)
        folder = sys.argv[1]
        cases = json.load(open(os.path.join(folder, "cases.json"), encoding="utf-8"))
        out = {}
        for name in sorted(os.listdir(os.path.join(folder, "jinja"))):
            try: template = env.from_string(open(os.path.join(folder, "jinja", name), encoding="utf-8").read())
            except Exception: continue
            for case, c in cases.items():
                messages = [{k: v for k, v in m.items() if v is not None} for m in c["messages"]]
                for m in messages:
                    if "reasoning_content" in m: m["thinking"] = m["reasoning_content"]
                args = dict(messages=messages, tools=c.get("tools"), documents=c.get("documents"), add_generation_prompt=c["add_generation_prompt"],
                            bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="<pad>")
                try: text = template.render(**args)
                except Exception: continue
                best = 1e9
                for _ in range(2):
                    t = time.perf_counter()
                    for _ in range(3): template.render(**args)
                    best = min(best, (time.perf_counter() - t) / 3)
                out[name + "\t" + case] = [best, len(text)]
        print(json.dumps(out))
        """;
}
