using System.CommandLine;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json.Nodes;
using Attune.App.Cli;
using Attune.App.Runs;
using Attune.Core.Checkpoints;
using Attune.Core.Versions;
using Attune.Prompts;
using Attune.Torch.Models;
using Attune.Torch.Native;
using Attune.Torch.Stages;
using Spectre.Console;

namespace Attune.App.Commands;

/// <summary><c>attune estimate MODEL</c>: what a stage would take, from config.json alone, and what would make it fit.</summary>
internal static class EstimateCommand
{
    internal sealed record EstimateOptions
    {
        [Description("A version, a model folder, or a config.json.")]
        public required string Model { get; init; }

        [Description("The stage: sft, dpo or another that starts from a model.")]
        public string Stage { get; init; } = "sft";

        [Description("Adapters that are trained in place of the weights.")]
        public LoraOptions Lora { get; init; } = new();

        [Description("How the frozen weights under adapters are held.")]
        public BaseWeights BaseWeights { get; init; }

        [Description("Compute activations again in backward.")]
        public bool Recompute { get; init; }

        [Description("Rows whose logits exist at a time; 0 chooses."), Range(0, 1 << 20)]
        public int LogitRows { get; init; }

        [Description("The type of activations and products: f32 or bf16.")]
        public ComputeType Dtype { get; init; }

        [Description("adamw or muon.")]
        public string Optimiser { get; init; } = "adamw";

        [Description("Tokens of a micro-batch, prompts and answers together; of a pair, both sides."), Range(1, 1 << 30)]
        public int MicroBatchTokens { get; init; } = 2048;

        [Description("Tokens of a prompt with its answer, where the stage draws answers."), Range(1, 1 << 30)]
        public int AnswerTokens { get; init; } = 512;

        [Description("Tokens of the whole run, for the time."), Range(1, 1e15)]
        public double RunTokens { get; init; } = 1e6;

        [Description("Memory to fit into, in GB; what this machine has free unless given."), Range(0.01, 1e6)]
        public double? MemoryGb { get; init; }

        [Description("Matmul ceiling in GFLOP/s; measured here unless given (a second or two)."), Range(0.01, 1e9)]
        public double? CeilingGflops { get; init; }

        [Description("Threads of the arithmetic; 0 takes every core."), Range(0, 1024)]
        public int Threads { get; init; }

        [Description("Folder of the versions.")]
        public string Store { get; init; } = Place.DefaultStore;

        [Description("Print JSON.")]
        public bool Json { get; init; }
    }

    public static Command Create() => Verb.Create<EstimateOptions>(
        "estimate", "Memory and time of a stage, and what would make it fit, from config.json alone.", (options, _) => Run(options), nameof(EstimateOptions.Model));

