using System.Diagnostics;
using Attune.Core.Checkpoints;
using Attune.Torch.Optimisers;

namespace Attune.Torch.Stages;

/// <summary>What a run will take, told before it starts.</summary>
public sealed record CostEstimate
{
    /// <summary>A run shorter than this is over before a trial would tell.</summary>
    public const long StepsWorthATrial = 50;

    /// <summary>Parameters of the model, a tied embedding counted once.</summary>
    public required long Parameters { get; init; }

    /// <summary>Bytes of the weights, the reference's included where a stage has one in memory.</summary>
    public required long WeightBytes { get; init; }

    /// <summary>Bytes of the gradients.</summary>
    public required long GradientBytes { get; init; }

    /// <summary>Bytes of the optimiser's state.</summary>
    public required long OptimiserBytes { get; init; }

    /// <summary>Bytes that the forward pass keeps for the backward pass, by formula.</summary>
    public required long ActivationBytes { get; init; }

    /// <summary>Real tokens per second of a trial pass, or null where none was made.</summary>
    public double? TokensPerSecond { get; init; }

    /// <summary>Seconds of the whole run at that pace.</summary>
    public double? Seconds { get; init; }

    /// <summary>All of it, without the runtime's own hundred megabytes or two.</summary>
    public long TotalBytes => WeightBytes + GradientBytes + OptimiserBytes + ActivationBytes;

    /// <summary>By formula, for micro-batches of N tokens.</summary>
    /// <param name="config">The model.</param>
    /// <param name="optimiser">What is trained, and its state.</param>
    /// <param name="tokens">N.</param>
    public static CostEstimate Of(DecoderConfig config, Optimiser optimiser, long tokens) => new()
    {
        Parameters = config.Parameters,
        WeightBytes = sizeof(float) * config.Parameters,
        GradientBytes = sizeof(float) * optimiser.Parameters.Sum(p => p.Value.numel()),
        OptimiserBytes = optimiser.StateBytes,
        ActivationBytes = sizeof(float) * tokens * ActivationsPerToken(config),
    };

    /// <summary>With the pace of a trial: a forward and backward pass that changes nothing, the second of two.</summary>
    /// <param name="trial">Makes the pass and returns its tokens.</param>
    /// <param name="runTokens">Real tokens of the whole run.</param>
    public CostEstimate WithTrial(Func<long> trial, double runTokens)
    {
        trial();
        var start = Stopwatch.GetTimestamp();
        var pace = trial() / Math.Max(1e-9, Stopwatch.GetElapsedTime(start).TotalSeconds);
        return this with { TokensPerSecond = pace, Seconds = runTokens / pace };
    }

    // What a block keeps for its backward pass: two norms and their inputs (4 D), q, k, v and the attention's output
    // (2 heads' widths of each kind), and the three feed-forward products with their SwiGLU (4 F). The head's logits
    // live for a chunk at a time and count as one V.
    private static long ActivationsPerToken(DecoderConfig c) =>
        c.Layers * (4L * c.HiddenSize + c.HeadSize * (3L * c.Heads + 2L * c.KeyValueHeads) + 4L * c.IntermediateSize) + 2L * c.HiddenSize + c.VocabularySize;
}
