using System.Text.Json.Nodes;
using Attune.Core.Data;
using Attune.Testing;
using Xunit;

namespace Attune.App.Tests;

/// <summary>The command on published data, at small size: corpora, instructions and preferences are found by listing and sorted by what they hold.</summary>
public sealed class RealDataVectors : IDisposable
{
    private readonly Workplace _at = new();

    private static IReadOnlyList<FoundData> Published => FoundData.Of(new[] { "corpora", "sft", "preference" }.SelectMany(group => SharedData.Files("*", "data", group)));

    [Fact]
    public async Task EachFileGoesThroughTheVerbThatItIsFor()
    {
        Assert.SkipWhen(SharedData.MaySkip, "no reference data here");
        await DataRuns.RunAsync(_at, Published);
    }

    [Fact]
    public async Task InspectTellsFormatDuplicatesAndOverlap()
    {
        Assert.SkipWhen(SharedData.MaySkip, "no reference data here");
        Assert.NotEmpty(Published);
        foreach (var file in Published)
        {
            // Beside itself every row has a double, and as its own test data it overlaps.
            var result = await _at.RunAsync("data", "inspect", file.Path, file.Path, "--test", file.Path, "--json");
            Assert.True(result.ExitCode == 0, result.ToString());
            var report = JsonNode.Parse(result.Out)!;
            var rows = DataReader.Read(file.Path, BadRows.Drop).Count(r => r is not TextRow { Opens: false });
            Assert.Equal(rows, (int)report["files"]![0]!["rows"]!);
            Assert.InRange((int)report["exact"]!["extra_rows"]!, rows, 2 * rows);
            Assert.InRange((int)report["overlap"]!["touched"]!, 1, (int)report["overlap"]!["test_rows"]!);

            var shown = await _at.RunAsync("data", "inspect", file.Path);
            Assert.Contains(file.Format.Evidence, shown.Out, StringComparison.Ordinal);
            Assert.Contains(file.Use, shown.Out, StringComparison.Ordinal);
        }
    }

    public void Dispose() => _at.Dispose();
}
