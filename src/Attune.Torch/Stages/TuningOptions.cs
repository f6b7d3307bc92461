using System.ComponentModel;
using Attune.Torch.Models;

namespace Attune.Torch.Stages;

/// <summary>The options of every stage that starts from a model: what of it is trained, and how the rest is held.</summary>
public abstract record TuningOptions : TrainingOptions
{
    /// <summary>The defaults.</summary>
    protected TuningOptions()
    {
    }

    /// <summary>How another stage trains: data, rates, device and all else that every training has.</summary>
    protected TuningOptions(TrainingOptions training)
        : base(training)
    {
    }

    /// <summary>Adapters.</summary>
    [Description("Adapters that are trained in place of the weights.")]
    public LoraOptions Lora { get; init; } = new();

    /// <summary>How frozen weights are held.</summary>
    [Description("How the frozen weights under adapters are held: f32, bf16, int8 (a byte each) or int4 (NF4; QLoRA). Embeddings and head are never held below bf16.")]
    public BaseWeights BaseWeights { get; init; }

    /// <summary>Recompute activations.</summary>
    [Description("Keep no block's activations for backward, compute them again: less memory, about a third more time.")]
    public bool Recompute { get; init; }
}
