using System.Text.Json.Nodes;
using Attune.Core.Checkpoints;
using Attune.Core.Checkpoints.Adapters;
using Xunit;

namespace Attune.Core.Tests.Checkpoints.Adapters;

public sealed class AdapterConfigTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("attune-peft-").FullName;

    private static AdapterConfig Plain => new()
    {
        Rank = 8, Alpha = 16, Targets = new() { Modules = new(["q_proj", "mlp.down_proj"]), Saved = ["lm_head"] },
        RankPattern = [new(@"layers\.1\..*down_proj", 2), new("q_proj", 4)], AlphaPattern = [new("layers.0.self_attn.q_proj", 3.5)],
    };

    [Fact]
    public void What_is_written_is_read_back()
    {
        var read = Read(Plain.ToJson());
        Assert.Equal(Plain.ToJson().ToJsonString(), read.ToJson().ToJsonString());
        var path = Path.Combine(_folder, AdapterConfig.FileName);
        read.Write(path);
        Assert.Equal(Plain.ToJson().ToJsonString(), AdapterConfig.Read(path).ToJson().ToJsonString());
        Assert.DoesNotContain("\r", File.ReadAllText(path), StringComparison.Ordinal);
        Assert.EndsWith("}", File.ReadAllText(path), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model.layers.0.self_attn.q_proj", true, 4, 3.5 / 4)]
    [InlineData("model.layers.1.self_attn.q_proj", true, 4, 4)]
    [InlineData("model.layers.1.mlp.down_proj", true, 2, 8)]
    [InlineData("model.layers.0.mlp.down_proj", true, 8, 2)]
    [InlineData("model.layers.0.other.down_proj", false, 8, 2)]
    [InlineData("model.layers.0.self_attn.xq_proj", false, 8, 2)]
    [InlineData("lm_head", false, 8, 2)]
    public void Names_are_fitted_as_PEFT_fits_them(string module, bool target, int rank, double scale)
    {
        Assert.Equal(target, Plain.Targets.IsTarget(module, isHidden: module != "lm_head"));
        Assert.Equal(rank, Plain.RankOf(module));
        Assert.Equal(scale, Plain.ScaleOf(module), 1e-12);
        Assert.Equal(scale * Math.Sqrt(rank), (Plain with { RankStabilised = true }).ScaleOf(module), 1e-12);
    }

    [Fact]
    public void An_expression_fits_whole_names_and_layers_restrict_lists()
    {
        var expression = new AdapterTargets { Modules = new([], @".*\.layers\.[02]\..*_proj") };
        Assert.True(expression.IsTarget("model.layers.2.mlp.up_proj", true));
        Assert.False(expression.IsTarget("model.layers.1.mlp.up_proj", true));
        Assert.False(expression.IsTarget("model.layers.2.mlp.up_proj.x", true));
        var layers = new AdapterTargets { Modules = new(["up_proj"]), Layers = [1], Excluded = new(["layers.1.mlp.up_proj"]) };
        Assert.False(layers.IsTarget("model.layers.1.mlp.up_proj", true));
        Assert.True(layers.IsTarget("model.layers.1.moe.up_proj", true));
        Assert.False(layers.IsTarget("model.layers.0.moe.up_proj", true));
        var all = new AdapterTargets { Modules = new([], AdapterTargets.AllLinear) };
        Assert.True(all.IsTarget("model.layers.0.mlp.up_proj", true));
        Assert.False(all.IsTarget("lm_head", false));
    }

    [Theory]
    [InlineData("peft_type", "\"IA3\"")]
    [InlineData("bias", "\"all\"")]
    [InlineData("use_qalora", "true")]
    [InlineData("init_lora_weights", "\"pissa\"")]
    [InlineData("trainable_token_indices", "[1]")]
    [InlineData("a_key_of_tomorrow", "1")]
    public void Variants_that_are_another_model_are_refused_by_name(string key, string value)
    {
        var json = Plain.ToJson();
        json[key] = JsonNode.Parse(value);
        Assert.Equal(("ATT2022", key), Code(json));
    }

    [Theory]
    [InlineData("r", "0")]
    [InlineData("rank_pattern", "{\"q_proj\": 0}")]
    [InlineData("target_modules", "\"(\"")]
    [InlineData("alpha_pattern", "[1]")]
    public void Impossible_values_are_refused(string key, string value)
    {
        var json = Plain.ToJson();
        json[key] = JsonNode.Parse(value);
        var (code, field) = Code(json);
        Assert.Equal("ATT2021", code);
        Assert.StartsWith(key, field, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pickled_adapter_is_refused()
    {
        Plain.Write(Path.Combine(_folder, AdapterConfig.FileName));
        File.WriteAllBytes(Path.Combine(_folder, "adapter_model.bin"), [0x80, 2, 0x7d]);
        Assert.Equal("ATT2014", Assert.ThrowsAny<CheckpointException>(() => AdapterFiles.Open(_folder)).Code);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private (string Code, string? Field) Code(JsonObject json)
    {
        var error = Assert.ThrowsAny<CheckpointException>(() => Read(json));
        return (error.Code, error.Field);
    }

    private AdapterConfig Read(JsonObject json)
    {
        var path = Path.Combine(_folder, "read.json");
        File.WriteAllText(path, json.ToJsonString());
        return AdapterConfig.Read(path);
    }
}
