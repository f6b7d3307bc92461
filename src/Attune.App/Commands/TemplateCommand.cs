using System.CommandLine;
using System.ComponentModel;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.App.Cli;
using Attune.App.Runs;
using Attune.App.Templates;
using Attune.Core.Checkpoints;
using Attune.Core.Options;
using Attune.Core.Versions;
using Attune.Prompts;
using Spectre.Console;

namespace Attune.App.Commands;

/// <summary><c>attune template show | render | lint | diff | contract | check</c>: the prompt template, looked at as a part of the model.</summary>
internal static class TemplateCommand
{
    internal record SubjectPlace
    {
        [Description("A tokenizer.json, model folder or version whose tokenizer makes the ids; the subject's own unless given.")]
        public string? Tokenizer { get; init; }

        [Description("Folder of the versions.")]
        public string Store { get; init; } = Place.DefaultStore;

        [Description("Print JSON.")]
        public bool Json { get; init; }

        public PromptSubject Open(string reference) => PromptSubject.Open(reference, Store, Tokenizer);
    }

    internal record SubjectOptions
    {
        [Description("A version, a model folder, a file (template, tokenizer_config.json, prompt_contract.json, GGUF), or a built-in contract (chatml).")]
        public required string Subject { get; init; }
    }

    internal sealed record RenderOptions : SubjectOptions
    {
        [Description("A JSON file: messages, or {messages, tools, documents}; - reads standard input.")]
        public string? Conversation { get; init; }

        [Description("A system message in front, where no file is given.")]
        public string? System { get; init; }

        [Description("What the user says, where no file is given.")]
        public string User { get; init; } = "Hello!";

        [Description("End with the opening of an assistant's turn; unless given, where the last message is not the assistant's.")]
        public bool? AddGenerationPrompt { get; init; }

        [Description("Template variables as a JSON object: {\"enable_thinking\": false}.")]
        public string? Variables { get; init; }
    }

    internal sealed record LintOptions : SubjectOptions
    {
        [Description("Exit with 3 where there is a finding of at least this severity.")]
        public LintSeverity FailOn { get; init; } = LintSeverity.Error;
    }

    internal sealed record DiffOptions
    {
        [Description("The contract that was.")]
        public required string Left { get; init; }

        [Description("The contract that is to be.")]
        public required string Right { get; init; }

        [Description("Exit with 3 where they differ.")]
        public bool Gate { get; init; }
    }

    internal sealed record ContractOptions : SubjectOptions
    {
        [Description("Write it to this file instead of printing it.")]
        public string? Out { get; init; }
    }

    internal sealed record CheckOptions : SubjectOptions
    {
        [Description("The version or folder it was trained from; a stored version knows its own.")]
        public string? Parent { get; init; }
    }

    public static Command Create() => new("template", "Prompt templates and contracts: show, render, lint, compare, check.")
    {
        Verb.Create<SubjectPlace, SubjectOptions>("show", "The template and what it can do.", (at, of, _) => Show(at, of), nameof(SubjectOptions.Subject)),
        Verb.Create<SubjectPlace, RenderOptions>("render", "A conversation as the model reads it: text, ids, loss mask.", (at, of, _) => Render(at, of), nameof(SubjectOptions.Subject)),
        Verb.Create<SubjectPlace, LintOptions>("lint", "What the template does wrong.", (at, of, _) => Lint(at, of), nameof(SubjectOptions.Subject)),
        Verb.Create<SubjectPlace, DiffOptions>("diff", "Which conversations and tokens differ between two contracts.", (at, of, _) => Diff(at, of), nameof(DiffOptions.Left), nameof(DiffOptions.Right)),
        Verb.Create<SubjectPlace, ContractOptions>("contract", "The whole contract as prompt_contract.json.", (at, of, _) => Contract(at, of), nameof(SubjectOptions.Subject)),
        Verb.Create<SubjectPlace, CheckOptions>("check", "Whether a version's contract holds: golden renders, tokenizer, lineage, parent, lint.", (at, of, _) => Check(at, of), nameof(SubjectOptions.Subject)),
    };

