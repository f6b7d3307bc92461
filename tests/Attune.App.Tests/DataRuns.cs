using Attune.Core.Data;
using Attune.Core.Versions;
using Xunit;

namespace Attune.App.Tests;

/// <summary>A data file and what it was seen to hold.</summary>
internal sealed record FoundData(string Path, DataFormat Format)
{
    /// <summary>The commands that it is for.</summary>
    public string Use => DataReader.UseOf(Format.Kind);

    public bool IsFor(string verb) => Use.Contains("attune " + verb, StringComparison.Ordinal);

    public static IReadOnlyList<FoundData> Of(IEnumerable<string> paths) => [.. paths.Select(path => new FoundData(path, DataFormat.Detect(path)))];
}

/// <summary>Takes data files through the verbs that they are for: pretraining on all texts, SFT on all conversations, DPO on all pairs.</summary>
internal static class DataRuns
{
    private static readonly string[] Small = ["--threads", "1", "--overlong", "truncate", "--sequence-length", "128", "--steps", "2"];

    public static async Task RunAsync(Workplace at, IReadOnlyList<FoundData> files)
    {
        var texts = files.Where(f => f.IsFor("pretrain")).ToList();
        var talks = files.Where(f => f.IsFor("sft")).ToList();
        var pairs = files.Where(f => f.IsFor("dpo")).ToList();
        Assert.NotEmpty(texts);
        Assert.NotEmpty(talks);
        Assert.NotEmpty(pairs);

        for (var i = 0; i < texts.Count; i++)
            await StoreAsync(at, $"my:base{i}", ["pretrain", texts[i].Path, "--vocabulary-size", "400", "--hidden-size", "32", "--layers", "2", "--heads", "2", "--micro-batch-tokens", "512", .. Small]);
        for (var i = 0; i < talks.Count; i++)
            await StoreAsync(at, $"my:instruct{i}", ["sft", talks[i].Path, "--parent", "my:base0", "--micro-batch-tokens", "512", .. Small]);
        for (var i = 0; i < pairs.Count; i++)
            await StoreAsync(at, $"my:chat{i}", ["dpo", pairs[i].Path, "--parent", "my:instruct0", "--micro-batch-pairs", "2", .. Small]);

        // In another verb a file is refused: the message says what it holds and what it is for.
        foreach (var file in files.DistinctBy(f => f.Format.Kind))
        {
            var refused = await at.RunAsync(file.IsFor("sft") ? "dpo" : "sft", file.Path, "--parent", "my:base0", "--run", "refused");
            Assert.True(refused.ExitCode == 2, refused.ToString());
            Assert.Contains("ATT3009", refused.Error, StringComparison.Ordinal);
            Assert.Contains(file.Use, refused.Error, StringComparison.Ordinal);
        }
        Assert.Empty(ModelStore.Open(at.PathOf("models")).Verify());
    }

    private static async Task StoreAsync(Workplace at, string name, IEnumerable<string> arguments)
    {
        var result = await at.RunAsync([.. arguments, "--save-as", name]);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains($"stored {name}", result.Out, StringComparison.Ordinal);
    }
}
