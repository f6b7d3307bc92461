using System.Globalization;
using Attune.Core.Randomness;
using Attune.Torch.Models;

namespace Attune.Torch.Stages;

/// <summary>
/// Dropout on what goes into the adapters while a model is trained (Hu et al. 2021; PEFT's <c>lora_dropout</c>). Between
/// updates, where the model is evaluated, nothing is dropped.
/// </summary>
public sealed class AdapterDropout : IDisposable
{
    private readonly LoraAdapter[] _adapters;
    private readonly double _share;
    private readonly long _seed;

    private AdapterDropout(LoraAdapter[] adapters, double share, long seed) => (_adapters, _share, _seed) = (adapters, share, seed);

    /// <summary>The dropout that the options ask for, or null.</summary>
    /// <param name="model">Has its adapters on.</param>
    /// <param name="options">Share and seed.</param>
    public static AdapterDropout? Of(ITunable model, TuningOptions options) =>
        model.Lora is { } lora && options.Lora.Dropout > 0 ? new([.. lora.LowRanks], options.Lora.Dropout, options.Seed) : null;

    /// <summary>Draws the masks of a pass forward and back: of each adapter one of its own.</summary>
    /// <param name="step">Counted from one.</param>
    /// <param name="part">Which micro-batch of the step.</param>
    public void Draw(long step, int part)
    {
        var random = RandomStream.Of(_seed, "lora", "dropout", step.ToString(CultureInfo.InvariantCulture), part.ToString(CultureInfo.InvariantCulture));
        foreach (var adapter in _adapters)
            adapter.Drop = new DropMask(_share, random.NextBits());
    }

    /// <summary>The update is done: nothing is dropped until the next <see cref="Draw"/>.</summary>
    public void Dispose()
    {
        foreach (var adapter in _adapters)
            adapter.Drop = null;
    }
}
