using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Attune.Core.Checkpoints;
using Attune.Core.Versions;

namespace Attune.Torch.Stages;

/// <summary>Options of <see cref="Sft"/>: from a version to one that answers.</summary>
/// <remarks>Rate (1e-3) and window (256) are for the small models that are made here from nothing; TRL's, for billions of parameters, are 2e-5 and 1024.</remarks>
public sealed record SftOptions : TuningOptions
{
    /// <summary>What the new version is called.</summary>
    [Description("Kind of the new version: base, instruct or chat; instruct unless given.")]
    public VersionKind? Kind { get; init; }

    /// <summary>The prompt contract.</summary>
    [Description("Prompt contract of the new version: a built-in name (chatml) or a folder with a chat template; the parent's unless given, chatml if it has none.")]
    public string? Contract { get; init; }

    /// <summary>The contract may break the parent's.</summary>
    [Description("The new version may break the prompt contract that trained its parent; its lineage says in what.")]
    public bool ContractChange { get; init; }

    /// <summary>Special tokens that the model is given before it is trained.</summary>
    [Description("Special tokens that the model gets before it is trained, where its contract needs some that it lacks; their rows start at the mean of all. Adapters then train embedding and head whole.")]
    public IReadOnlyList<string> NewTokens { get; init; } = [];

    /// <summary>Plain text that keeps what the parent knows.</summary>
    [Description("Plain text mixed in, every token of it trained: keeps what the parent knows.")]
    public IReadOnlyList<string> Replay { get; init; } = [];

    /// <summary>Share of the replayed text.</summary>
    [Description("Share of all tokens that is replayed text."), Range(0, 1, MaximumIsExclusive = true)]
    public double ReplayShare { get; init; } = 0.1;

    /// <summary>Tokens of a micro-batch.</summary>
    [Description("Most tokens of a micro-batch."), Range(2, 1 << 30)]
    public int MicroBatchTokens { get; init; } = 2048;

    /// <summary>Micro-batches of an update.</summary>
    [Description("Micro-batches of an update; the loss is per label token of all of them."), Range(1, 1_000_000)]
    public int Accumulation { get; init; } = 1;

    /// <summary>
    /// These options for a model that has just got its <see cref="NewTokens"/>: adapters leave embedding and head as they are, and
    /// nobody would ever learn what the new rows mean, so both are trained whole.
    /// </summary>
    /// <param name="grown">The model with its new rows.</param>
    internal SftOptions ForNewRows(ModelFiles grown)
    {
        if (Lora.Rank == 0 || NewTokens.Count == 0)
            return this;
        var config = HuggingFaceConfig.Read(grown.Require(ModelFiles.Config));
        string[] whole = config.TiedEmbeddings ? [config.Names.Embedding] : [config.Names.Embedding, config.Names.Head];
        return this with { Lora = Lora with { ModulesToSave = [.. Lora.ModulesToSave.Union(whole, StringComparer.Ordinal)] } };
    }

    /// <summary>For tests.</summary>
    public static SftOptions Tiny() => new() { SequenceLength = 128, MicroBatchTokens = 512, LearningRate = 5e-3 };

    /// <summary>What a model of a million parameters wants.</summary>
    public static SftOptions Million() => new() { Optimiser = "muon", LearningRate = 8e-3, MatrixRateScale = 0.4 };

    /// <summary>Protects what the parent knows: replayed text, a low rate, adapters only.</summary>
    public static SftOptions Protected() => new() { Optimiser = "muon", LearningRate = 2e-3, MatrixRateScale = 0.4, ReplayShare = 0.3, Lora = new() { Rank = 16, Alpha = 32 } };
}
