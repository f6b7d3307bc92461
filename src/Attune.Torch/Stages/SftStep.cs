using Attune.Core.Data;
using Attune.Torch.Losses;
using Attune.Torch.Models;
using Attune.Torch.Optimisers;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Stages;

/// <summary>An update on token labels: what pretraining and SFT do.</summary>
public static class SftStep
{
    /// <summary>One update; the loss is per label token of all micro-batches together.</summary>
    /// <param name="decoder">The model.</param>
    /// <param name="optimiser">What is trained.</param>
    /// <param name="settings">Step, rate, clip.</param>
    /// <param name="microBatches">Rows with their targets.</param>
    /// <param name="dropout">Dropout of the adapters, or null.</param>
    /// <exception cref="TrainingException">ATT5120: it diverged; ATT5121: no micro-batch has a label.</exception>
    public static UpdateResult Run(Decoder decoder, Optimiser optimiser, UpdateSettings settings, IReadOnlyList<RaggedBatch> microBatches, AdapterDropout? dropout = null)
    {
        var labels = microBatches.Sum(Labels);
        if (labels == 0)
            throw new TrainingException("ATT5121", FormattableString.Invariant($"No token of step {settings.Step} is trained.")) { Hint = "The loss mask hides every label: look at the preflight." };
        using var dropping = dropout;
        return UpdateStep.Run(optimiser, settings, microBatches.Select((b, i) => (Func<Tensor>)(() =>
        {
            dropout?.Draw(settings.Step, i);
            return SftLoss.Of(decoder.LogProbs(b, even: true), labels);
        })));
    }

    /// <summary>A forward and backward pass that changes nothing; how many tokens it had.</summary>
    public static long Trial(Decoder decoder, Optimiser optimiser, IReadOnlyList<RaggedBatch> microBatches)
    {
        UpdateStep.Gradients(microBatches.Select(b => (Func<Tensor>)(() => SftLoss.Of(decoder.LogProbs(b, even: true), Math.Max(1, Labels(b))))));
        optimiser.ZeroGradients();
        return microBatches.Sum(b => (long)b.Tokens);
    }

    /// <summary>Label tokens of a batch.</summary>
    public static long Labels(RaggedBatch batch) => batch.Tokens - batch.Targets.AsSpan().Count(RaggedBatch.Ignore);

    /// <summary>The loss per label token over batches, without gradients.</summary>
    public static double Evaluate(Decoder decoder, IEnumerable<RaggedBatch> batches)
    {
        using var noGradient = no_grad();
        var (sum, labels) = (0.0, 0L);
        foreach (var batch in batches)
        {
            using var scope = NewDisposeScope();
            sum -= decoder.LogProbs(batch).sum(ScalarType.Float64).item<double>();
            labels += Labels(batch);
        }
        return labels == 0 ? double.NaN : sum / labels;
    }
}
