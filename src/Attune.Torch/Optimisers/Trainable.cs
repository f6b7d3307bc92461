using static TorchSharp.torch;

namespace Attune.Torch.Optimisers;

/// <summary>How a parameter is updated.</summary>
public enum UpdateRule
{
    /// <summary>AdamW: embeddings, norms, heads.</summary>
    AdamW,

    /// <summary>Muon: the matrices inside the blocks.</summary>
    Muon,
}

/// <summary>A parameter with all that the optimiser must know about it.</summary>
/// <param name="Name">Its Hugging Face key; the state is saved under it.</param>
/// <param name="Value">The leaf tensor, float32, contiguous.</param>
/// <param name="Rule">Which update it gets.</param>
/// <param name="RateScale">Multiplies the learning rate for this parameter.</param>
/// <param name="Decay">Decoupled weight decay; 0 for one-dimensional parameters.</param>
public sealed record Trainable(string Name, Tensor Value, UpdateRule Rule = UpdateRule.AdamW, double RateScale = 1, double Decay = 0);
