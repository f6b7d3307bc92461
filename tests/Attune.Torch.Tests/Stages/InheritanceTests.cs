using System.Text.Json.Nodes;
using Attune.Core.Checkpoints;
using Attune.Core.Versions;
using Attune.Torch.Stages;
using Xunit;

namespace Attune.Torch.Tests.Stages;

/// <summary>What came with a model goes where the model goes: licences, its makers' sampling, further templates.</summary>
public sealed class InheritanceTests : IDisposable
{
    private readonly TinyRuns _runs = new();

    [Fact]
    public void A_trained_version_keeps_what_its_parent_came_with()
    {
        var instruct = Sft.Run(TinyRuns.Tuning(_runs.Talks), _runs.Context("instruct", _runs.Base()));
        var foreign = instruct with { Draft = instruct.Draft with { Files = WithTheirs(instruct.Draft.Files) } };
        foreach (var child in new[] { Sft.Run(TinyRuns.Tuning(_runs.Talks), _runs.Context("sft", foreign)), Dpo.Run(TinyRuns.Preferring(_runs.Pairs), _runs.Context("dpo", foreign)) })
        {
            var files = child.Draft.Files;
            Assert.Equal("Anyone may do anything.", File.ReadAllText(files.Require("LICENSE")));
            Assert.Equal("{{ tools }}", File.ReadAllText(files.Require("tool_use.jinja")));
            Assert.Equal("mit", ModelCard.LicenceOf(files));
            Assert.Equal("mit", (string?)child.Draft.Lineage.Facts["license"]);
            var generation = JsonNode.Parse(File.ReadAllText(files.Require(ModelFiles.GenerationConfig)))!;
            Assert.Equal((0.8, "static"), ((double)generation["top_p"]!, (string?)generation["cache_implementation"]));
            // Its own ends, not those of the file that it came with.
            Assert.Equal(HuggingFaceConfig.Read(files.Require(ModelFiles.Config)).EosTokenIds, GenerationConfig.Read(files.Require(ModelFiles.GenerationConfig)).EosTokenIds);
        }

        // Another format has no place for templates of the old one; licences go there all the same.
        var changed = Sft.Run(TinyRuns.Tuning(_runs.Talks) with { Contract = "llama3", ContractChange = true }, _runs.Context("changed", foreign)).Draft.Files;
        Assert.Null(changed.Find("tool_use.jinja"));
        Assert.NotNull(changed.Find("LICENSE"));
    }

    public void Dispose() => _runs.Dispose();

    private ModelFiles WithTheirs(ModelFiles files)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_runs.Folder, "theirs")).FullName;
        var paths = files.Paths.ToDictionary(StringComparer.Ordinal);
        foreach (var (name, text) in new[]
        {
            ("LICENSE", "Anyone may do anything."), ("tool_use.jinja", "{{ tools }}"), (ModelFiles.Card, "---\nlicense: mit\n---\n# Theirs\n"),
            (ModelFiles.GenerationConfig, """{"do_sample": true, "top_p": 0.8, "eos_token_id": 1, "cache_implementation": "static"}"""),
        })
        {
            paths[name] = Path.Combine(folder, name);
            File.WriteAllText(paths[name], text);
        }
        return new ModelFiles(paths, "theirs");
    }
}
