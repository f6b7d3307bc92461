using System.Text.Json.Nodes;
using Attune.Core.Checkpoints;
using Attune.Core.Tests.Checkpoints;
using Attune.Core.Versions;
using Xunit;

namespace Attune.Core.Tests.Versions;

/// <summary>Writes that are cut off, disks that refuse, bytes that flip.</summary>
public sealed class StoreCrashTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose()
    {
        WriteSteps.OnStep = null;
        _scratch.Dispose();
    }

    [Theory]
    [InlineData("open")]
    [InlineData("add")]
    [InlineData("tag")]
    [InlineData("untag")]
    [InlineData("report")]
    [InlineData("gc")]
    [InlineData("export")]
    public void A_crash_between_any_two_writes_leaves_a_valid_store(string work)
    {
        var crashes = 0;
        for (var at = 0; ; at++, crashes++)
        {
            var folder = _scratch[FormattableString.Invariant($"store-{at}")];
            if (work != "open")
                Prepare(folder);
            if (RunUntil(at, _ => new SimulatedCrash(), () => Do(work, folder)))
                break;

            // What was there is there, whole; the same work done again succeeds; gc leaves nothing behind.
            if (work != "open")
            {
                var store = ModelStore.Open(folder);
                Assert.Empty(store.Verify());
                Assert.Equal(["first:base"], store.Resolve("first:base").Tags.Where(t => t == "first:base"));
            }
            Do(work, folder);
            var again = ModelStore.Open(folder);
            Assert.Empty(again.Verify());
            again.CollectGarbage();
            Assert.Empty(again.Verify());
            Assert.Empty(Directory.EnumerateFiles(folder, $"*{Atomic.TemporarySuffix}", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None }));
            Assert.Equal(0, again.CollectGarbage().Blobs);
        }
        Assert.True(crashes >= 4, $"only {crashes} steps");
    }

    [Theory]
    [InlineData(28)]
    [InlineData(30)]
    public void A_disk_that_refuses_at_any_step_loses_nothing(int errno)
    {
        for (var at = 0; ; at++)
        {
            var folder = _scratch[FormattableString.Invariant($"store-{at}")];
            Prepare(folder);
            var before = File.ReadAllBytes(Path.Combine(folder, "index.json"));
            CheckpointException? refused = null;
            try
            {
                if (RunUntil(at, step => step == "clean up" ? null : new IOException("refused", errno), () => Do("add", folder)))
                    break;
            }
            catch (CheckpointException e)
            {
                refused = e;
            }
            Assert.Equal("ATT2030", refused?.Code);
            var store = ModelStore.Open(folder);
            Assert.Empty(store.Verify());
            var after = File.ReadAllBytes(Path.Combine(folder, "index.json"));
            Assert.True(before.AsSpan().SequenceEqual(after) || store.List().Count == 2);
            Assert.Empty(Directory.EnumerateFiles(folder, $"*{Atomic.TemporarySuffix}", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None }));
        }
    }

    [Fact]
    public void A_flipped_byte_is_found_and_named_in_every_blob()
    {
        var folder = _scratch["store"];
        Prepare(folder);
        var store = ModelStore.Open(folder);
        store.Add(Drafts.Of(_scratch, 2), "second:base");
        store.AttachReport("first:base", "run", new JsonObject { ["seconds"] = 1 });
        var named = new List<string>();
        foreach (var digest in store.Blobs.All())
        {
            var path = store.Blobs.PathOf(digest);
            var sound = File.ReadAllBytes(path);
            Replace(path, [.. sound[..^1], (byte)(sound[^1] ^ 1)]);
            var fault = Assert.Single(store.Verify(), f => f.Blob == digest);
            named.Add(fault.File);
            Assert.NotEmpty(fault.Versions);
            if (fault.File == ModelFiles.Tokenizer)
                Assert.Equal(["first:base", "second:base"], fault.Versions);
            File.Delete(path);
            Assert.Contains(store.Verify(), f => f.Blob == digest && f.Problem.Contains("missing", StringComparison.Ordinal));
            Replace(path, sound);
        }
        Assert.Equal(["config.json", "lineage", "manifest", "model.safetensors", "report.json", "tokenizer.json"], named.Distinct().Order(StringComparer.Ordinal));
        Assert.Empty(store.Verify());
    }

    [Fact]
    public void A_damaged_file_is_not_exported_and_storing_it_again_mends_it()
    {
        var folder = _scratch["store"];
        Prepare(folder);
        var store = ModelStore.Open(folder);
        var path = store.Resolve("first:base").Files.Require(ModelFiles.Weights);
        Replace(path, [.. File.ReadAllBytes(path)[..^1], 77]);
        Assert.Equal("ATT2057", Assert.Throws<StoreException>(() => store.Export("first:base", _scratch["out"])).Code);
        Assert.False(Directory.Exists(_scratch["out"]));
        store.Add(Drafts.Of(_scratch, 1));
        Assert.Empty(store.Verify());
    }

    [Fact]
    public void Gc_keeps_ancestors_and_reports_of_what_has_a_name()
    {
        var store = ModelStore.Open(_scratch["store"]);
        var root = store.Add(Drafts.Of(_scratch, 1));
        var child = store.Add(Drafts.Of(_scratch, 2, VersionKind.Instruct, root.Digest, "sft"), "world:instruct");
        var lost = store.Add(Drafts.Of(_scratch, 3, VersionKind.Chat, root.Digest, "dpo"));
        store.AttachReport(child.Digest, "run", new JsonObject());
        store.AttachReport(lost.Digest, "run", new JsonObject { ["of"] = "lost" });
        var garbage = store.CollectGarbage();
        Assert.Equal([lost.Digest], garbage.Versions);
        // Weights, lineage and manifest of the lost version; report and manifest of its report.
        Assert.Equal((5, 0), (garbage.Blobs, garbage.Leftovers));
        Assert.Equal([root.Digest, child.Digest], store.List().Select(v => v.Digest));
        Assert.Single(store.Reports("world:instruct"));
        Assert.Empty(store.Verify());
    }

    [Fact]
    public void Gc_deletes_nothing_on_a_guess()
    {
        Prepare(_scratch["store"]);
        var store = ModelStore.Open(_scratch["store"]);
        var blobs = store.Blobs.All().Count();
        Replace(store.Blobs.PathOf(store.Resolve("first:base").Digest), "{}"u8.ToArray());
        Assert.Throws<StoreException>(store.CollectGarbage);
        Assert.Equal(blobs, store.Blobs.All().Count());
    }

    [Fact]
    public void Cancelling_leaves_the_store_as_it_was()
    {
        Prepare(_scratch["store"]);
        var store = ModelStore.Open(_scratch["store"]);
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.Throws<OperationCanceledException>(() => store.Add(Drafts.Of(_scratch, 9), cancellation: source.Token));
        Assert.Single(store.List());
        Assert.Equal(0, store.CollectGarbage().Leftovers);
    }

    private void Prepare(string folder)
    {
        var store = ModelStore.Open(folder);
        store.Add(Drafts.Of(_scratch, 1), "first:base");
    }

    private void Do(string work, string folder)
    {
        var store = ModelStore.Open(folder);
        switch (work)
        {
            case "open":
                break;
            case "add":
                store.Add(Drafts.Of(_scratch, 2), "second:base");
                break;
            case "tag":
                store.Tag("other:base", "first:base");
                break;
            case "untag":
                store.Tag("other:base", "first:base");
                store.Untag("other:base");
                break;
            case "report":
                store.AttachReport("first:base", "run", new JsonObject { ["seconds"] = 1 });
                break;
            case "gc":
                store.Add(Drafts.Of(_scratch, 3));
                store.CollectGarbage();
                break;
            default:
                if (!Directory.Exists(_scratch[$"out-{Path.GetFileName(folder)}"]))
                    store.Export("first:base", _scratch[$"out-{Path.GetFileName(folder)}"]);
                break;
        }
    }

    // True where the work came to its end before the step was reached.
    private static bool RunUntil(int at, Func<string, Exception?> fault, Action work)
    {
        var step = 0;
        WriteSteps.OnStep = name =>
        {
            if (step++ >= at && fault(name) is { } e)
                throw e;
        };
        try
        {
            work();
            return true;
        }
        catch (SimulatedCrash)
        {
            return false;
        }
        finally
        {
            WriteSteps.OnStep = null;
        }
    }

    private static void Replace(string path, byte[] bytes)
    {
        File.Delete(path);
        File.WriteAllBytes(path, bytes);
    }
}
