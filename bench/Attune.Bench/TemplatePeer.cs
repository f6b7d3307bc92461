using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Attune.Bench;

/// <summary>
/// python3-jinja2 beside us, set up as transformers does. It times one template when asked to and waits otherwise, so
/// that a machine which is fast or slow for a while is so for both sides.
/// </summary>
internal sealed class TemplatePeer : IDisposable
{
    private readonly Process _process;

    public TemplatePeer(string python, string folder)
    {
        _process = Process.Start(new ProcessStartInfo(python, ["-c", Script, folder]) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false })
            ?? throw new InvalidOperationException($"{python} does not start");
        Version = Answer().GetValue<string>();
    }

    /// <summary>Which Jinja2 on which Python.</summary>
    public string Version { get; }

    /// <summary>By conversation: seconds a render and code points of the text. What raises is left out.</summary>
    public JsonObject Times(string template)
    {
        _process.StandardInput.WriteLine(template);
        _process.StandardInput.Flush();
        return Answer().AsObject();
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }

    private JsonNode Answer() => JsonNode.Parse(_process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("The peer ended: is python3-jinja2 installed?"))!;

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
        def times(name):
            out = {}
            try: template = env.from_string(open(os.path.join(folder, "jinja", name), encoding="utf-8").read())
            except Exception: return out
            for case, c in cases.items():
                messages = [{k: v for k, v in m.items() if v is not None} for m in c["messages"]]
                for m in messages:
                    if "reasoning_content" in m: m["thinking"] = m["reasoning_content"]
                args = dict(messages=messages, tools=c.get("tools"), documents=c.get("documents"), add_generation_prompt=c["add_generation_prompt"],
                            bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="<pad>")
                # CPython specialises a function's bytecode in its first calls.
                try: text = [template.render(**args) for _ in range(4)][0]
                except Exception: continue
                best = 1e9
                for _ in range(4):
                    t = time.perf_counter()
                    for _ in range(3): template.render(**args)
                    best = min(best, (time.perf_counter() - t) / 3)
                out[case] = [best, len(text)]
            return out
        print(json.dumps("Jinja2 " + jinja2.__version__ + ", Python " + sys.version.split()[0]), flush=True)
        for line in sys.stdin:
            print(json.dumps(times(line.strip())), flush=True)
        """;
}
