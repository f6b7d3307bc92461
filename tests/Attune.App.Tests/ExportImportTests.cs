using Attune.Core.Checkpoints;
using Attune.Core.Checkpoints.Adapters;
using Attune.Core.Versions;
using Attune.Testing;
using Xunit;

namespace Attune.App.Tests;

/// <summary>attune export and import in every form, as a shell sees them: what goes out comes in as the same model.</summary>
public sealed class ExportImportTests(SmallVersions versions) : IClassFixture<SmallVersions>, IDisposable
{
    private readonly Workplace _at = new();

    public void Dispose() => _at.Dispose();

    [Fact]
    public async Task A_model_folder_is_laid_out_like_a_version()
    {
        var source = _at.PathOf("source");
        Copy(versions.Base, source);
        Directory.CreateDirectory(Path.Combine(source, "additional_chat_templates"));
        File.WriteAllText(Path.Combine(source, "additional_chat_templates", "rag.jinja"), "{{ rag }}");
        File.WriteAllText(Path.Combine(source, "notes.txt"), "not of the model");

        var output = await Done("export", "source", "out", "--format", "hf");
        Assert.Contains("source → out", output, StringComparison.Ordinal);
        Assert.Equal(WeightsOf(versions.Base), WeightsOf(_at.PathOf("out")));
        Assert.True(File.Exists(_at.PathOf("out", "special_tokens_map.json")));
        Assert.True(File.Exists(_at.PathOf("out", "additional_chat_templates", "rag.jinja")));
        Assert.False(File.Exists(_at.PathOf("out", "notes.txt")));
        await Refused("ATT2060", "export", "source", "out");
        Directory.CreateDirectory(_at.PathOf("empty"));
        await Refused("ATT2002", "export", "empty", "nothing");
        Assert.False(Directory.Exists(_at.PathOf("nothing")));
    }

    [Fact]
    public async Task A_GGUF_file_goes_out_and_comes_in()
    {
        await Done("import", versions.Base, "--save-as", "t:base");
        Assert.Contains("t-base.gguf", await Done("export", "t:base", "gguf", "--format", "gguf"), StringComparison.Ordinal);
        Assert.Equal(["t-base.gguf"], Directory.EnumerateFileSystemEntries(_at.PathOf("gguf")).Select(p => Path.GetFileName(p)!));
        Assert.Contains("Base", await Done("import", Path.Combine("gguf", "t-base.gguf"), "--save-as", "back:base"), StringComparison.Ordinal);

        await Done("export", "back:base", "back");
        using var before = WeightFiles.Open(ModelFiles.OfFolder(versions.Base));
        using var after = WeightFiles.Open(ModelFiles.OfFolder(_at.PathOf("back")));
        Assert.Equal(before.Tensors.Select(t => t.Name).Order(StringComparer.Ordinal), after.Tensors.Select(t => t.Name).Order(StringComparer.Ordinal));
        Assert.All(before.Tensors, t => Assert.True(before.Bytes(t.Name).SequenceEqual(after.Bytes(t.Name)), t.Name));
        await Done("export", versions.Base, "q8", "--format", "gguf", "--weights", "q8");
        await Refused("ATT33", "import", Cut(_at.PathOf("gguf", "t-base.gguf")), "--save-as", "t:cut");
    }

    [Fact]
    public async Task An_adapter_goes_out_as_PEFT_reads_it_and_comes_back_by_merge()
    {
        await Done("sft", "talks.jsonl", "--parent", versions.Base, "--save-as", "t:tuned", "--steps", "1", "--lora-rank", "2", "--threads", "1");
        await Done("export", "t:tuned", "adapter", "--format", "peft");
        Assert.Equal([AdapterConfig.FileName, AdapterFiles.WeightsName], Directory.EnumerateFileSystemEntries(_at.PathOf("adapter")).Select(p => Path.GetFileName(p)!).Order(StringComparer.Ordinal));
        await Done("merge", versions.Base, "adapter", "--save-as", "t:merged");
        await Done("export", "t:tuned", "tuned");
        await Done("export", "t:merged", "merged");
        Assert.Equal(WeightsOf(_at.PathOf("tuned")), WeightsOf(_at.PathOf("merged")));

        // The folder of a version has its adapter too; a whole model has none.
        await Done("export", "tuned", "again", "--format", "peft");
        Assert.Equal(Digests.Sha256Of(_at.PathOf("adapter", AdapterFiles.WeightsName)), Digests.Sha256Of(_at.PathOf("again", AdapterFiles.WeightsName)));
        await Refused("ATT3403", "export", versions.Base, "none", "--format", "peft");
    }

    [Fact]
    public async Task A_sharded_folder_keeps_its_shards()
    {
        Assert.SkipWhen(SharedData.MaySkip, "No reference data.");
        var folders = SharedData.FoldersWith(WeightFiles.Index, "vectors");
        Assert.NotEmpty(folders);
        foreach (var folder in folders)
        {
            var name = Path.GetFileName(folder);
            Copy(folder, _at.PathOf(name));
            // The reference has none; a token for a row is enough for one.
            if (!File.Exists(_at.PathOf(name, ModelFiles.Tokenizer)))
                _at.Write(Path.Combine(name, ModelFiles.Tokenizer), """{"version": "1.0", "added_tokens": [], "model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []}}""");
            await Done("import", name, "--save-as", $"t:{name}");
            await Done("export", $"t:{name}", name + "-out");
            foreach (var file in Directory.EnumerateFiles(folder).Select(p => Path.GetFileName(p)!).Where(f => f.EndsWith(".safetensors", StringComparison.Ordinal) || f == WeightFiles.Index))
                Assert.Equal(Digests.Sha256Of(Path.Combine(folder, file)), Digests.Sha256Of(_at.PathOf(name + "-out", file)));
            File.Delete(Directory.EnumerateFiles(_at.PathOf(name), "*.safetensors").First());
            await Refused("ATT20", "import", name, "--save-as", "t:cut");
        }
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var path in Directory.EnumerateFiles(from))
            File.Copy(path, Path.Combine(to, Path.GetFileName(path)));
    }

    private static string Cut(string path)
    {
        var cut = path + ".cut.gguf";
        File.WriteAllBytes(cut, File.ReadAllBytes(path)[..900]);
        return cut;
    }

    private static string WeightsOf(string folder) => Digests.Sha256Of(Path.Combine(folder, ModelFiles.Weights));

    private async Task Refused(string code, params string[] arguments)
    {
        var result = await _at.RunAsync(arguments);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(code, result.Error, StringComparison.Ordinal);
    }

    private async Task<string> Done(params string[] arguments)
    {
        var result = await _at.RunAsync(arguments);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Out;
    }
}
