using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Attune.Core.Data;
using Attune.Core.Preferences;
using Attune.Prompts;

namespace Attune.App.Alignment;

/// <summary>
/// The data of an alignment, parted by prompt: what is held out shares no prompt with what is learnt, and what is learnt comes
/// in rounds. Where a prompt goes depends on the prompt alone, so the parting is the same whatever else is in the files.
/// </summary>
internal sealed class AlignData
{
    private readonly AlignOptions _options;

    private AlignData(AlignOptions options, string folder) => (_options, Folder) = (options, folder);

    /// <summary>Where its files lie.</summary>
    public string Folder { get; }

    /// <summary>What became of the rows of the files: how many were read, and those at fault by reason.</summary>
    public RowTally Rows { get; } = new();

    /// <summary>Some pairs from all over the data, held out or not: what the start thinks of them says something about the labels.</summary>
    public IReadOnlyList<PreferenceRow> SomePairs { get; private set; } = [];

    /// <summary>Good answers from all over the data: how far they lie from what the version says.</summary>
    public IReadOnlyList<LabelledRow> SomeGood { get; private set; } = [];

    /// <summary>Some texts from all over the data: how new they are to the version.</summary>
    public IReadOnlyList<TextRow> SomeTexts { get; private set; } = [];

    /// <summary>Pairs that are measured by; empty where the data has none.</summary>
    public IReadOnlyList<PreferenceRow> HeldPairs { get; private set; } = [];

    /// <summary>Labelled answers that are measured by; empty where the data has none.</summary>
    public IReadOnlyList<LabelledRow> HeldLabels { get; private set; } = [];

    /// <summary>Prompts that are measured by.</summary>
    public IReadOnlyList<PromptRow> HeldPrompts { get; private set; } = [];

    /// <summary>Prompts to draw answers to: those that came without answers; else those whose answers are learnt.</summary>
    public IReadOnlyList<PromptRow> Prompts { get; private set; } = [];

    /// <summary>The file of a round, from 0; texts and the sweep's file have names of their own.</summary>
    public string Round(int round) => Path.Combine(Folder, FormattableString.Invariant($"round-{round + 1}.jsonl"));

    /// <summary>The file of a stage that goes before.</summary>
    public string First(AlignRule rule) => Path.Combine(Folder, rule.Name + ".jsonl");

    /// <summary>What of some rows is for a round: they are dealt out in turn, so that every round is like the whole.</summary>
    public static IEnumerable<T> InRound<T>(IEnumerable<T> rows, int round, int rounds) => rows.Where((_, i) => i % rounds == round);

    /// <summary>Rows that are measured by where there is nothing to prefer: conversations, texts.</summary>
    public string Held => Path.Combine(Folder, "held.jsonl");

    /// <summary>A share of what is learnt, for the sweep.</summary>
    public string Sweep => Path.Combine(Folder, "sweep.jsonl");

    /// <summary>Reads, parts and writes.</summary>
    public static AlignData Part(AlignOptions options, AlignDecision decision, AlignFiles files, string folder)
    {
        var data = new AlignData(options, folder);
        var (rows, rule) = (data.Rows, decision.Rule);
        foreach (var first in decision.First)
            PreferenceVariants.Write(data.First(first), first.Stage == "sft" ? data.Learnt(files.Conversations(rows), PromptOf).Select(Json) : data.Texts(files).Select(Json));
        if (rule.LearnsLabels)
        {
            LabelledRow[] labelled = [.. files.Labels(rows)];
            data.Write(labelled, r => PreferenceForms.PromptOf(r.Conversation), Json);
            data.HeldLabels = [.. data.HeldOut(labelled, r => PreferenceForms.PromptOf(r.Conversation)).Take(options.Items)];
            data.SomeGood = Some([.. labelled.Where(r => r.Desirable)], options.Items);
        }
        else if (rule.LearnsPairs)
        {
            var pairs = PreferenceVariants.UnitMargins([.. files.Pairs(rows)]);
            data.Write([.. pairs], p => p.Prompt, PreferenceVariants.Row);
            data.HeldPairs = [.. data.HeldOut(pairs, p => p.Prompt).Take(options.Items)];
            data.SomePairs = Some(pairs, options.Items);
            data.SomeGood = [.. data.SomePairs.Select(p => PreferenceForms.Labels(p).First())];
        }
        else if (rule.Stage == "sft")
            data.Write([.. files.Conversations(rows)], PromptOf, Json);
        else if (rule.Stage == "pretrain")
        {
            data.Write(data.Texts(files), r => new Conversation([new("user", r.Text)]), Json);
            data.HeldPrompts = [];
        }
        else if (AlignSettings.IsReinforcement(options.Method ?? rule.Stage))
            data.Write([.. files.Prompts(rows)], p => p.Prompt, Json);
        if (rule.OnPolicy || decision.Evidence is { Prompts: > 0, CanScore: true })
        {
            PromptRow[] asked = [.. files.Prompts(rule.OnPolicy ? rows : new RowTally())];
            data.Prompts = [.. data.Learnt(asked, p => p.Prompt)];
            data.HeldPrompts = Different([.. data.HeldPrompts, .. data.HeldOut(asked, p => p.Prompt)], options.Items);
        }
        return data;
    }

