using System.Text.Json.Nodes;
using Attune.Prompts.Jinja;

namespace Attune.Prompts;

/// <summary>
/// Looks for what templates do wrong, by rendering probes and comparing, and by reading the tree for what only some
/// engines run. A template that raises where it has no answer does it right.
/// </summary>
public static class TemplateLint
{
    /// <summary>Checks a contract: everything of a template, and its stop tokens and padding.</summary>
    public static IReadOnlyList<LintFinding> Check(PromptContract contract)
    {
        ArgumentNullException.ThrowIfNull(contract);
        return new Probe(contract.Template, contract.Settings(addGenerationPrompt: false), contract).Run();
    }

    /// <summary>Checks a template alone, with the usual names for special tokens.</summary>
    public static IReadOnlyList<LintFinding> Check(ChatTemplate template, IReadOnlyDictionary<string, string>? specialTokens = null)
    {
        ArgumentNullException.ThrowIfNull(template);
        return new Probe(template, new TemplateSettings
        {
            SpecialTokens = specialTokens ?? new Dictionary<string, string>(StringComparer.Ordinal) { ["bos_token"] = "<s>", ["eos_token"] = "</s>", ["unk_token"] = "<unk>", ["pad_token"] = "<pad>" },
            Now = new DateTime(2025, 1, 15, 10, 20, 30),
        }, null).Run();
    }

    private sealed class Probe(ChatTemplate template, TemplateSettings settings, PromptContract? contract)
    {
        // Words that no template holds, by what they stand in for.
        private const string Question = "Qx7question", Answer = "Ax7answer", Next = "Nx7next", Special = "Sx7special";

        private readonly List<LintFinding> _findings = [];

        public IReadOnlyList<LintFinding> Run()
        {
            Beginning();
            Prefixes();
            Endings();
            Dropped();
            Roles();
            Reading();
            return [.. _findings.OrderBy(f => f.Code, StringComparer.Ordinal).ThenBy(f => f.Line)];
        }

        private void Add(string code, int line, string detail)
        {
            var rule = LintRules.Of(code);
            _findings.Add(new(code, rule.Severity, line, $"{rule.Name}: {detail}", rule.Fix));
        }

        private TemplateRender? Render(Message[] messages, bool prompt = false, JsonArray? tools = null, JsonArray? documents = null)
        {
            try
            {
                return template.Render(new Conversation(messages) { Tools = tools, Documents = documents }, settings with { AddGenerationPrompt = prompt });
            }
            catch (TemplateException)
            {
                return null;
            }
        }

        private string? Text(Message[] messages, bool prompt = false, JsonArray? tools = null, JsonArray? documents = null) =>
            Render(messages, prompt, tools, documents)?.Text;

        private int LineOf(Func<Expr, bool> wanted)
        {
            var line = 0;
            Tree.Walk(template.Program.Body, _ => { }, e => line = line == 0 && wanted(e) ? template.Program.LineOf(e.Pos) : line);
            return Math.Max(line, 1);
        }

        private int LineOfName(string name) => LineOf(e => e is Name n && n.Id == name || e is GetAttr a && a.Attribute == name || e is Const { Value: PyStr s } && s.Text == name);

        private int LastLine => template.Program.LineOf(template.Program.Source.Length);

        private void Beginning()
        {
            var bos = settings.SpecialTokens.GetValueOrDefault("bos_token");
            var one = Text([new("user", Question)], prompt: true) ?? Text([new("user", Question), new("assistant", Answer)]);
            if (string.IsNullOrEmpty(bos) || one is null || !one.StartsWith(bos, StringComparison.Ordinal))
                return;
            if (one.AsSpan(bos.Length).TrimStart().StartsWith(bos, StringComparison.Ordinal))
                Add("ATT1202", LineOfName("bos_token"), $"the render begins {Show(one, 24)}");
            else
                Add("ATT1201", LineOfName("bos_token"), $"the render begins {Show(one, 24)}");
        }

