using System.Text.Json.Nodes;
using Attune.Core.Data;
using Attune.Testing;
using Xunit;

namespace Attune.Core.Tests.Data;

/// <summary>Every published file under data/{corpora,sft,preference} is detected, read whole, and turned into training rows.</summary>
public class DataFilesVectors
{
    private static readonly CharEncoder Encoder = new();
    private static readonly int[] Ends = [CharEncoder.EndOfTurn];

    private static IReadOnlyList<string> FilesOf(params string[] folders)
    {
        if (SharedData.MaySkip)
            Assert.Skip("no reference data");
        var files = folders.SelectMany(f => SharedData.Files("*.*", "data", f)).Where(f => Path.GetExtension(f) is ".json" or ".jsonl" or ".txt").ToList();
        Assert.NotEmpty(files);
        return files;
    }

    // Counted without the reader: elements of the array, or lines with something on them.
    private static List<JsonObject> Plain(string path) => Path.GetExtension(path) == ".json"
        ? [.. JsonNode.Parse(File.ReadAllText(path))!.AsArray().Select(n => n!.AsObject())]
        : [.. File.ReadLines(path).Where(l => l.Trim().Length > 0).Select(l => JsonNode.Parse(l)!.AsObject())];

    [Fact]
    public void Corpora_are_read_to_the_last_character()
    {
        foreach (var path in FilesOf("corpora"))
        {
            var format = DataFormat.Detect(path);
            var rows = DataReader.ReadTexts(path).ToList();
            var expected = format.Kind == FormatKind.JsonText
                ? Plain(path).Select(r => r["text"]!.GetValue<string>()).ToList()
                : [File.ReadAllText(path)];
            Assert.Equal(format.Kind == FormatKind.JsonText ? expected.Count : rows.Count(r => r.Opens), rows.Count(r => r.Closes));
            Assert.Equal(Letters(string.Concat(expected)), Letters(string.Concat(rows.Select(r => r.Text))));

            var windows = TrainingRows.OfTexts(rows, Encoder, CharEncoder.EndOfText, 256);
            Assert.Equal(windows.Sum(w => (long)w.TrainedTokens), Preflight.OfTexts(windows, new(), Encoder).TrainedTokens);
            Assert.Equal(rows.Sum(r => r.Text.Length + (r.Opens ? 0 : -1) + (r.Closes ? 1 : 0)), windows.Sum(w => w.TrainedTokens));
        }

        static string Letters(string text) => text.ReplaceLineEndings("").Replace(" ", "", StringComparison.Ordinal);
    }

    [Fact]
    public void Instructions_become_conversations_row_by_row()
    {
        foreach (var path in FilesOf("sft"))
        {
            var (plain, rows) = (Plain(path), DataReader.ReadConversations(path).ToList());
            Assert.Equal(plain.Count, rows.Count);
            var lines = File.ReadAllLines(path);
            foreach (var (row, source) in rows.Zip(plain))
            {
                Assert.Equal("assistant", row.Conversation.Messages[^1].Role);
                Assert.Contains("{", lines[row.Origin.Line - 1]);
                if (source["conversations"] is JsonArray turns)
                {
                    Assert.Equal(turns.Count, row.Conversation.Messages.Count(m => m.Role != "system") + turns.Count(t => t!["from"]!.GetValue<string>() == "system"));
                    Assert.Equal(turns[^1]!["value"]!.GetValue<string>(), row.Conversation.Messages[^1].Content);
                    var tools = source["tools"]?.GetValue<string>() is { Length: > 0 } text ? JsonNode.Parse(text)!.AsArray() : [];
                    Assert.Equal(tools.Count, row.Conversation.Tools?.Count ?? 0);
                    Assert.Equal(turns.Count(t => t!["from"]!.GetValue<string>() == "function_call"), row.Conversation.Messages.Count(m => m.Fields?["tool_calls"] is not null));
                }
                else
                {
                    Assert.Equal(source["output"]!.GetValue<string>(), row.Conversation.Messages[^1].Content);
                    Assert.StartsWith(source["instruction"]!.GetValue<string>(), row.Conversation.Messages[^2].Content);
                    Assert.EndsWith(source["input"]!.GetValue<string>(), row.Conversation.Messages[^2].Content);
                }
            }
            var tally = new RowTally { Read = rows.Count };
            var report = Preflight.OfConversations(TrainingRows.OfConversations(rows, FakeTemplate.Render, 1 << 20, OverlongRows.Error, tally), tally, Encoder, Ends);
            Assert.Equal(report.Turns, report.EndedTurns);
            Assert.Equal(rows.Sum(r => r.Conversation.Messages.Count(m => m.Role == "assistant")), report.Turns);
        }
    }

    [Fact]
    public void Preferences_are_pairs_or_labels()
    {
        foreach (var path in FilesOf("preference"))
        {
            var plain = Plain(path);
            if (DataFormat.Detect(path).Kind == FormatKind.Kto)
            {
                Assert.Equal(plain.Select(r => r["label"]!.GetValue<bool>()), DataReader.ReadLabelled(path).Select(r => r.Desirable));
                continue;
            }
            var rows = DataReader.ReadPreferences(path).ToList();
            Assert.Equal(plain.Select(r => (Value(r["chosen"]!), Value(r["rejected"]!))), rows.Select(r => (r.Chosen[^1].Content!, r.Rejected[^1].Content!)));
            var pairs = TrainingRows.OfPreferences(rows, FakeTemplate.Render, 1 << 20, OverlongRows.Error, new());
            Assert.Equal(rows.Count, pairs.Count);
            Assert.All(pairs, p => Assert.Equal(p.Chosen.Ids[..p.PromptLength], p.Rejected.Ids[..p.PromptLength]));
            Assert.All(pairs, p => Assert.True(p.Chosen.TrainedTokens == p.Chosen.Ids.Length - p.PromptLength - 1));
        }

        static string Value(JsonNode side) => side is JsonObject message ? (message["value"] ?? message["content"])!.GetValue<string>() : side.GetValue<string>();
    }
}
