using System.Numerics;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Attune.Core.Checkpoints;
using Attune.Core.Options;
using Attune.Core.Versions;
using TorchSharp;

namespace Attune.Torch.Stages;

/// <summary>All that decides what a run makes: what lineage records, and what a resumed run must agree with.</summary>
public static class RunIdentity
{
    // These decide how often a run is saved, not what comes out of it.
    private static readonly string[] WithoutEffect = ["checkpoint_steps", "checkpoint_every", "keep_checkpoints"];
    private static readonly string[] Paths = ["data", "validation", "replay", "tokenizer", "tokenizer_data", "reward_model", "policy", "keep", "judge", "constitution"];

    /// <summary>Version of Attune that runs.</summary>
    public static string CodeVersion { get; } = typeof(RunIdentity).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";

    /// <summary>Which arithmetic runs: results are bit-exact only on the same.</summary>
    public static string Kernels { get; } = $"libtorch {torch.__version__}, {RuntimeInformation.ProcessArchitecture}, SIMD {Vector<float>.Count * 32} bit";

    /// <summary>The options as lineage holds them: defaults included, files by name alone, nothing that has no effect.</summary>
    public static JsonObject Options(TrainingOptions options)
    {
        var json = OptionsBinder.ToJson(options);
        foreach (var key in WithoutEffect)
            json.Remove(key);
        foreach (var key in Paths.Where(k => json[k] is not null))
            json[key] = json[key] is JsonArray list ? new JsonArray([.. list.Select(n => (JsonNode)Path.GetFileName(n!.GetValue<string>()))]) : Path.GetFileName(json[key]!.GetValue<string>());
        return json;
    }

    /// <summary>The identity of a run, for <see cref="RunFolder.Open"/>.</summary>
    public static JsonObject Of(string stage, TrainingOptions options, StageContext context, IEnumerable<DataDigest> data) => new()
    {
        ["schema"] = 1,
        ["stage"] = stage,
        ["code_version"] = CodeVersion,
        ["parent"] = context.ParentDigest ?? (context.Parent is { } parent ? "sha256:" + WeightsDigest(parent) : null),
        ["options"] = Options(options),
        ["data"] = new JsonArray([.. data.Select(d => (JsonNode)new JsonObject { ["name"] = d.Name, ["digest"] = d.Digest })]),
    };

    private static string WeightsDigest(ModelFiles parent) =>
        Digests.Sha256Of(parent.Find(ModelFiles.Weights) ?? parent.Require(WeightFiles.Index));
}