    /// <summary>Those of some prompts that a ranker can score answers to: rules that compare with the right answer need one.</summary>
    public static IReadOnlyList<PromptRow> Scorable(IReadOnlyList<PromptRow> prompts, IAnswerRanker ranker) =>
        ranker is RuleRanker { NeedsAnswer: true } ? [.. prompts.Where(p => !string.IsNullOrWhiteSpace(p.Answer))] : prompts;

    /// <summary>The sweep's share of a file of rows that were made later.</summary>
    public void SweepOn(string file)
    {
        var lines = File.ReadAllLines(file);
        PreferenceVariants.Write(Sweep, lines.Take(Share(lines.Length)).Select(line => JsonNode.Parse(line)!.AsObject()));
    }

    private void Write<T>(IReadOnlyList<T> rows, Func<T, Conversation> prompt, Func<T, JsonObject> json)
        where T : DataRow
    {
        T[] learnt = [.. Learnt(rows, prompt)];
        PromptRow Ask(T row) => row as PromptRow ?? new PromptRow(prompt(row), null, row.Origin);
        HeldPrompts = Different(HeldOut(rows, prompt).Select(Ask), _options.Items);
        Prompts = Different(learnt.Select(Ask), int.MaxValue);
        for (var round = 0; round < _options.Rounds; round++)
            PreferenceVariants.Write(Round(round), InRound(learnt, round, _options.Rounds).Select(json));
        PreferenceVariants.Write(Sweep, learnt.Take(Share(learnt.Length)).Select(json));
        PreferenceVariants.Write(Held, HeldOut(rows, prompt).Take(_options.Items).Select(json));
    }

    private IReadOnlyList<TextRow> Texts(AlignFiles files)
    {
        TextRow[] texts = [.. files.Texts(Rows)];
        SomeTexts = Some(texts, _options.Items);
        return texts;
    }

    private int Share(int rows) => (int)Math.Ceiling(rows * _options.SweepShare);

    private IEnumerable<T> Learnt<T>(IEnumerable<T> rows, Func<T, Conversation> prompt) => rows.Where(r => Place(prompt(r)) >= _options.HeldOut);

    private IEnumerable<T> HeldOut<T>(IEnumerable<T> rows, Func<T, Conversation> prompt) => rows.Where(r => Place(prompt(r)) < _options.HeldOut);

    private static IReadOnlyList<PromptRow> Different(IEnumerable<PromptRow> prompts, int most) => [.. prompts.DistinctBy(p => PreferenceForms.Key(p.Prompt), StringComparer.Ordinal).Take(most)];

    private static IReadOnlyList<T> Some<T>(IReadOnlyList<T> rows, int most) => [.. InRound(rows, 0, 1 + (rows.Count - 1) / most)];

    private static Conversation PromptOf(ConversationRow row) => PreferenceForms.PromptOf(row.Conversation);

    private static JsonObject Json(TextRow row) => new() { ["text"] = row.Text };

    private static JsonObject Json(ConversationRow row) => PreferenceVariants.Talk(row.Conversation);

    private static JsonObject Json(LabelledRow row)
    {
        var json = PreferenceVariants.Talk(row.Conversation);
        json["label"] = row.Desirable;
        return json;
    }

    private static JsonObject Json(PromptRow prompt)
    {
        var json = PreferenceVariants.Talk(prompt.Prompt);
        if (prompt.Answer is { } answer)
            json["answer"] = answer;
        return json;
    }

    // A number in [0, 1) of the prompt alone.
    private static double Place(Conversation prompt) =>
        BinaryPrimitives.ReadUInt32LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(PreferenceForms.Key(prompt)))) / (double)(1L << 32);
}
