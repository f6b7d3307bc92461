using System.Text.Json.Nodes;
using Attune.Core.Checkpoints;
using Attune.Core.Versions;
using Xunit;

namespace Attune.App.Tests;

/// <summary>attune versions, as a shell sees it: what each verb prints for people and for programs, and what it does.</summary>
public sealed class VersionsCommandTests(SmallVersions versions) : IClassFixture<SmallVersions>, IDisposable
{
    private readonly Workplace _at = new();

    public void Dispose() => _at.Dispose();

    [Fact]
    public async Task A_version_is_shown_to_people_and_to_programs()
    {
        var digest = Import();
        var text = await Done("versions", "show", "t:base");
        foreach (var said in (string[])["t:base", "Base", digest, "import", ModelFiles.Weights, "contract none", "none: made from nothing"])
            Assert.Contains(said, text, StringComparison.Ordinal);

        var json = await Json("versions", "show", digest[..15], "--json");
        Assert.Equal((digest, "Base", "import"), ((string?)json["digest"], (string?)json["kind"], (string?)json["stage"]));
        Assert.Contains(ModelFiles.Weights, json["files"]!.AsArray().Select(f => (string)f!));
        Assert.Equal("import", (string?)json["lineage"]!["stage"]);
        Assert.Empty(json["reports"]!.AsArray());

        var missing = await _at.RunAsync("versions", "show", "t:nobody");
        Assert.Equal(2, missing.ExitCode);
    }

    [Fact]
    public async Task Names_come_and_go()
    {
        var digest = Import();
        Assert.Contains("my:best → t:base", await Done("versions", "tag", "my:best", "t:base"), StringComparison.Ordinal);
        Assert.Equal(["my:best", "t:base"], Tags());
        Assert.Contains("my:best is no name any more", await Done("versions", "untag", "my:best"), StringComparison.Ordinal);
        Assert.Equal(["t:base"], Tags());

        var tagged = await Json("versions", "tag", "my:best", digest[..15], "--json");
        Assert.Equal(("my:best", digest), ((string?)tagged["name"], (string?)tagged["digest"]));
        var untagged = await Json("versions", "untag", "my:best", "--json");
        Assert.Equal(("my:best", digest), ((string?)untagged["name"], (string?)untagged["digest"]));
        Assert.Equal(["t:base"], Tags());

        var unknown = await _at.RunAsync("versions", "untag", "my:best", "--json");
        Assert.Equal(2, unknown.ExitCode);
        Assert.Equal("", unknown.Out);

        string[] Tags() => [.. ModelStore.Open(Store).Resolve(digest).Tags.Order(StringComparer.Ordinal)];
    }

    [Fact]
    public async Task The_tree_holds_every_version_under_its_parent()
    {
        var parent = Import();
        var store = ModelStore.Open(Store);
        var child = store.Add(new VersionDraft(VersionKind.Instruct, store.Resolve(parent).Files, new() { Parent = parent, Stage = "sft", Options = [], CodeVersion = "test" }), "t:child").Digest;
        var gone = "sha256:" + new string('0', 64);
        store.Add(new VersionDraft(VersionKind.Chat, store.Resolve(parent).Files, new() { Parent = gone, Stage = "dpo", Options = [], CodeVersion = "test" }), "t:orphan");

        var roots = (await Json("versions", "tree", "--json")).AsArray();
        Assert.Equal([parent, gone], roots.Select(r => (string?)r!["digest"]));
        var under = Assert.Single(roots[0]!["children"]!.AsArray())!;
        Assert.Equal((child, "t:child", "Instruct", parent), ((string?)under["digest"], (string?)under["name"], (string?)under["kind"], (string?)under["parent"]));
        Assert.Null(roots[1]!["name"]);
        Assert.Equal("t:orphan", (string?)Assert.Single(roots[1]!["children"]!.AsArray())!["name"]);
        Assert.Contains("└─ t:child", await Done("versions", "tree"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_and_gc_tell_what_they_found()
    {
        var digest = Import();
        var sound = await Json("versions", "verify", "--json");
        Assert.Equal(1, (int)sound["versions"]!);
        Assert.Empty(sound["faults"]!.AsArray());

        var config = ModelStore.Open(Store).Resolve(digest).Files.Require(ModelFiles.Config);
        File.SetAttributes(config, FileAttributes.Normal); // blobs are read-only
        var bytes = File.ReadAllBytes(config);
        File.WriteAllText(config, "{}");
        var broken = await _at.RunAsync("versions", "verify", "--json");
        Assert.Equal(1, broken.ExitCode);
        var fault = Assert.Single(JsonNode.Parse(broken.Out)!["faults"]!.AsArray())!;
        Assert.Equal((ModelFiles.Config, "t:base"), ((string?)fault["file"], (string?)fault["versions"]![0]));
        Assert.Contains(Path.GetFileName(config), (string?)fault["blob"], StringComparison.Ordinal);
        Assert.NotEmpty((string)fault["problem"]!);
        File.WriteAllBytes(config, bytes);

        await Done("versions", "untag", "t:base");
        var taken = await Json("versions", "gc", "--json");
        Assert.Equal([digest], taken["versions"]!.AsArray().Select(v => (string?)v));
        Assert.True((int)taken["blobs"]! > 0 && (long)taken["bytes"]! > 0);
        Assert.Equal(0, (int)taken["leftovers"]!);
        Assert.Empty((await Json("versions", "list", "--json")).AsArray());
    }

    private string Store => _at.PathOf("models");

    /// <summary>The Base in a store of this test's own; its digest.</summary>
    private string Import() =>
        ModelStore.Open(Store).Add(new VersionDraft(VersionKind.Base, ModelFiles.OfFolder(versions.Base), new() { Stage = "import", Options = [], CodeVersion = "test" }), "t:base").Digest;

    private async Task<JsonNode> Json(params string[] arguments) => JsonNode.Parse(await Done(arguments))!;

    private async Task<string> Done(params string[] arguments)
    {
        var result = await _at.RunAsync(arguments);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Out;
    }
}