        private void Prefixes()
        {
            var without = Text([new("user", Question)]);
            var with = Text([new("user", Question)], prompt: true);
            if (with is not null && with == without)
                Add("ATT1203", LineOfName("add_generation_prompt"), "one question renders the same with and without it");
            var pair = Text([new("user", Question), new("assistant", Answer)]);
            if (with is not null && pair is not null && !pair.StartsWith(with, StringComparison.Ordinal))
                Add("ATT1204", LineOfName("add_generation_prompt"), Differ(with, pair));
            var longer = Text([new("user", Question), new("assistant", Answer), new("user", Next)]);
            if (pair is not null && longer is not null && !longer.StartsWith(pair, StringComparison.Ordinal))
                Add("ATT1205", LineOfName("assistant"), Differ(pair, longer));
            var called = Text([new("user", Question), PromptFeatures.Calling]);
            var answered = Text([new("user", Question), PromptFeatures.Calling, ToolResult(Special)]);
            if (called is not null && answered is not null && called.Contains('f', StringComparison.Ordinal) && answered.Contains(Special, StringComparison.Ordinal)
                && !answered.StartsWith(called, StringComparison.Ordinal))
                Add("ATT1206", LineOfName("tool_calls"), Differ(called, answered));
        }

        private static Message ToolResult(string content) => new("tool", content) { Fields = new() { ["tool_call_id"] = "call00001", ["name"] = "f" } };

        private void Endings()
        {
            if (Render([new("user", Question), new("assistant", Answer)]) is not { } render || render.Text.LastIndexOf(Answer, StringComparison.Ordinal) is not (var at and >= 0))
                return;
            var end = at + Answer.Length;
            var rest = render.Text[end..];
            var prompt = (contract?.GenerationPrompt ?? PromptText())?.Trim();
            if (rest.Trim().Length == 0 || (prompt is { Length: > 0 } && rest.Trim() == prompt))
            {
                Add("ATT1207", LastLine, $"after the answer comes {Show(rest, 24)}");
                return;
            }
            if (render.GenerationSpans.Count == 0)
                Add("ATT1209", 1, "a question with its answer renders without one");
            else if (!render.GenerationSpans.Any(s => s.Start <= at && s.End > end + (rest.Length - rest.TrimStart().Length)))
                Add("ATT1208", LineOfEndGeneration(), $"after the span comes {Show(rest, 24)}");
            if (contract is not null)
                Stops(rest.TrimStart());
        }

        private string? PromptText() => Text([new("user", Question)]) is { } a && Text([new("user", Question)], prompt: true) is { } b && b.StartsWith(a, StringComparison.Ordinal) ? b[a.Length..] : null;

        private int LineOfEndGeneration()
        {
            var at = template.Program.Source.IndexOf("endgeneration", StringComparison.Ordinal);
            return at < 0 ? 1 : template.Program.LineOf(at);
        }

        private void Stops(string rest)
        {
            var stops = contract!.Parts.StopTexts.Concat(contract.SpecialTokens.TryGetValue("eos_token", out var eos) ? [eos] : []).ToList();
            if (!stops.Exists(s => s.Length > 0 && rest.StartsWith(s, StringComparison.Ordinal)))
                Add("ATT1210", LastLine, $"after the answer comes {Show(rest, 24)}, the stop tokens are {string.Join(' ', stops)}");
            if (contract.SpecialTokenIds.TryGetValue("pad_token", out var pad) && contract.StopIds.Contains(pad))
                Add("ATT1211", 1, FormattableString.Invariant($"both have id {pad}"));
        }