    private static Task<int> Run(EstimateOptions options)
    {
        StageNames.Check(options.Stage);
        var config = HuggingFaceConfig.Read(ConfigOf(options));
        if (options.CeilingGflops is null)
            TorchRuntime.Initialise(options.Threads == 0 ? null : options.Threads);
        var ceiling = options.CeilingGflops * 1e9 ?? MatmulCeiling.PerSecond;
        var memory = (long)(options.MemoryGb * 1e9 ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        var asked = new MemoryPlan
        {
            Config = config,
            Tokens = options.MicroBatchTokens,
            Adapters = options.Lora.Rank > 0 ? options.Lora.ToConfig(null, config.TiedEmbeddings) : null,
            BaseWeights = options.Lora.Rank > 0 ? options.BaseWeights : BaseWeights.F32,
            Recompute = options.Recompute,
            Optimiser = options.Optimiser,
            LogitRows = options.LogitRows,
            Half = options.Dtype == ComputeType.Bf16,
            Uneven = options.Stage is not ("pretrain" or "sft" or "reward" or "refresh"),
        };
        var estimate = Estimate(asked);
        var ways = estimate.TotalBytes <= memory ? [] : Ways(asked, memory, Beside);

        if (options.Json)
        {
            Terminal.WriteJson(new JsonObject
            {
                ["model"] = options.Model,
                ["stage"] = options.Stage,
                ["memory_bytes"] = memory,
                ["ceiling_flops"] = ceiling,
                ["share_of_ceiling"] = CostEstimate.ShareOfCeiling,
                ["estimate"] = ToJson(estimate, memory),
                ["ways_to_fit"] = new JsonArray([.. ways.Select(w => (JsonNode)new JsonObject { ["options"] = w.Options, ["estimate"] = ToJson(Estimate(w.Plan), memory) })]),
            });
            return Task.FromResult(ExitCode.Done);
        }

        Terminal.Out.Line($"[bold]{options.Model}[/] {config.Architecture}, {config.Parameters / 1e6:N0} M parameters; {options.Stage} in micro-batches of {options.MicroBatchTokens:N0} tokens");
        var table = Terminal.TableOf("part", "memory", "what it is");
        table.AddPlainRow("weights", Size(estimate.WeightBytes), asked.Adapters is null ? "float32" : $"{asked.BaseWeights} and adapters");
        table.AddPlainRow("gradients", Size(estimate.GradientBytes), string.Create(CultureInfo.InvariantCulture, $"{estimate.Trained / 1e6:N1} M trained"));
        table.AddPlainRow("optimiser", Size(estimate.OptimiserBytes), asked.Optimiser);
        table.AddPlainRow("activations", Size(estimate.ActivationBytes), asked.Recompute ? "computed again" : "kept");
        table.AddPlainRow("logits", Size(estimate.LogitBytes), "a chunk at a time");
        if (estimate.BesideBytes > 0)
            table.AddPlainRow("beside", Size(estimate.BesideBytes), Words(Beside(asked)));
        table.AddPlainRow("runtime", Size(MemoryPlan.RuntimeBytes), "libtorch and .NET");
        table.AddPlainRow("all", Size(estimate.TotalBytes), estimate.TotalBytes <= memory ? $"fits into {Size(memory)}" : $"does not fit into {Size(memory)}");
        Terminal.Out.Write(table);
        Terminal.Out.Line($"  {options.RunTokens:N0} tokens take about {Time(estimate)} at {estimate.TokensPerSecond:N1} tokens/s: {CostEstimate.ShareOfCeiling:P0} of {ceiling / 1e9:N0} GFLOP/s.");
        foreach (var (text, plan) in ways)
        {
            var way = Estimate(plan);
            Terminal.Out.Line($"  {text}: {Size(way.TotalBytes)}, {Time(way)}{(way.TotalBytes <= memory ? "  ← fits" : "")}");
        }
        if (ways.Count > 0 && Estimate(ways[^1].Plan).TotalBytes > memory)
            Terminal.Out.Line($"  Nothing here makes it fit: take a smaller model or a larger machine.");
        return Task.FromResult(ExitCode.Done);

        StageModels Beside(MemoryPlan plan) => StageModels.Of(options.Stage, plan.Adapters is not null, options.AnswerTokens);
        CostEstimate Estimate(MemoryPlan plan) => CostEstimate.Of(plan, Beside(plan)).WithCeiling(plan, ceiling, options.RunTokens);
    }

    /// <summary>What to switch on, each on top of those before, until it fits; the cheapest in quality and time first.</summary>
    internal static IReadOnlyList<(string Options, MemoryPlan Plan)> Ways(MemoryPlan plan, long memory, Func<MemoryPlan, StageModels> beside)
    {
        var (ways, flags) = (new List<(string, MemoryPlan)>(), new List<string>());
        void Try(bool applies, string flag, string family, Func<MemoryPlan, MemoryPlan> change)
        {
            if (!applies || (ways.Count > 0 && CostEstimate.Of(ways[^1].Item2, beside(ways[^1].Item2)).TotalBytes <= memory))
                return;
            plan = change(plan);
            flags.RemoveAll(f => f.StartsWith(family, StringComparison.Ordinal));
            flags.Add(flag);
            ways.Add((string.Join(' ', flags), plan));
        }
        Try(plan.Adapters is null, "--lora-rank 16", "--lora-rank", p => p with { Adapters = new LoraOptions { Rank = 16 }.ToConfig(null, p.Config.TiedEmbeddings) });
        Try(plan.BaseWeights == BaseWeights.F32, "--base-weights bf16", "--base-weights", p => p with { BaseWeights = BaseWeights.Bf16 });
        Try(!plan.Recompute, "--recompute", "--recompute", p => p with { Recompute = true });
        Try(plan.BaseWeights < BaseWeights.Int8, "--base-weights int8", "--base-weights", p => p with { BaseWeights = BaseWeights.Int8 });
        Try(plan.BaseWeights < BaseWeights.Int4, "--base-weights int4", "--base-weights", p => p with { BaseWeights = BaseWeights.Int4 });
        for (var tokens = plan.Tokens / 2; tokens >= 256; tokens /= 2)
        {
            var fewer = tokens;
            Try(true, string.Create(CultureInfo.InvariantCulture, $"--micro-batch-tokens {fewer}"), "--micro-batch-tokens", p => p with { Tokens = fewer });
        }
        return ways;
    }

    private static string Words(StageModels models) => string.Join(", ", ((string?[])
    [
        models.Frozen > 0 ? models.Frozen == 1 ? "one frozen model" : string.Create(CultureInfo.InvariantCulture, $"{models.Frozen} frozen models") : null,
        models.Values ? "the value model" : null,
        models.Draws ? "the engine that draws answers" : null,
    ]).OfType<string>());

    private static string ConfigOf(EstimateOptions options) => File.Exists(options.Model)
        ? options.Model
        : Running.Open(options.Store, options.Model).Files.Require(ModelFiles.Config);

    private static JsonObject ToJson(CostEstimate e, long memory) => new()
    {
        ["parameters"] = e.Parameters,
        ["trained"] = e.Trained,
        ["weight_bytes"] = e.WeightBytes,
        ["gradient_bytes"] = e.GradientBytes,
        ["optimiser_bytes"] = e.OptimiserBytes,
        ["activation_bytes"] = e.ActivationBytes,
        ["logit_bytes"] = e.LogitBytes,
        ["beside_bytes"] = e.BesideBytes,
        ["runtime_bytes"] = MemoryPlan.RuntimeBytes,
        ["total_bytes"] = e.TotalBytes,
        ["fits"] = e.TotalBytes <= memory,
        ["tokens_per_second"] = e.TokensPerSecond,
        ["seconds"] = e.Seconds,
    };

    private static string Time(CostEstimate e) => e.Seconds is { } s
        ? s < 60 ? string.Create(CultureInfo.InvariantCulture, $"{s:N0} s") : s < 5400 ? string.Create(CultureInfo.InvariantCulture, $"{s / 60:N0} min") : string.Create(CultureInfo.InvariantCulture, $"{s / 3600:N1} h")
        : "";

    private static string Size(long bytes) => bytes >= 1_000_000_000
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:N2} GB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:N0} MB");
}
