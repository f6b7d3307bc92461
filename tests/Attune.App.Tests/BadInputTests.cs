using System.Text;
using Attune.Core.Versions;
using Xunit;

namespace Attune.App.Tests;

/// <summary>What is wrong with the input is said before any work: a code, the file, the line, the field and the way out; exit code 2.</summary>
public sealed class BadInputTests(SmallVersions versions) : IClassFixture<SmallVersions>, IDisposable
{
    private const string Talk = """{"messages": [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Yes."}]}""";

    private readonly Workplace _at = new();

    public static TheoryData<string, string, string, string[]> BrokenTalks => new()
    {
        { "empty file", "", "ATT3002", [] },
        { "only blank lines", "\n\n", "ATT3002", [] },
        { "broken JSON", $"{Talk}\n{Talk}\n{{\"messages\": [\n", "ATT3004", ["bad.jsonl:3: "] },
        { "an unknown field", $"{Talk}\n{Talk.Replace("messages", "mesages", StringComparison.Ordinal)}\n", "ATT3008", ["bad.jsonl:2: ", "Did you mean 'messages'?"] },
        { "an unknown field in the first row", Talk.Replace("messages", "mesages", StringComparison.Ordinal), "ATT3008", ["bad.jsonl:1: ", "Did you mean 'messages'?"] },
        { "an unknown role", $"{Talk}\n{Talk.Replace("assistant", "asistant", StringComparison.Ordinal)}\n", "ATT3010", ["bad.jsonl:2: ", "assistant"] },
        { "two questions in a row", $$"""
            {{Talk}}
            {{Talk}}
            {"messages": [{"role": "user", "content": "Hi?"}, {"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "Yes."}]}
            """, "ATT3011", ["bad.jsonl:3: "] },
        { "an answer of the wrong type", $$"""
            {{Talk}}
            {"messages": [{"role": "user", "content": 5}, {"role": "assistant", "content": "Yes."}]}
            """, "ATT3007", ["bad.jsonl:2: "] },
        { "an empty answer", $"{Talk}\n{Talk.Replace("Yes.", "", StringComparison.Ordinal)}\n", "ATT3012", ["bad.jsonl:2: "] },
        { "no known format", """{"question": "Hi?", "reply": "Yes."}""", "ATT3005", ["bad.jsonl:1: ", "question, reply"] },
        { "pairs instead of conversations", """{"prompt": "a", "chosen": "b", "rejected": "c"}""", "ATT3009", ["attune dpo"] },
    };

    [Theory]
    [MemberData(nameof(BrokenTalks))]
    public async Task BrokenConversationsAreRefused(string fault, string content, string code, string[] said)
    {
        _at.Write("bad.jsonl", content);
        await RefusedAsync(fault, code, said, "sft", "bad.jsonl", "--parent", versions.Base, "--save-as", "my:sft");
    }

