using System.Text.Json.Nodes;
using Attune.Core.Checkpoints;
using Attune.Core.Tests.Checkpoints;
using Attune.Core.Versions;
using Xunit;

namespace Attune.Core.Tests.Versions;

public sealed class ModelStoreTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void A_version_is_found_by_tag_digest_and_prefix_and_reads_as_it_was()
    {
        var store = ModelStore.Open(_scratch["store"]);
        var draft = Drafts.Of(_scratch, 1);
        var added = store.Add(draft, "world:base");

        foreach (var reference in (string[])["world:base", added.Digest, added.Digest[..20], added.ShortDigest[..5], added.ShortDigest.ToUpperInvariant()])
        {
            var found = ModelStore.Open(_scratch["store"]).Resolve(reference);
            Assert.Equal((added.Digest, VersionKind.Base), (found.Digest, found.Kind));
            Assert.Equal(["world:base"], found.Tags);
            Assert.Equal(reference, found.Files.Description);
            Assert.True(JsonNode.DeepEquals(LineageJson.ToJson(draft.Lineage), LineageJson.ToJson(found.Lineage)));
            Assert.Equal(["config.json", "model.safetensors", "tokenizer.json"], found.Files.Paths.Keys.Order(StringComparer.Ordinal));
            Assert.All(found.Files.Paths, p => Assert.Equal(File.ReadAllBytes(draft.Files.Require(p.Key)), File.ReadAllBytes(p.Value)));
            using var weights = WeightFiles.Open(found.Files);
            TensorNames.Check(HuggingFaceConfig.Read(found.Files.Require(ModelFiles.Config)), weights);
        }
        Assert.Empty(store.Verify());
    }

    [Fact]
    public void Equal_runs_give_equal_digests_whatever_the_order_of_options()
    {
        var one = ModelStore.Open(_scratch["one"]).Add(Drafts.Of(_scratch, 1));
        var draft = Drafts.Of(_scratch, 1);
        var turned = draft with { Lineage = draft.Lineage with { Options = new(draft.Lineage.Options.Reverse().Select(p => KeyValuePair.Create(p.Key, p.Value?.DeepClone()))) } };
        var other = ModelStore.Open(_scratch["other"]);
        Assert.Equal(one.Digest, other.Add(turned).Digest);
        Assert.Equal(one.Digest, other.Add(draft).Digest);
        Assert.Single(other.List());
        Assert.NotEqual(one.Digest, other.Add(draft with { Lineage = draft.Lineage with { Seed = 8 } }).Digest);
        Assert.NotEqual(one.Digest, other.Add(draft with { Kind = VersionKind.Chat }).Digest);
    }

    [Fact]
    public void Shared_files_are_stored_once()
    {
        var store = ModelStore.Open(_scratch["store"]);
        var (a, b) = (store.Add(Drafts.Of(_scratch, 1)), store.Add(Drafts.Of(_scratch, 2)));
        Assert.Equal(a.Files.Require(ModelFiles.Tokenizer), b.Files.Require(ModelFiles.Tokenizer));
        Assert.NotEqual(a.Files.Require(ModelFiles.Weights), b.Files.Require(ModelFiles.Weights));
        // Two weights, one config, one tokenizer, two lineages, two manifests.
        Assert.Equal(8, store.Blobs.All().Count());
    }

    [Fact]
    public void Names_move_and_go()
    {
        var store = ModelStore.Open(_scratch["store"]);
        var (a, b) = (store.Add(Drafts.Of(_scratch, 1), "world:base"), store.Add(Drafts.Of(_scratch, 2), "world:base"));
        Assert.Equal(b.Digest, store.Resolve("world:base").Digest);
        Assert.Empty(store.Resolve(a.Digest).Tags);
        store.Tag("old:base", a.ShortDigest);
        store.Tag("old:latest", a.Digest);
        Assert.Equal(a.Digest, store.Resolve("old").Digest);
        Assert.Equal(["old:base", "old:latest"], store.Resolve(a.Digest).Tags);
        store.Untag("old:base");
        store.Untag("old:latest");
        Assert.Equal([a.Digest, b.Digest], store.List().Select(v => v.Digest));
        Assert.Equal("ATT2050", Assert.Throws<StoreException>(() => store.Untag("old:base")).Code);
    }

    [Theory]
    [InlineData("world:bass", "ATT2050", "world:base")]
    [InlineData("abc", "ATT2050", null)]
    [InlineData("sha256:", "ATT2050", null)]
    public void A_name_that_is_none_gets_the_nearest(string reference, string code, string? hint)
    {
        var store = ModelStore.Open(_scratch["store"]);
        store.Add(Drafts.Of(_scratch, 1), "world:base");
        var e = Assert.Throws<StoreException>(() => store.Resolve(reference));
        Assert.Equal(code, e.Code);
        Assert.Contains(hint ?? "", e.Hint, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("World:base")]
    [InlineData("world")]
    [InlineData("world:")]
    [InlineData("../x:y")]
    [InlineData("sha256:abcd")]
    [InlineData("a:b\n")]
    public void What_cannot_be_a_name_is_refused_before_anything_is_written(string name)
    {
        var store = ModelStore.Open(_scratch["store"]);
        Assert.Equal("ATT2053", Assert.Throws<StoreException>(() => store.Add(Drafts.Of(_scratch, 1), name)).Code);
        Assert.Empty(store.Blobs.All());
    }

    [Fact]
    public void A_prefix_of_several_digests_is_refused_with_longer_ones()
    {
        var index = new StoreIndex([.. "01".Select(c => new OciDescriptor(Oci.ManifestType, $"sha256:abcd{new string(c, 60)}", 1) { ArtifactType = Oci.VersionType })]);
        Assert.Equal("ATT2051", Assert.Throws<StoreException>(() => StoreReferences.Find(index, "abcd", "store")).Code);
        Assert.Equal(index.Manifests[1], StoreReferences.Find(index, "abcd1", "store"));
    }

    [Fact]
    public void Reports_hang_on_what_they_measured()
    {
        var store = ModelStore.Open(_scratch["store"]);
        var version = store.Add(Drafts.Of(_scratch, 1), "world:base");
        store.AttachReport("world:base", "run", new JsonObject { ["seconds"] = 12.5 });
        store.AttachReport(version.Digest, "evaluation", new JsonObject { ["accuracy"] = 0.9 });
        Assert.Equal(["run", "evaluation"], store.Reports("world:base").Select(r => r.Kind));
        Assert.Equal("{\"accuracy\":0.9}", File.ReadAllText(store.Reports("world:base")[1].Path));
        Assert.Equal(version.Digest, store.Resolve("world:base").Digest);
        Assert.Empty(store.Verify());
    }

    [Fact]
    public void It_is_an_OCI_image_layout()
    {
        var store = ModelStore.Open(_scratch["store"]);
        var version = store.Add(Drafts.Of(_scratch, 1), "world:base");
        Assert.Equal("{\"imageLayoutVersion\":\"1.0.0\"}", File.ReadAllText(Path.Combine(store.Folder, "oci-layout")));
        var index = JsonNode.Parse(File.ReadAllText(Path.Combine(store.Folder, "index.json")))!;
        Assert.Equal(2, (int)index["schemaVersion"]!);
        var entry = index["manifests"]![0]!;
        Assert.Equal(version.Digest, (string?)entry["digest"]);
        Assert.Equal("world:base", (string?)entry["annotations"]!["org.opencontainers.image.ref.name"]);
        var path = store.Blobs.PathOf(version.Digest);
        Assert.Equal((long)entry["size"]!, new FileInfo(path).Length);
        var manifest = JsonNode.Parse(File.ReadAllText(path))!;
        Assert.Equal("application/vnd.oci.image.manifest.v1+json", (string?)manifest["mediaType"]);
        Assert.Equal(Oci.VersionType, (string?)manifest["artifactType"]);
        Assert.Equal(Oci.LineageType, (string?)manifest["config"]!["mediaType"]);
        Assert.Equal(["config.json", "model.safetensors", "tokenizer.json"], manifest["layers"]!.AsArray().Select(l => (string)l!["annotations"]!["org.opencontainers.image.title"]!));
        Assert.All(manifest["layers"]!.AsArray(), l => Assert.Equal((string?)l!["digest"], $"sha256:{Digests.Sha256Of(store.Blobs.PathOf((string)l!["digest"]!))}"));
    }

    [Fact]
    public void Export_lays_out_a_plain_folder_and_overwrites_nothing()
    {
        var store = ModelStore.Open(_scratch["store"]);
        var draft = Drafts.Of(_scratch, 1);
        store.Add(draft, "world:base");
        Directory.CreateDirectory(_scratch["empty"]);
        store.Export("world:base", _scratch["empty"]);
        Assert.Equal(["config.json", "model.safetensors", "tokenizer.json"], Directory.EnumerateFiles(_scratch["empty"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(Digests.Sha256Of(draft.Files.Require(ModelFiles.Weights)), Digests.Sha256Of(Path.Combine(_scratch["empty"], ModelFiles.Weights)));
        File.AppendAllText(Path.Combine(_scratch["empty"], ModelFiles.Config), " ");
        Assert.Equal("ATT2060", Assert.Throws<StoreException>(() => store.Export("world:base", _scratch["empty"])).Code);
    }

    [Fact]
    public void A_file_name_that_leads_out_of_the_folder_is_refused()
    {
        var store = ModelStore.Open(_scratch["store"]);
        var model = new ModelFiles(new Dictionary<string, string> { ["sub/../../evil"] = _scratch.Write("x", "x") }, "hostile");
        Assert.Equal("ATT2056", Assert.Throws<StoreException>(() => store.Add(new(VersionKind.Base, model, Drafts.Lineage(1, null, "import")))).Code);
        Assert.Equal("ATT2059", Assert.Throws<StoreException>(() => store.Add(new(VersionKind.Base, new(new Dictionary<string, string>(), "none"), Drafts.Lineage(1, null, "import")))).Code);
    }

    [Theory]
    [InlineData("oci-layout", "{\"imageLayoutVersion\":\"2.0.0\"}", "ATT2052")]
    [InlineData("oci-layout", "{}", "ATT2054")]
    [InlineData("index.json", "{\"manifests\":[],\"annotations\":{\"attune.store.layout\":\"2\"}}", "ATT2052")]
    [InlineData("index.json", "{\"manifests\":[{}]}", "ATT2054")]
    [InlineData("index.json", "{\"manifests\":[{\"digest\":\"sha256:../../etc/passwd\",\"mediaType\":\"\",\"size\":1}]}", "ATT2054")]
    [InlineData("index.json", "", "ATT2054")]
    public void A_newer_or_broken_store_is_refused(string file, string text, string code)
    {
        var store = ModelStore.Open(_scratch["store"]);
        File.WriteAllText(Path.Combine(store.Folder, file), text);
        Assert.Equal(code, Assert.Throws<StoreException>(() => ModelStore.Open(store.Folder)).Code);
    }

    [Fact]
    public void A_folder_of_something_else_is_not_made_a_store()
    {
        _scratch.Write("letter.txt", "mine");
        Assert.Equal("ATT2058", Assert.Throws<StoreException>(() => ModelStore.Open(_scratch.Folder)).Code);
        Assert.Equal(["letter.txt"], Directory.EnumerateFileSystemEntries(_scratch.Folder).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Many_writers_take_turns()
    {
        var drafts = Enumerable.Range(1, 8).Select(i => Drafts.Of(_scratch, i)).ToArray();
        await Task.WhenAll(drafts.Select((draft, i) => Task.Run(() => ModelStore.Open(_scratch["store"]).Add(draft, FormattableString.Invariant($"world:v{i}")))));
        var store = ModelStore.Open(_scratch["store"]);
        Assert.Equal(8, store.List().Sum(v => v.Tags.Count));
        Assert.Empty(store.Verify());

        using var held = StoreLock.Take(store.Folder, TimeSpan.Zero);
        var impatient = new Func<ModelStore>(() => ModelStore.Open(_scratch["store"]))();
        Assert.Equal("ATT2055", Assert.Throws<StoreException>(() => StoreLock.Take(impatient.Folder, TimeSpan.FromMilliseconds(50))).Code);
        Assert.Equal(8, impatient.List().Count);
    }

    [Fact]
    public void The_tree_shows_parents_above_children()
    {
        var store = ModelStore.Open(_scratch["store"]);
        var root = store.Add(Drafts.Of(_scratch, 1), "world:base");
        var child = store.Add(Drafts.Of(_scratch, 2, VersionKind.Instruct, root.Digest, "sft"), "world:instruct");
        store.Add(Drafts.Of(_scratch, 3, VersionKind.Chat, child.Digest, "dpo"), "world:chat");
        store.Add(Drafts.Of(_scratch, 4, VersionKind.Instruct, root.Digest, "sft"));
        store.Add(Drafts.Of(_scratch, 5, VersionKind.Chat, $"sha256:{new string('0', 64)}", "dpo"), "orphan:chat");
        var lines = LineageTree.Render(store.Tree()).Split('\n');
        Assert.StartsWith("world:base  Base  pretrain  ", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("├─ world:instruct  Instruct  sft", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("│  └─ world:chat  Chat  dpo", lines[2], StringComparison.Ordinal);
        Assert.StartsWith("└─ (no name)  Instruct", lines[3], StringComparison.Ordinal);
        Assert.StartsWith("(not in this store)  sha256:000", lines[4], StringComparison.Ordinal);
        Assert.StartsWith("└─ orphan:chat", lines[5], StringComparison.Ordinal);
    }

    [Fact]
    public void Diff_names_files_options_and_tensors()
    {
        var store = ModelStore.Open(_scratch["store"]);
        var parent = store.Add(Drafts.Of(_scratch, 1), "world:base");
        store.Add(Drafts.Of(_scratch, 3, VersionKind.Instruct, parent.Digest, "sft"), "world:instruct");
        var diff = store.Diff("world:base", "world:instruct");
        Assert.Equal(["model.safetensors"], diff.Files.Select(f => f.Key));
        Assert.Equal(["kind", "options.learning_rate", "parent", "stage"], diff.Lineage.Select(f => f.Key));
        var tensor = Assert.Single(diff.Tensors);
        Assert.Equal(("model.embed_tokens.weight", 2.0), (tensor.Name, Math.Round(tensor.Relative!.Value, 12)));
        Assert.Empty(diff.Config);
        Assert.Empty(store.Diff("world:base", "world:base").Tensors);
    }
}
