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
    private readonly string _folder;

    private AlignData(string folder) => _folder = folder;

    /// <summary>What became of the rows of the files: how many were read, and those at fault by reason.</summary>
    public RowTally Rows { get; } = new();

    /// <summary>Some pairs from all over the data, held out or not: what the start thinks of them says something about the labels.</summary>
    public IReadOnlyList<PreferenceRow> SomePairs { get; private set; } = [];

    /// <summary>Pairs that are measured by; empty where the data has none.</summary>
    public IReadOnlyList<PreferenceRow> HeldPairs { get; private set; } = [];

    /// <summary>Labelled answers that are measured by; empty where the data has none.</summary>
    public IReadOnlyList<LabelledRow> HeldLabels { get; private set; } = [];

    /// <summary>Prompts that are measured by.</summary>
    public IReadOnlyList<PromptRow> HeldPrompts { get; private set; } = [];

    /// <summary>Prompts to draw answers to.</summary>
    public IReadOnlyList<PromptRow> Prompts { get; private set; } = [];

    /// <summary>The file of a round, from 0; texts and the sweep's file have names of their own.</summary>
    public string Round(int round) => Path.Combine(_folder, FormattableString.Invariant($"round-{round + 1}.jsonl"));

    /// <summary>What of some rows is for a round: they are dealt out in turn, so that every round is like the whole.</summary>
    public static IEnumerable<T> InRound<T>(IEnumerable<T> rows, int round, int rounds) => rows.Where((_, i) => i % rounds == round);

    /// <summary>Rows that are measured by where there is nothing to prefer: conversations, texts.</summary>
    public string Held => Path.Combine(_folder, "held.jsonl");

    /// <summary>A share of what is learnt, for the sweep.</summary>
    public string Sweep => Path.Combine(_folder, "sweep.jsonl");

    /// <summary>Reads, parts and writes.</summary>
    public static AlignData Part(AlignOptions options, AlignRule rule, string folder)
    {
        var data = new AlignData(folder);
        switch (rule.Stage)
        {
            case "kto":
                LabelledRow[] labelled = [.. options.Data.SelectMany(f => DataReader.ReadLabelled(f, BadRows.Drop, data.Rows))];
                data.Write(options, labelled, r => PreferenceForms.PromptOf(r.Conversation), r => Row(r.Conversation, "label", r.Desirable));
                data.HeldLabels = [.. labelled.Where(r => Place(PreferenceForms.PromptOf(r.Conversation)) < options.HeldOut).Take(options.Items)];
                break;
            case "sft":
                data.Write(options, options.Data.SelectMany(f => DataReader.ReadConversations(f, BadRows.Drop, data.Rows)), r => PreferenceForms.PromptOf(r.Conversation), r => Row(r.Conversation, null, false));
                break;
            case "pretrain":
                data.Write(options, options.Data.SelectMany(f => DataReader.ReadTexts(f, BadRows.Drop, data.Rows)), r => new Conversation([new("user", r.Text)]), r => new JsonObject { ["text"] = r.Text });
                data.HeldPrompts = [];
                break;
            case var _ when rule.OnPolicy:
                PromptRow[] all = [.. options.Data.SelectMany(f => DataReader.ReadPrompts(f, BadRows.Drop, data.Rows)).DistinctBy(p => PreferenceForms.Key(p.Prompt), StringComparer.Ordinal)];
                data.HeldPrompts = [.. all.Where(p => Place(p.Prompt) < options.HeldOut).Take(options.Items)];
                data.Prompts = [.. all.Where(p => Place(p.Prompt) >= options.HeldOut)];
                if (AlignSettings.IsReinforcement(options.Method ?? rule.Stage))
                {
                    for (var round = 0; round < options.Rounds; round++)
                        PreferenceVariants.Write(data.Round(round), InRound(data.Prompts, round, options.Rounds).Select(Row));
                    PreferenceVariants.Write(data.Sweep, data.Prompts.Take((int)Math.Ceiling(data.Prompts.Count * options.SweepShare)).Select(Row));
                }
                break;
            default:
                var pairs = PreferenceVariants.UnitMargins([.. options.Data.SelectMany(f => DataReader.ReadPreferences(f, BadRows.Drop, data.Rows))]);
                data.SomePairs = [.. InRound(pairs, 0, 1 + (pairs.Count - 1) / options.Items)];
                data.HeldPairs = [.. pairs.Where(p => Place(p.Prompt) < options.HeldOut).Take(options.Items)];
                data.HeldPrompts = [.. data.HeldPairs.Select(p => new PromptRow(p.Prompt, null, p.Origin)).DistinctBy(p => PreferenceForms.Key(p.Prompt), StringComparer.Ordinal)];
                PreferenceRow[] learnt = [.. pairs.Where(p => Place(p.Prompt) >= options.HeldOut)];
                for (var round = 0; round < options.Rounds; round++)
                    PreferenceVariants.Write(data.Round(round), InRound(learnt, round, options.Rounds));
                PreferenceVariants.Write(data.Sweep, learnt.Take((int)Math.Ceiling(learnt.Length * options.SweepShare)));
                break;
        }
        return data;
    }

    private void Write<T>(AlignOptions options, IEnumerable<T> rows, Func<T, Conversation> prompt, Func<T, JsonObject> json)
        where T : DataRow
    {
        T[] all = [.. rows];
        T[] learnt = [.. all.Where(r => Place(prompt(r)) >= options.HeldOut)];
        HeldPrompts = [.. all.Where(r => Place(prompt(r)) < options.HeldOut).Select(r => new PromptRow(prompt(r), null, r.Origin)).DistinctBy(p => PreferenceForms.Key(p.Prompt), StringComparer.Ordinal).Take(options.Items)];
        for (var round = 0; round < options.Rounds; round++)
            PreferenceVariants.Write(Round(round), InRound(learnt, round, options.Rounds).Select(json));
        PreferenceVariants.Write(Sweep, learnt.Take((int)Math.Ceiling(learnt.Length * options.SweepShare)).Select(json));
        PreferenceVariants.Write(Held, all.Where(r => Place(prompt(r)) < options.HeldOut).Take(options.Items).Select(json));
    }

    private static JsonObject Row(PromptRow prompt)
    {
        var json = PreferenceVariants.Talk(prompt.Prompt);
        if (prompt.Answer is { } answer)
            json["answer"] = answer;
        return json;
    }

    private static JsonObject Row(Conversation conversation, string? label, bool value)
    {
        var json = PreferenceVariants.Talk(conversation);
        if (label is not null)
            json[label] = value;
        return json;
    }

    // A number in [0, 1) of the prompt alone.
    private static double Place(Conversation prompt) =>
        BinaryPrimitives.ReadUInt32LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(PreferenceForms.Key(prompt)))) / (double)(1L << 32);
}
