using System.Text.Json.Nodes;
using Attune.Core.Versions;
using Xunit;

namespace Attune.App.Tests;

/// <summary>Two quickstarts with one seed make the same versions and the same figures, also where Ctrl-C stopped one of them again and again.</summary>
public sealed class QuickstartTests : IDisposable
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(120);

    private readonly Workplace _at = new();

    public QuickstartTests() => _at.Write("small.yaml", SmallRecipe.Yaml);

    [Fact]
    public async Task OneSeedGivesTheSameDigestsAlsoThroughControlC()
    {
        var whole = await _at.RunAsync(Quickstart("whole", "3"));
        Assert.True(whole.ExitCode == 0, whole.ToString());

        foreach (var place in new[] { "2-pretrain-base/metrics.jsonl", "3-sft-instruct/metrics.jsonl", "4-dpo-chat/metrics.jsonl" })
        {
            var stopped = await StopAtAsync(place);
            Assert.True(stopped.ExitCode == 130, $"{place}: {stopped}");
            Assert.Contains("goes on where it stopped", stopped.Error, StringComparison.Ordinal);
        }
        var resumed = await _at.RunAsync(Quickstart("stopped", "3"));
        Assert.True(resumed.ExitCode == 0, resumed.ToString());
        Assert.Contains("already there", resumed.Error, StringComparison.Ordinal);
        Assert.Equal(Digests("whole"), Digests("stopped"));
        Assert.Equal(Figures("whole"), Figures("stopped"));
        Assert.True(new FileInfo(_at.PathOf("stopped", "report.html")).Length > 10_000);

        // A finished one does nothing again, and another seed is another life.
        var again = await _at.RunAsync(Quickstart("whole", "3"));
        Assert.True(again.ExitCode == 0, again.ToString());
        Assert.DoesNotContain(" step ", again.Error, StringComparison.Ordinal);
        var other = await _at.RunAsync(Quickstart("other", "4"));
        Assert.True(other.ExitCode == 0, other.ToString());
        Assert.Empty(Digests("whole").Intersect(Digests("other")));

        await TheVersionsServe();
    }

    /// <summary>What the quickstart says to try next, over what it has just made.</summary>
    private async Task TheVersionsServe()
    {
        var chat = await AttuneCommand.TalkAsync(_at.Folder, "/system Be brief.\nHello!\nWho are you?\n/history\n/tokens\n/undo\n/history\n/nonsense\n/quit\nnever read\n", "chat", "world:chat", "--store", "whole-store", "--max-tokens", "8");
        Assert.True(chat.ExitCode == 0, chat.ToString());
        Assert.Equal(2, Count(chat.Out, "user: Hello!"));
        Assert.Equal(1, Count(chat.Out, "user: Who are you?"));
        Assert.Equal(2, Count(chat.Out, "system: Be brief."));
        Assert.Contains("already in the cache", chat.Out, StringComparison.Ordinal);
        Assert.Contains("/retry", chat.Error, StringComparison.Ordinal);

        string[] sampled = ["generate", "world:base", "Question: ", "--store", "whole-store", "--max-tokens", "12", "--temperature", "0.9", "--top-k", "20", "--top-p", "0.95", "--min-p", "0.01"];
        var texts = await Task.WhenAll(new[] { "1", "1", "2" }.Select(seed => _at.RunAsync([.. sampled, "--seed", seed])));
        Assert.All(texts, t => Assert.True(t.ExitCode == 0 && t.Out.StartsWith("Question: ", StringComparison.Ordinal), t.ToString()));
        Assert.Equal(texts[0].Out, texts[1].Out);
        Assert.NotEqual(texts[0].Out, texts[2].Out);

        var tree = await _at.RunAsync("versions", "tree", "--store", "whole-store");
        Assert.True(SmallRecipe.Versions.All(v => tree.Out.Contains(v, StringComparison.Ordinal)), tree.ToString());
        var diff = await _at.RunAsync("versions", "diff", "world:base", "world:chat", "--store", "whole-store", "--json");
        Assert.NotEmpty(JsonNode.Parse(diff.Out)!["tensors"]!.AsArray());
        var compared = await _at.RunAsync("compare", "world:instruct", "world:chat", "--world", "whole/world", "--store", "whole-store", "--items", "2", "--json");
        Assert.True(compared.ExitCode == 0, compared.ToString());
        var report = JsonNode.Parse(compared.Out)!;
        Assert.NotEmpty(report["rows"]!.AsArray());
        // No score without the template that it was asked by.
        Assert.All(report["details"]!["versions"]!.AsArray(), v => Assert.StartsWith("chatml ", (string)v!["prompt"]!, StringComparison.Ordinal));
    }

    private async Task<CommandResult> StopAtAsync(string place)
    {
        using var command = AttuneCommand.Start(_at.Folder, Quickstart("stopped", "3"));
        var path = _at.PathOf("stopped", place);
        var until = DateTime.UtcNow + LongestWait;
        while (!(File.Exists(path) && new FileInfo(path).Length > 0) && !command.HasExited)
        {
            Assert.True(DateTime.UtcNow < until, $"{place} never came");
            await Task.Delay(5);
        }
        command.PressControlC();
        return await command.ResultAsync();
    }

    private static string[] Quickstart(string folder, string seed) =>
        ["quickstart", "--recipe", "small.yaml", "--seed", seed, "--out", folder, "--store", $"{folder}-store", "--threads", "1"];

    private IEnumerable<string> Digests(string folder)
    {
        var store = ModelStore.Open(_at.PathOf($"{folder}-store"));
        return SmallRecipe.Versions.Select(v => store.Resolve(v).Digest);
    }

    private string Figures(string folder) => JsonNode.Parse(File.ReadAllText(_at.PathOf(folder, "report.json")))!["rows"]!.ToJsonString();

    private static int Count(string text, string part) => text.Split(part).Length - 1;

    public void Dispose() => _at.Dispose();
}