    private static Task<int> Show(SubjectPlace at, SubjectOptions options)
    {
        var subject = at.Open(options.Subject);
        if (at.Json)
        {
            Terminal.WriteJson(new JsonObject
            {
                ["name"] = subject.Name,
                ["contract"] = subject.Contract?.Name,
                ["hash"] = subject.Contract?.Hash,
                ["special_tokens"] = new JsonObject(subject.SpecialTokens.OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => KeyValuePair.Create(t.Key, (JsonNode?)t.Value))),
                ["stop_ids"] = subject.Contract is { } c ? new JsonArray([.. c.StopIds.Select(i => (JsonNode)i)]) : null,
                ["generation_prompt"] = subject.Contract?.GenerationPrompt,
                ["roles"] = subject.Contract is { } r ? new JsonArray([.. r.Features.Roles.Select(i => (JsonNode)i)]) : null,
                ["template"] = subject.Template.Source,
            });
            return Task.FromResult(ExitCode.Done);
        }
        var console = Terminal.Out;
        console.Line($"[bold]{subject.Name}[/]");
        if (subject is { Contract: { } contract, Tokenizer: { } tokenizer })
        {
            var features = contract.Features;
            console.Line($"  contract    {contract.Name}, {contract.Hash[..12]}, tokenizer {contract.TokenizerDigest[..12]}");
            console.Line($"  stops at    {string.Join(" ", contract.StopIds.Select(id => string.Create(CultureInfo.InvariantCulture, $"{tokenizer.TokenText(id)} ({id})")))}");
            console.Line($"  prompt      {JsonSerializer.Serialize(contract.GenerationPrompt, Readable)}");
            console.Line($"  roles       {string.Join(", ", features.Roles)}");
            console.Line($"  takes       {string.Join(", ", new[] { (features.Tools, "tools"), (features.Reasoning, "reasoning"), (features.Parts, "parts"), (features.Generation, "loss mask") }.Where(f => f.Item1).Select(f => f.Item2))}");
            console.Line($"  clock       {(contract.Clock.UsesClock ? contract.Clock.Fixed?.ToString("s", CultureInfo.InvariantCulture) ?? "the machine's" : "not asked")}");
        }
        foreach (var (name, text) in subject.SpecialTokens.OrderBy(t => t.Key, StringComparer.Ordinal))
            console.Line($"  {name,-11} {text}");
        Console.Out.WriteLine();
        Console.Out.WriteLine(subject.Template.Source);
        return Task.FromResult(ExitCode.Done);
    }

    private static Task<int> Render(SubjectPlace at, RenderOptions options)
    {
        var subject = at.Open(options.Subject);
        var (conversation, asked) = options.Conversation is { } file ? ConversationFile.Read(file)
            : (new Conversation(options.System is { } system ? [new("system", system), new("user", options.User)] : [new("user", options.User)]), null);
        if (options.Variables is { } variables)
            conversation = conversation with { Variables = Merge(conversation.Variables, variables) };
        var add = options.AddGenerationPrompt ?? asked ?? conversation.Messages is not [.., { Role: "assistant" }];
        if (subject is { Contract: { } contract, Tokenizer: { } tokenizer })
        {
            var (render, prompt) = (contract.RenderText(conversation, add), contract.Render(conversation, tokenizer, add));
            if (at.Json)
                Terminal.WriteJson(RenderView.ToJson(render, prompt, tokenizer));
            else
                RenderView.Print(Terminal.Out, conversation, render, prompt, tokenizer);
            return Task.FromResult(ExitCode.Done);
        }
        var text = subject.Template.Render(conversation, new TemplateSettings { SpecialTokens = subject.SpecialTokens, AddGenerationPrompt = add });
        if (at.Json)
            Terminal.WriteJson(RenderView.ToJson(text, null, null));
        else
            RenderView.Print(Terminal.Out, conversation, text);
        return Task.FromResult(ExitCode.Done);
    }

