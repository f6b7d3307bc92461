using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Attune.Core.Data;
using Attune.Torch.Native;

namespace Attune.Torch.Stages;

/// <summary>The options that every training stage has.</summary>
public abstract record TrainingOptions
{
    /// <summary>Files to train on.</summary>
    [Description("Files to train on, in this order. PATH@2 takes a file twice an epoch, PATH@0.5 a random half of it.")]
    public IReadOnlyList<string> Data { get; init; } = [];

    /// <summary>Files to measure the loss on while training.</summary>
    [Description("Files to measure the loss on while training.")]
    public IReadOnlyList<string> Validation { get; init; } = [];

    /// <summary>Seed of every random stream.</summary>
    [Description("Seed of every random stream of the run.")]
    public long Seed { get; init; } = 1;

    /// <summary>Passes over the data.</summary>
    [Description("Passes over the data; a part of one is allowed."), Range(0, 1_000_000)]
    public double Epochs { get; init; } = 1;

    /// <summary>Updates in the run; null for as many as the epochs give.</summary>
    [Description("Updates in the run, instead of epochs."), Range(1, 1_000_000_000)]
    public long? Steps { get; init; }

    /// <summary>Order of the rows.</summary>
    [Description("shuffle: anew each epoch; file: as the files have them (keeps a curriculum).")]
    public RowOrder Order { get; init; } = RowOrder.Shuffle;

    /// <summary>Longest row in tokens.</summary>
    [Description("Longest row, in tokens; also the window that is packed."), Range(2, 1_048_576)]
    public int SequenceLength { get; init; } = 256;

    /// <summary>What happens to conversations and pairs that are longer.</summary>
    [Description("Conversations and pairs longer than that (documents are split, nothing of them is lost): error (before the run, with counts), drop or truncate.")]
    public OverlongRows Overlong { get; init; } = OverlongRows.Error;

    /// <summary>Rate of embeddings, heads and norms at the plateau.</summary>
    [Description("Learning rate at its highest."), Range(0, 10)]
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Name of the schedule.</summary>
    [Description("Schedule of the learning rate: trapezoid, constant, constant_with_warmup, linear, cosine, cosine_with_restarts, cosine_with_min_lr, polynomial, inverse_sqrt, warmup_stable_decay.")]
    public string Schedule { get; init; } = "trapezoid";

    /// <summary>Share of the updates that warm up.</summary>
    [Description("Share of the updates in which the rate rises."), Range(0, 1)]
    public double WarmupShare { get; init; } = 0.05;

    /// <summary>Share of the updates in which the rate falls.</summary>
    [Description("Share of the updates in which the rate falls (trapezoid, warmup_stable_decay)."), Range(0, 1)]
    public double DecayShare { get; init; } = 0.5;

    /// <summary>Where the rate ends.</summary>
    [Description("Where the rate ends, as a share of the highest."), Range(0, 1)]
    public double FloorShare { get; init; }

    /// <summary>Name of the optimiser.</summary>
    [Description("adamw, or muon: Muon on the matrices of the blocks, AdamW on the rest.")]
    public string Optimiser { get; init; } = "adamw";

    /// <summary>Rate of the block matrices over the rate of the rest.</summary>
    [Description("Rate of the block matrices as a multiple of the learning rate."), Range(0, 1000)]
    public double MatrixRateScale { get; init; } = 1;

    /// <summary>Decoupled weight decay.</summary>
    [Description("Decoupled weight decay; norms never decay."), Range(0, 10)]
    public double WeightDecay { get; init; }

    /// <summary>AdamW's first decay.</summary>
    [Description("AdamW's decay of the mean gradient."), Range(0, 1, MaximumIsExclusive = true)]
    public double Beta1 { get; init; } = 0.9;

    /// <summary>AdamW's second decay.</summary>
    [Description("AdamW's decay of the mean squared gradient."), Range(0, 1, MaximumIsExclusive = true)]
    public double Beta2 { get; init; } = 0.95;

    /// <summary>Largest gradient norm.</summary>
    [Description("Gradients are scaled down to this norm; 0 leaves them."), Range(0, 1e9)]
    public double Clip { get; init; } = 1;

    /// <summary>Updates between validations.</summary>
    [Description("Updates between measurements of the validation loss; 0 measures at the end only."), Range(0, 1_000_000_000)]
    public long ValidateEvery { get; init; }

    /// <summary>Validations without a new best after which the run ends with the best weights.</summary>
    [Description("Ends after so many validations without a new best, and keeps the best weights; 0 never does."), Range(0, 1_000_000)]
    public int Patience { get; init; }

    /// <summary>Where the arithmetic runs.</summary>
    [Description("Where the arithmetic runs: cpu, or cuda in a build for it (-p:Device=cuda).")]
    public ComputeDevice Device { get; init; }

    /// <summary>Type of activations and products.</summary>
    [Description("Type of activations and products: f32, or bf16 (what is trained stays float32). On a CPU bf16 is slower.")]
    public ComputeType Dtype { get; init; }

    /// <summary>Rows of logits at a time.</summary>
    [Description("Rows whose logits exist at a time: fewer take less memory and more time; 0 chooses a few million logits."), Range(0, 1 << 30)]
    public int LogitRows { get; init; }

    /// <summary>Updates between checkpoints.</summary>
    [Description("Updates between checkpoints; 0 leaves it to the time."), Range(0, 1_000_000_000)]
    public long CheckpointSteps { get; init; }

    /// <summary>Time between checkpoints.</summary>
    [Description("Time between checkpoints.")]
    public TimeSpan CheckpointEvery { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Checkpoints kept.</summary>
    [Description("Checkpoints kept while the run lasts."), Range(1, 1000)]
    public int KeepCheckpoints { get; init; } = 2;
}