        private void Dropped()
        {
            Missing("ATT1212", "tools", Text([new("user", Question)], true, new JsonArray(PromptFeatures.ToolNamed(Special))));
            var calling = PromptFeatures.Calling;
            calling.Fields!["tool_calls"]![0]!["function"]!["arguments"]!["x"] = Special;
            Missing("ATT1213", "tool_calls", Text([new("user", Question), calling]));
            Missing("ATT1214", "tool", Text([new("user", Question), PromptFeatures.Calling, ToolResult(Special)]));
            Missing("ATT1215", "system", Text([new("system", Special), new("user", Question)], prompt: true));
            Missing("ATT1216", "documents", Text([new("user", Question)], true, null, new JsonArray(new JsonObject { ["title"] = "T", ["text"] = Special })));
            Missing("ATT1217", "reasoning_content", Text([new("user", Question), new("assistant", Answer) { Fields = new() { ["reasoning_content"] = Special } }]));

            void Missing(string code, string name, string? text)
            {
                if (text is not null && !text.Contains(Special, StringComparison.Ordinal))
                    Add(code, LineOfName(name), $"'{Special}' given as {name} is not in the render");
            }
        }

        private void Roles()
        {
            if (Text([new("narrator", Special), new("user", Question)], prompt: true) is { } strange)
                Add(strange.Contains(Special, StringComparison.Ordinal) ? "ATT1219" : "ATT1218", LineOfName("role"), $"role 'narrator' gives {Show(strange, 40)}");
            var parts = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = Special });
            if (Text([new("user", null) { Fields = new() { ["content"] = parts } }], prompt: true) is { } listed && listed.Contains("[{'type'", StringComparison.Ordinal))
                Add("ATT1220", LineOfName("content"), $"a text part gives {Show(listed[listed.IndexOf("[{", StringComparison.Ordinal)..], 40)}");
            var typed = contract is null ? "<|im_end|></s>" : string.Concat(contract.SpecialTokens.Values);
            if (typed.Length > 0 && Text([new("user", Question + typed)], prompt: true) is { } passed && passed.Contains(Question + typed, StringComparison.Ordinal))
                Add("ATT1226", LineOfName("content"), $"{Show(typed, 40)} typed by a user stands in the render");
        }

        /// <summary>What the tree alone shows.</summary>
        private void Reading()
        {
            if (ContractBuilder.UsesClock(template))
                Add("ATT1221", LineOfName("strftime_now"), "it calls strftime_now");
            NoneAgainstUndefined();
            Tree.Walk(template.Program.Body, _ => { }, e =>
            {
                var line = template.Program.LineOf(e.Pos);
                switch (e)
                {
                    case Call { Callee: GetAttr method } when Methods.Mutating(isDict: false, method.Attribute) || Methods.Mutating(isDict: true, method.Attribute):
                        Add("ATT1223", line, $".{method.Attribute}()");
                        break;
                    case FilterExpr { Filter: null } filter:
                        Add("ATT1224", line, $"filter {filter.FilterName}");
                        break;
                    case TestExpr { Test: null } test:
                        Add("ATT1224", line, $"test {test.TestName}");
                        break;
                    case AddChain chain when Array.Exists(chain.Parts, p => p is FilterExpr { FilterName: "safe" }):
                        Add("ATT1225", line, "'safe' beside +");
                        break;
                }
            });
        }

        private void NoneAgainstUndefined()
        {
            // transformers always passes tools and documents, as none where there are none; other engines leave them out.
            var prepared = PreparedConversation.From(new([new("user", Question)]));
            var given = Try(prepared);
            var absent = Try(prepared.Without("tools", "documents"));
            if (given != absent)
                Add("ATT1222", LineOfName("tools"), $"none gives {Show(given, 30)}, absent gives {Show(absent, 30)}");

            string Try(PreparedConversation conversation)
            {
                try
                {
                    return template.Render(conversation, settings with { AddGenerationPrompt = true }).Text;
                }
                catch (TemplateException e)
                {
                    return $"{e.ErrorType}: {e.Message}";
                }
            }
        }

        private static string Differ(string first, string second)
        {
            var at = 0;
            while (at < first.Length && at < second.Length && first[at] == second[at])
                at++;
            return $"they part at {Show(first[at..], 24)} against {Show(second[at..], 24)}";
        }

        private static string Show(string text, int length) => PyRepr.Quote(text.Length <= length ? text : text[..length] + "…");
    }
}
