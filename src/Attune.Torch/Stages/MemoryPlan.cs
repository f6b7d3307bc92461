using Attune.Core.Checkpoints;
using Attune.Core.Checkpoints.Adapters;
using Attune.Torch.Kernels;
using Attune.Torch.Models;
using Attune.Torch.Native;
using Attune.Torch.Optimisers;

namespace Attune.Torch.Stages;

/// <summary>
/// What decides how much memory a run takes, known from config.json and the options alone: the preflight of a stage and
/// <c>attune estimate</c> ask the same arithmetic.
/// </summary>
public sealed record MemoryPlan
{
    /// <summary>What libtorch, .NET and the allocator take before there is a model: an allowance.</summary>
    public const long RuntimeBytes = 260L << 20;

    /// <summary>The model.</summary>
    public required DecoderConfig Config { get; init; }

    /// <summary>N: tokens of a micro-batch.</summary>
    public required long Tokens { get; init; }

    /// <summary>Adapters, or null where every weight is trained.</summary>
    public AdapterConfig? Adapters { get; init; }

    /// <summary>How frozen weights are held.</summary>
    public BaseWeights BaseWeights { get; init; }

    /// <summary>Whether activations are computed again.</summary>
    public bool Recompute { get; init; }

    /// <summary>Rows whose logits exist at a time; 0 for what is chosen.</summary>
    public int LogitRows { get; init; }

    /// <summary>adamw, or muon.</summary>
    public string Optimiser { get; init; } = "adamw";

    /// <summary>Whether activations are bfloat16.</summary>
    public bool Half { get; init; }

    /// <summary>Whether the loss weighs labels differently, as all do but cross-entropy: their probabilities are kept for backward where those are few.</summary>
    public bool Uneven { get; init; }

    /// <summary>The plan of a stage's options.</summary>
    public static MemoryPlan Of(DecoderConfig config, TrainingOptions options, long tokens)
    {
        var tuning = options as TuningOptions;
        return new()
        {
            Config = config,
            Tokens = tokens,
            Adapters = tuning is { Lora.Rank: > 0 } ? tuning.Lora.ToConfig(null, config.TiedEmbeddings) : null,
            BaseWeights = tuning?.BaseWeights ?? BaseWeights.F32,
            Recompute = tuning?.Recompute ?? false,
            Optimiser = options.Optimiser,
            LogitRows = options.LogitRows,
            Half = options.Dtype == ComputeType.Bf16,
            Uneven = options is not (PretrainOptions or SftOptions or RewardOptions or RewardRefreshOptions),
        };
    }

    /// <summary>Numbers that are trained.</summary>
    public long Trained => Tensors.Sum(TrainedIn);

    /// <summary>Bytes of all weights: plain, held and adapters.</summary>
    public long WeightBytes => Tensors.Sum(t => HeldBytes(t) + (Adapters is null ? 0 : sizeof(float) * TrainedIn(t)));

    /// <summary>Bytes of the gradients.</summary>
    public long GradientBytes => sizeof(float) * Trained;

    /// <summary>Bytes of the optimiser's state: two moments for AdamW, one for Muon.</summary>
    public long OptimiserBytes => sizeof(float) * Tensors.Sum(t => 2 * TrainedIn(t) - (Optimiser == "muon" && IsHidden(t) ? TrainedIn(t) - Magnitudes(t) : 0));

    /// <summary>Bytes that forward keeps for backward, and what backward needs beside it.</summary>
    public long ActivationBytes
    {
        get
        {
            var width = Half ? 2 : sizeof(float);
            var kept = BlocksKeep * Tokens * width;
            var block = KeptPerToken * Tokens * width + MergedPerBlock;
            var hidden = 4L * Config.HiddenSize * Tokens * sizeof(float);
            return (Recompute ? kept + block : Config.Layers * block) + hidden + Passing;
        }
    }

    /// <summary>Bytes of the logits that are there at a time, with their gradients.</summary>
    public long LogitBytes
    {
        get
        {
            long v = Config.VocabularySize, d = Config.HiddenSize;
            var rows = Math.Min(Tokens, LogitRows > 0 ? LogitRows : 8 * Math.Clamp((1 << 20) / v, 16, 128));
            var slice = LogitRows > 0 ? LogitRows * v : HeldLogProbFunction.SliceLogits;
            var kept = Uneven ? LogProbFunction.Kept(Tokens, v, LogitRows) : 0;
            // Of a slice: the logits, their exponents and their gradients, and the rows of the head.
            return Held(Head) ? sizeof(float) * (4 * slice + slice / Math.Max(1, Tokens) * d) : sizeof(float) * (rows * (v + d) + kept);
        }
    }

