using System.Text.Json.Nodes;
using Xunit;

namespace Attune.App.Tests;

/// <summary>attune eval: no score without the template that it was measured by (LlamaFactory#2509, open-instruct#259).</summary>
public sealed class EvalCommandTests(SmallVersions versions) : IClassFixture<SmallVersions>, IDisposable
{
    private readonly Workplace _at = new();

    public void Dispose() => _at.Dispose();

    [Fact]
    public async Task The_template_stands_with_every_score()
    {
        Assert.Equal(0, (await _at.RunAsync("sft", "talks.jsonl", "--parent", versions.Base, "--save-as", "t:instruct", "--steps", "2", "--threads", "1")).ExitCode);
        string[] eval = ["eval", "t:instruct", versions.Base, "--data", "talks.jsonl", "--items", "8"];
        var shown = await _at.RunAsync(eval);
        Assert.True(shown.ExitCode == 0, shown.ToString());
        Assert.Contains("t:instruct reads conversations by chatml", shown.Out, StringComparison.Ordinal);
        Assert.Contains("reads plain text", shown.Out, StringComparison.Ordinal);

        var report = JsonNode.Parse((await _at.RunAsync([.. eval, "--json"])).Out)!;
        Assert.StartsWith("chatml", (string)report["details"]!["prompts"]!["t:instruct"]!, StringComparison.Ordinal);
        Assert.All(report["rows"]!.AsArray(), r => Assert.Contains((string)r!["group"]!, new[] { "t:instruct", versions.Base }));
    }
}