    private static Task<int> Lint(SubjectPlace at, LintOptions options)
    {
        var findings = Findings(at.Open(options.Subject));
        if (at.Json)
        {
            Terminal.WriteJson(new JsonArray([.. findings.Select(f => (JsonNode)new JsonObject
            {
                ["code"] = f.Code,
                ["severity"] = OptionText.Of(f.Severity),
                ["line"] = f.Line,
                ["message"] = f.Message,
                ["fix"] = f.Fix,
            })]));
        }
        else if (findings.Count > 0)
        {
            var table = Terminal.TableOf("code", "severity", "line", "finding", "what to do");
            foreach (var f in findings)
                table.AddPlainRow(f.Code, OptionText.Of(f.Severity), f.Line.ToString(CultureInfo.InvariantCulture), f.Message, f.Fix);
            Terminal.Out.Write(table);
        }
        return Task.FromResult(findings.Any(f => f.Severity >= options.FailOn) ? ExitCode.GateSaidNo : ExitCode.Done);
    }

    private static IReadOnlyList<LintFinding> Findings(PromptSubject subject) => subject.Contract is { } contract
        ? TemplateLint.Check(contract)
        : TemplateLint.Check(subject.Template, subject.SpecialTokens.Count > 0 ? subject.SpecialTokens : null);