    /// <summary>Floating-point operations for one trained token: 2 forward, 2 for inputs, 2 for weights where those have a gradient, 2 to compute again.</summary>
    public double OperationsPerToken => Config.Parameters * (4.0 + (Adapters is null || Fused ? 2 : 0) + (Recompute ? 2 : 0));

    /// <summary>Whether blocks run as one fused function: plain float32 weights, small enough to take adapters in.</summary>
    public bool Fused => !Half && Adapters is not { Dropout: > 0 } && BaseWeights == BaseWeights.F32 && Tensors.Where(IsHidden).All(t => !IsAdapted(t) || Count(t) <= LoraAdapter.MergeBelow);

    private IEnumerable<(string Name, long[] Shape)> Tensors => TensorNames.All(Config);

    private (string Name, long[] Shape) Head => Config.TiedEmbeddings ? Tensors.First() : Tensors.Last();

    // A block's input alone.
    private long BlocksKeep => (long)Config.Layers * Config.HiddenSize;

    // Fused (see BlockSaved): input, middle, queries, keys and values, attention's output, gate and up. Step by step: input
    // and middle before and after their norms; queries, keys and values repeated for each head, attention's output twice;
    // gate, silu(gate), up and their product; the adapters' inner values.
    private long KeptPerToken
    {
        get
        {
            long d = Config.HiddenSize, q = (long)Config.Heads * Config.HeadSize, kv = (long)Config.KeyValueHeads * Config.HeadSize, f = Config.IntermediateSize;
            return Fused ? 2 * d + 2 * q + 2 * kv + Config.Heads + 2 * f : 4 * d + 5 * q + 4 * f + InnerPerToken;
        }
    }

    private long InnerPerToken => Tensors.Where(t => IsHidden(t) && IsAdapted(t)).Sum(t => Adapters!.RankOf(Module(t)) + Magnitudes(t) + Dropped(t)) / Math.Max(1, Config.Layers);

    // With dropout the mask of an adapter's input and what it leaves.
    private long Dropped((string Name, long[] Shape) t) => Adapters is { Dropout: > 0 } ? 2 * t.Shape[Config.Architecture == "GPT2LMHeadModel" ? 0 : 1] : 0;

    // W + s·B·A of every adapted matrix of a block.
    private long MergedPerBlock => Fused && Adapters is not null ? sizeof(float) * Tensors.Where(t => IsHidden(t) && IsAdapted(t)).Sum(Count) / Math.Max(1, Config.Layers) : 0;

    // What comes and goes inside a block's backward: gradients of its widest parts, and one matrix widened or its gradient.
    private long Passing => sizeof(float) * (Tokens * (4L * Config.IntermediateSize + 6L * Config.HiddenSize) + (Fused ? 0 : (Adapters is { Dora: true } ? 3 : 1) * Tensors.Where(IsHidden).Max(Count)));

    private long TrainedIn((string Name, long[] Shape) t) => Adapters is null || Adapters.Targets.IsSaved(Module(t)) ? Count(t)
        : IsAdapted(t) ? Adapters.RankOf(Module(t)) * (t.Shape[0] + t.Shape[1]) + Magnitudes(t)
        : 0;

    // DoRA's, one for each output; GPT-2's matrices have those last.
    private long Magnitudes((string Name, long[] Shape) t) => Adapters is { Dora: true } && IsAdapted(t) ? t.Shape[Config.Architecture == "GPT2LMHeadModel" ? 1 : 0] : 0;

    private long HeldBytes((string Name, long[] Shape) t) => !Held(t) ? sizeof(float) * Count(t)
        : HeldMatrix.BytesOf(Tuning.FormatOf(Module(t), BaseWeights), t.Shape[0], t.Shape[1]);

    private bool Held((string Name, long[] Shape) t) => BaseWeights != BaseWeights.F32 && t.Shape.Length == 2;

    private bool IsAdapted((string Name, long[] Shape) t) => Adapters is not null && t.Shape.Length == 2 && Adapters.Targets.IsTarget(Module(t), IsHidden(t));

    // The matrices of the blocks: not embedding, not head.
    private static bool IsHidden((string Name, long[] Shape) t) => t.Shape.Length == 2 && (t.Name.Contains(".layers.", StringComparison.Ordinal) || t.Name.Contains(".h.", StringComparison.Ordinal));

    private static string Module((string Name, long[] Shape) t) => t.Name.EndsWith(".weight", StringComparison.Ordinal) ? t.Name[..^".weight".Length] : t.Name;

    private static long Count((string Name, long[] Shape) t) => t.Shape.Aggregate(1L, (product, size) => product * size);
}