    [Fact]
    public async Task InspectCountsRowsAtFaultAndNamesTheFirst()
    {
        _at.Write("bad.jsonl", $"{Talk}\n{Talk.Replace("Yes.", "", StringComparison.Ordinal)}\n{{broken\n{Talk}\n");
        var result = await _at.RunAsync("data", "inspect", "bad.jsonl");
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains("2 usable", result.Out, StringComparison.Ordinal);
        Assert.Contains("1 × ATT3012", result.Out, StringComparison.Ordinal);
        Assert.Contains("bad.jsonl:2", result.Out, StringComparison.Ordinal);
        Assert.Contains("1 × ATT3004", result.Out, StringComparison.Ordinal);
        Assert.Contains("bad.jsonl:3", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AMissingFileIsNamed()
    {
        foreach (var verb in new[] { "pretrain", "sft", "dpo" })
            await RefusedAsync("missing file", null, ["none.jsonl", "cannot be read"], verb, "none.jsonl", "--parent", versions.Base);
        await RefusedAsync("missing file", "ATT3001", ["none.jsonl"], "data", "inspect", "none.jsonl");
        await RefusedAsync("no file", "ATT5122", ["--data"], "pretrain");
        await RefusedAsync("no parent", "ATT5125", ["--parent"], "sft", "talks.jsonl");
    }

    [Fact]
    public async Task AnotherEncodingIsRefusedWithItsLine()
    {
        _at.Write("latin.txt", Encoding.Latin1.GetBytes("One line.\nA caf\u00e9.\n"));
        await RefusedAsync("Latin-1", "ATT3003", ["latin.txt:2: ", "0xE9", "UTF-8"], "pretrain", "latin.txt");
        _at.Write("wide.txt", Encoding.Unicode.GetBytes("UTF-16 without a mark"));
        await RefusedAsync("UTF-16 without a mark", "ATT3003", ["wide.txt", "UTF-16"], "pretrain", "wide.txt");
        _at.Write("marked.txt", [.. Encoding.Unicode.Preamble, .. Encoding.Unicode.GetBytes("UTF-16 that says so is read. " + new string('a', 300))]);
        var read = await _at.RunAsync("data", "inspect", "marked.txt");
        Assert.True(read.ExitCode == 0, read.ToString());
    }

    [Fact]
    public async Task UnknownOptionsAreNamedWithTheNearestRightOne()
    {
        await RefusedAsync("flag", null, ["--learning-rat", "Did you mean '--learning-rate'?"], "pretrain", "text.jsonl", "--learning-rat", "1");
        await RefusedAsync("value", "ATT4002", ["learning_rate", "fast"], "pretrain", "text.jsonl", "--learning-rate", "fast");
        await RefusedAsync("range", "ATT4003", ["learning_rate"], "pretrain", "text.jsonl", "--learning-rate", "1e9");
        await RefusedAsync("schedule", "ATT5101", ["cosine"], "pretrain", "text.jsonl", "--schedule", "cosin");
        await RefusedAsync("verb", null, ["There is no command 'pretrian'. Did you mean 'pretrain'?"], "pretrian", "text.jsonl");
        await RefusedAsync("verb of a group", null, ["Did you mean 'list'?"], "versions", "lisst");
        await RefusedAsync("flag of a verb without arguments", null, ["There is no option '--recpie'. Did you mean '--recipe'?"], "quickstart", "--recpie", "tiny");
        await RefusedAsync("recipe", "ATT4104", ["Did you mean 'tiny'?"], "quickstart", "--recipe", "tinny");
        _at.Write("options.yaml", "learning_rate: 0.01\nweight_decai: 0.1\n");
        await RefusedAsync("key", "ATT4001", ["options.yaml:2: ", "Did you mean 'weight_decay'?"], "pretrain", "text.jsonl", "--options", "options.yaml");
        _at.Write("recipe.yaml", SmallRecipe.Yaml.Replace("micro_batch_pairs", "micro_batch_pair", StringComparison.Ordinal));
        await RefusedAsync("key of a later stage", "ATT4001", ["recipe.yaml:", "Did you mean 'micro_batch_pairs'?"], "quickstart", "--recipe", "recipe.yaml", "--out", "q");
        Assert.False(Directory.Exists(_at.PathOf("q")));
        _at.Write("recipe.yaml", SmallRecipe.Yaml.Replace("- dpo:", "- dop:", StringComparison.Ordinal));
        await RefusedAsync("stage", "ATT4006", ["recipe.yaml:", "Did you mean 'dpo'?"], "quickstart", "--recipe", "recipe.yaml", "--out", "q");
        await RefusedAsync("language", "ATT3501", ["en", "zh"], "quickstart", "--recipe", "tiny", "--language", "fr", "--out", "q");
    }

    [Fact]
    public async Task RowsLongerThanTheWindowAreRefusedDroppedOrCutAsAsked()
    {
        var @long = Talk.Replace("Hi?", new string('x', 500), StringComparison.Ordinal);
        _at.Write("long.jsonl", $"{Talk}\n{@long}\n{Talk}\n");
        string[] sft = ["sft", "long.jsonl", "--parent", versions.Base, "--sequence-length", "64", "--micro-batch-tokens", "128", "--threads", "1"];
        await RefusedAsync("overlong", "ATT3020", ["long.jsonl:2: ", "1 of 3 rows", "--overlong drop"], sft);
        var dropped = await _at.RunAsync([.. sft, "--overlong", "drop", "--save-as", "my:dropped"]);
        Assert.True(dropped.ExitCode == 0, dropped.ToString());
        Assert.Contains("left out: 1 ×", dropped.Error, StringComparison.Ordinal);
        var cut = await _at.RunAsync([.. sft, "--overlong", "truncate", "--save-as", "my:cut"]);
        Assert.True(cut.ExitCode == 0, cut.ToString());
    }

    [Fact]
    public async Task UnknownVersionsAreNamedWithThoseThatAreThere()
    {
        await RefusedAsync("no store", "ATT4101", ["--store"], "chat", "my:chat", "--store", "nowhere");
        var known = await AttuneCommand.RunAsync(_at.Folder, "chat", "t:bace", "--store", versions.Store);
        Assert.Equal(2, known.ExitCode);
        Assert.Contains("ATT2050", known.Error, StringComparison.Ordinal);
        Assert.Contains("t:base", known.Error, StringComparison.Ordinal);
        await RefusedAsync("not a name", "ATT2053", ["my base"], "pretrain", "text.jsonl", "--save-as", "my base");
    }

    /// <summary>Exit code 2, the code, the words; and nothing has been stored.</summary>
    private async Task RefusedAsync(string fault, string? code, string[] said, params string[] arguments)
    {
        var result = await _at.RunAsync(arguments);
        var shown = $"{fault}: attune {string.Join(' ', arguments)}\n{result}";
        Assert.True(result.ExitCode == 2, shown);
        foreach (var words in code is null ? said : [.. said, $"[{code}]"])
            Assert.True(result.Error.Contains(words, StringComparison.Ordinal), $"'{words}' is missing. {shown}");
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        if (Directory.Exists(_at.PathOf("models")))
            Assert.DoesNotContain("my:sft", ModelStore.Open(_at.PathOf("models")).List().SelectMany(v => v.Tags));
    }

    public void Dispose() => _at.Dispose();
}
