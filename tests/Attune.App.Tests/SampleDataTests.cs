using Attune.Core.Data;
using Xunit;

namespace Attune.App.Tests;

/// <summary>The samples in samples/data, and the commands that the README shows over them, letter by letter.</summary>
public sealed class SampleDataTests : IDisposable
{
    private const string Shown = "./attune ";

    private readonly Workplace _at = new();

    private static IReadOnlyList<FoundData> Samples => FoundData.Of(Directory.EnumerateFiles(Path.Combine(Checkout.Root, "samples", "data")).Order(StringComparer.Ordinal));

    [Fact]
    public async Task EachSampleGoesThroughTheVerbThatItIsFor()
    {
        await DataRuns.RunAsync(_at, Samples);
        FormatKind[] named = [FormatKind.Text, FormatKind.Alpaca, FormatKind.ShareGpt, FormatKind.Messages, FormatKind.Preference, FormatKind.Kto];
        Assert.Superset(named.ToHashSet(), Samples.Select(s => s.Format.Kind).ToHashSet());
    }

    [Fact]
    public async Task TheCommandsOfTheReadmeDoWhatItSays()
    {
        Directory.CreateSymbolicLink(_at.PathOf("samples"), Path.Combine(Checkout.Root, "samples"));
        var commands = CommandsIn("README.md");
        Assert.InRange(commands.Count, 5, 8);
        Assert.Equal(commands, CommandsIn("README.zh-CN.md"));
        foreach (var command in commands)
        {
            var words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var result = await AttuneCommand.TalkAsync(_at.Folder, "Where is the watermill?\n", words);
            Assert.True(result.ExitCode == 0, $"{command}\n{result}");
            // The Chat version has learnt these few answers by heart.
            if (words[0] == "chat")
                Assert.Contains("Highmill", result.Out, StringComparison.Ordinal);
        }
    }

    /// <summary>The block of commands over samples/data, without remarks.</summary>
    private static List<string> CommandsIn(string readme) => [.. File.ReadLines(Path.Combine(Checkout.Root, readme))
        .SkipWhile(line => !(line.StartsWith(Shown, StringComparison.Ordinal) && line.Contains("samples/data", StringComparison.Ordinal)))
        .TakeWhile(line => line.StartsWith(Shown, StringComparison.Ordinal))
        .Select(line => line.Split('#')[0][Shown.Length..].Trim())];

    public void Dispose() => _at.Dispose();
}