    private static Task<int> Diff(SubjectPlace at, DiffOptions options)
    {
        var (left, leftTokenizer) = at.Open(options.Left).Whole();
        var (right, rightTokenizer) = at.Open(options.Right).Whole();
        var diff = ContractDiff.Of(left, right, leftTokenizer, rightTokenizer);
        if (at.Json)
        {
            Terminal.WriteJson(new JsonObject
            {
                ["left"] = left.Hash,
                ["right"] = right.Hash,
                ["fields"] = new JsonArray([.. diff.Fields.Select(f => (JsonNode)new JsonObject { ["field"] = f.Field, ["left"] = f.Before, ["right"] = f.After })]),
                ["conversations"] = new JsonArray([.. diff.Renders.Select(r => (JsonNode)new JsonObject
                {
                    ["name"] = r.Name,
                    ["at"] = r.At < 0 ? null : r.At,
                    ["left"] = r.Before,
                    ["right"] = r.After,
                    ["left_ids"] = new JsonArray([.. r.BeforeIds.Select(i => (JsonNode)i)]),
                    ["right_ids"] = new JsonArray([.. r.AfterIds.Select(i => (JsonNode)i)]),
                    ["mask_changes"] = r.MaskChanges,
                })]),
            });
        }
        else if (diff.IsEmpty)
        {
            Terminal.Out.Line($"{options.Left} and {options.Right} speak alike{(left.Hash == right.Hash ? "" : "; only the template's text differs")}.");
        }
        else
        {
            var table = Terminal.TableOf("", options.Left, options.Right);
            foreach (var (field, before, after) in diff.Fields)
                table.AddPlainRow(field, before, after);
            foreach (var r in diff.Renders)
                table.AddPlainRow($"conversation '{r.Name}'", Side(r.Before, r.BeforeIds), Side(r.After, r.AfterIds));
            Terminal.Out.Write(table);
        }
        return Task.FromResult(options.Gate && !diff.IsEmpty ? ExitCode.GateSaidNo : ExitCode.Done);

        static string Side(string text, IReadOnlyList<int> ids) => ids.Count == 0 ? JsonSerializer.Serialize(text, Readable)
            : $"{JsonSerializer.Serialize(text, Readable)}\nids {string.Join(' ', ids.Take(12))}{(ids.Count > 12 ? " …" : "")}";
    }

    private static Task<int> Contract(SubjectPlace at, ContractOptions options)
    {
        var (contract, _) = at.Open(options.Subject).Whole();
        if (options.Out is { } path)
        {
            Atomic.WriteAllText(path, contract.ToJson());
            Terminal.Error.Line($"{contract.Name}, {contract.Hash[..12]} → {path}");
        }
        else
        {
            Console.Out.Write(contract.ToJson());
        }
        return Task.FromResult(ExitCode.Done);
    }

    private static Task<int> Check(SubjectPlace at, CheckOptions options)
    {
        var subject = at.Open(options.Subject);
        var (contract, tokenizer) = subject.Whole();
        var checks = new List<(string Name, IReadOnlyList<string> Faults)>
        {
            ("golden renders", [.. contract.VerifyGolden(tokenizer).Select(name => $"'{name}' no longer comes out the same")]),
            ("special tokens", [.. contract.SpecialTokens.Where(t => t.Value.Length > 0 && !contract.SpecialTokenIds.ContainsKey(t.Key)).Select(t => $"the tokenizer has no {t.Value} ({t.Key})")]),
            ("lint", [.. Findings(subject).Where(f => f.Severity == LintSeverity.Error).Select(f => string.Create(CultureInfo.InvariantCulture, $"{f.Code}, line {f.Line}: {f.Message}"))]),
        };
        if (subject.Version is { Lineage: { Contract: { } said } lineage })
            checks.Add(("lineage", said == contract.Hash ? [] : [$"the lineage of {subject.Name} names contract {said[..12]}, its files hold {contract.Hash[..12]}"]));
        if (Parent(at, options, subject) is { } parent)
        {
            var broken = ContractGate.Broken(parent, contract, tokenizer);
            // A change that the lineage declares is no fault.
            var declared = subject.Version?.Lineage.Facts["contract_change"] is not null;
            checks.Add((declared ? "parent (the change is declared)" : "parent", declared ? [] : broken));
        }
        var failed = checks.Any(c => c.Faults.Count > 0);
        if (at.Json)
        {
            Terminal.WriteJson(new JsonObject
            {
                ["name"] = subject.Name,
                ["hash"] = contract.Hash,
                ["holds"] = !failed,
                ["checks"] = new JsonArray([.. checks.Select(c => (JsonNode)new JsonObject { ["name"] = c.Name, ["faults"] = new JsonArray([.. c.Faults.Select(f => (JsonNode)f)]) })]),
            });
        }
        else
        {
            foreach (var (name, faults) in checks)
            {
                Terminal.Out.Line($"{(faults.Count == 0 ? "ok" : "no"),-3} {name}");
                foreach (var fault in faults)
                    Terminal.Out.Line($"      {fault}");
            }
        }
        return Task.FromResult(failed ? ExitCode.GateSaidNo : ExitCode.Done);
    }

    /// <summary>The contract that trained the parent, where there is a parent and it has one.</summary>
    private static PromptContract? Parent(SubjectPlace at, CheckOptions options, PromptSubject subject)
    {
        var reference = options.Parent ?? subject.Version?.Lineage.Parent;
        if (reference is null || (options.Parent is null && !Running.OpenStore(at.Store).List().Any(v => v.Digest == reference)))
            return null;
        return PromptSubject.Open(reference, at.Store, null) is { Contract: { Name: not "base" } contract } ? contract : null;
    }

    private static JsonObject Merge(JsonObject? variables, string json)
    {
        JsonObject merged;
        try
        {
            merged = JsonNode.Parse(json) as JsonObject ?? throw new JsonException("it is no object");
        }
        catch (JsonException e)
        {
            throw new PromptException("ATT1304", "The variables are not a JSON object: " + e.Message, e) { Field = "variables", Hint = "As in --variables '{\"enable_thinking\": false}'." };
        }
        foreach (var (name, value) in variables ?? [])
            merged.TryAdd(name, value?.DeepClone());
        return merged;
    }

    private static readonly JsonSerializerOptions Readable = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
