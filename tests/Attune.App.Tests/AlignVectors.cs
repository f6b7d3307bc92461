using System.Text.Json.Nodes;
using Attune.App.Alignment;
using Attune.App.Cli;
using Attune.Core.Data;
using Attune.Core.Versions;
using Attune.Testing;
using Xunit;

namespace Attune.App.Tests;

/// <summary>What is decided about published preference files, and about a real Base model.</summary>
public sealed class AlignVectors : IDisposable
{
    private readonly string _out = Directory.CreateTempSubdirectory("attune-align-real-").FullName;

    public void Dispose() => Directory.Delete(_out, recursive: true);

    private static IReadOnlyList<string> Files()
    {
        if (SharedData.MaySkip)
            Assert.Skip("no reference data");
        var files = SharedData.Files("*.json", "data", "preference");
        Assert.NotEmpty(files);
        return files;
    }

    [Fact]
    public void Published_preferences_are_counted_and_decided_by_what_they_hold()
    {
        foreach (var file in Files())
        {
            var plain = JsonNode.Parse(File.ReadAllText(file))!.AsArray();
            var evidence = AlignEvidence.Of(new AlignFiles([file]), new AlignEvidence { Kind = VersionKind.Instruct, Answers = true }, CancellationToken.None);
            var rule = AlignRules.Decide(evidence);
            if (DataFormat.Detect(file).Kind == FormatKind.Kto)
            {
                Assert.Equal((plain.Count(r => (bool)r!["label"]!), plain.Count(r => !(bool)r!["label"]!)), (evidence.Good, evidence.Bad));
                Assert.Equal("thumbs", rule.Name);
            }
            else
            {
                Assert.Equal(plain.Count, evidence.Pairs);
                Assert.Equal("dpo", rule.Stage);
            }
        }
    }

    [Fact]
    public void A_real_Base_is_told_what_would_be_done_with_it()
    {
        var pairs = Files().Where(f => DataFormat.Detect(f).Kind == FormatKind.Preference).ToList();
        Assert.NotEmpty(pairs);
        var folders = SharedData.FoldersWith(ModelFiles.Tokenizer, "vectors", "foreign-base");
        Assert.NotEmpty(folders);
        foreach (var folder in folders)
        {
            var store = ModelStore.Open(Path.Combine(_out, "models"));
            store.Add(new VersionDraft(VersionKind.Base, ModelFiles.OfFolder(folder), new Lineage { Stage = "import", Options = [], CodeVersion = "test" }), "real:base");
            var code = Align.Run(new AlignOptions { Version = "real:base", Data = pairs, Store = store.Folder, Out = Path.Combine(_out, "align"), SequenceLength = 512, Threads = 1, DryRun = true }, CancellationToken.None);
            Assert.Equal(ExitCode.Done, code);
            Assert.Single(store.List());
        }
    }
}
