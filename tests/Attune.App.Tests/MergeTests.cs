using Attune.Core.Checkpoints;
using Attune.Core.Checkpoints.Adapters;
using Xunit;

namespace Attune.App.Tests;

/// <summary>attune merge: an adapter laid on its parent gives the version that its run made, of language and of reward models.</summary>
public sealed class MergeTests(SmallVersions versions) : IClassFixture<SmallVersions>, IDisposable
{
    private readonly Workplace _at = new();

    public void Dispose() => _at.Dispose();

    [Theory]
    [InlineData("sft", "talks.jsonl", "Instruct")]
    [InlineData("reward", "pairs.jsonl", "Reward")]
    public async Task An_adapter_and_its_parent_are_the_version_of_the_run(string stage, string data, string kind)
    {
        await Done(stage, data, "--parent", versions.Base, "--save-as", "t:tuned", "--steps", "2", "--lora-rank", "2", "--save-adapter", "adapter", "--threads", "1");
        var output = await Done("merge", versions.Base, "adapter", "--save-as", "t:merged", "--kind", kind.ToLowerInvariant());
        Assert.Contains(kind, output, StringComparison.Ordinal);
        await Done("export", "t:tuned", "tuned");
        await Done("export", "t:merged", "merged");
        Assert.Equal(Digests.Sha256Of(_at.PathOf("tuned", "model.safetensors")), Digests.Sha256Of(_at.PathOf("merged", "model.safetensors")));
        Assert.Equal(Architecture("tuned"), Architecture("merged"));

        var refused = await _at.RunAsync("import", "adapter", "--save-as", "t:no");
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("ATT3407", refused.ToString(), StringComparison.Ordinal);
        Assert.Contains("attune merge", refused.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refreshed_reward_adapter_lies_on_the_same_base()
    {
        await Done("import", versions.Base, "--save-as", "t:base");
        await Done("reward", "pairs.jsonl", "--parent", "t:base", "--save-as", "t:reward", "--steps", "2", "--lora-rank", "2", "--threads", "1");
        string[] refresh = ["reward", "refresh", "talks.jsonl", "--policy", "t:base", "--truth", "regex:e", "--max-new-tokens", "8", "--steps", "2", "--threads", "1"];
        await Done([.. refresh, "--parent", "t:reward", "--save-as", "t:second", "--save-adapter", "adapter"]);
        await Done("merge", "t:base", "adapter", "--save-as", "t:merged");
        await Done("export", "t:second", "second");
        await Done("export", "t:merged", "merged");
        Assert.Equal(Digests.Sha256Of(_at.PathOf("second", "model.safetensors")), Digests.Sha256Of(_at.PathOf("merged", "model.safetensors")));
        Assert.Equal("t:base", AdapterConfig.Read(_at.PathOf("adapter", AdapterConfig.FileName)).BaseModel);

        // A refreshed one is refreshed on the same base again; a folder does not say what its adapter lies on.
        await Done([.. refresh, "--parent", "t:second", "--save-as", "t:third"]);
        Assert.Contains("ATT5210", (await _at.RunAsync([.. refresh, "--parent", "second"])).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reward_adapter_without_its_score_is_refused()
    {
        await Done("reward", "pairs.jsonl", "--parent", versions.Base, "--save-as", "t:tuned", "--steps", "1", "--lora-rank", "2", "--save-adapter", "adapter", "--threads", "1");
        var path = _at.PathOf("adapter", AdapterFiles.WeightsName);
        using (var file = SafetensorsFile.Open(path))
            SafetensorsWriter.Write(path + ".cut", file.Tensors.Where(t => !t.Name.Contains("score", StringComparison.Ordinal)).Select(t => TensorSource.Of(t.Name, t.Type, t.Shape, file.Bytes(t.Name).ToArray())));
        File.Move(path + ".cut", path, overwrite: true);

        var refused = await _at.RunAsync("merge", versions.Base, "adapter", "--save-as", "t:no");
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("ATT2013", refused.ToString(), StringComparison.Ordinal);
        Assert.Contains("score", refused.ToString(), StringComparison.Ordinal);
    }

    private string Architecture(string folder) => HuggingFaceConfig.Read(_at.PathOf(folder, "config.json")).Architecture;

    private async Task<string> Done(params string[] arguments)
    {
        var result = await _at.RunAsync(arguments);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.ToString();
    }
}
