using System.CommandLine;
using System.ComponentModel;
using System.Text.Json.Nodes;
using Attune.App.Cli;
using Attune.App.Runs;
using Attune.Core.Checkpoints;
using Attune.Core.Checkpoints.Adapters;
using Attune.Core.Versions;
using Attune.Torch.Models;
using Attune.Torch.Native;
using Attune.Torch.Stages;
using static TorchSharp.torch;

namespace Attune.App.Commands;

/// <summary><c>attune merge MODEL ADAPTER</c>: a PEFT adapter into the weights that it belongs to, in float32, as a version.</summary>
internal static class MergeCommand
{
    internal sealed record MergeOptions
    {
        [Description("The version or model folder that the adapter was trained on.")]
        public required string Model { get; init; }

        [Description("A folder with adapter_config.json and adapter_model.safetensors.")]
        public required string Adapter { get; init; }

        [Description("Name of the new version, as in my:merged.")]
        public string? SaveAs { get; init; }

        [Description("Kind of the new version: base, instruct or chat; the model's own unless given.")]
        public VersionKind? Kind { get; init; }

        [Description("Folder of the versions.")]
        public string Store { get; init; } = Place.DefaultStore;
    }

    public static Command Create() => Verb.Create<MergeOptions>("merge", "Put a LoRA adapter of PEFT into the weights that it belongs to.", Run, nameof(MergeOptions.Model), nameof(MergeOptions.Adapter));

    private static Task<int> Run(MergeOptions options, CancellationToken cancel)
    {
        if (options.SaveAs is { } name)
            ModelStore.CheckName(name);
        TorchRuntime.Initialise();
        var parent = Running.Open(options.Store, options.Model);
        var folder = Directory.CreateTempSubdirectory("attune-merge-").FullName;
        try
        {
            foreach (var (file, path) in parent.Files.Paths.Where(f => !IsWeights(f.Key)))
                File.Copy(path, Path.Combine(folder, file));
            var scores = AdapterConfig.Read(Path.Combine(options.Adapter, AdapterConfig.FileName)).TaskType == RewardModel.PeftTask;
            if (scores)
                Merge(Reward(parent.Files), options.Adapter, folder);
            else
                Merge(DecoderFiles.Load(parent.Files, hold: Held), options.Adapter, folder);
            var kind = options.Kind ?? (scores ? VersionKind.Reward : parent.Version?.Kind ?? VersionKind.Instruct);
            var lineage = new Lineage
            {
                Parent = parent.Version?.Digest,
                Stage = "merge",
                Options = new JsonObject { ["model"] = parent.Version is null ? Path.GetFileName(Path.TrimEndingDirectorySeparator(options.Model)) : null },
                Data = [new DataDigest(AdapterFiles.WeightsName, Digests.Sha256Of(Path.Combine(options.Adapter, AdapterFiles.WeightsName)), 0)],
                CodeVersion = RunIdentity.CodeVersion,
                Kernels = RunIdentity.Kernels,
                Contract = parent.Version?.Lineage.Contract,
            };
            var version = ModelStore.Open(options.Store).Add(new VersionDraft(kind, ModelFiles.OfFolder(folder), lineage), options.SaveAs, cancel);
            Terminal.Out.Line($"[green]stored[/] {version.Name} ({version.Kind}, {version.ShortDigest}) in {options.Store}");
            return Task.FromResult(ExitCode.Done);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // The stored weights are read again to be merged: those in memory only say what fits where.
    private static BaseWeights Held(string module) => BaseWeights.Bf16;

    // PEFT lays the adapter of a reward model on a language model, and keeps the score whole beside it.
    private static RewardModel Reward(ModelFiles parent) =>
        HuggingFaceConfig.Read(parent.Require(ModelFiles.Config)).Head == DecoderHead.Score
            ? DecoderFiles.LoadReward(parent, hold: Held)
            : DecoderFiles.NewReward(parent, seed: 0, hold: Held);

    private static void Merge<T>(T model, string adapter, string folder)
        where T : nn.Module, ITunable
    {
        using var held = model;
        var lora = Lora.Load(model, adapter);
        var config = Path.Combine(folder, ModelFiles.Config);
        if (HuggingFaceConfig.Read(config).Head != model.Config.Head)
            HuggingFaceConfig.Write(config, model.Config);
        model.Save(Path.Combine(folder, ModelFiles.Weights));
        lora.Save(folder, prefix: AdapterFiles.InVersion);
    }

    private static bool IsWeights(string file) => WeightFiles.IsOne(file) || file.StartsWith(AdapterFiles.InVersion, StringComparison.Ordinal);
}
