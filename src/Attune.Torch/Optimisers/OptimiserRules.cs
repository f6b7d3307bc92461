using static TorchSharp.torch;

namespace Attune.Torch.Optimisers;

/// <summary>Which rule, rate and decay each parameter of a model gets.</summary>
public static class OptimiserRules
{
    /// <summary>The optimisers there are: <c>adamw</c> for everything, or <c>muon</c> on the matrices of the blocks with AdamW beside it.</summary>
    public static IReadOnlyList<string> Names { get; } = ["adamw", "muon"];

    /// <summary>Refuses a name that is not there.</summary>
    /// <exception cref="TrainingException">ATT5101.</exception>
    public static void Check(string optimiser)
    {
        if (!Names.Contains(optimiser))
            throw TrainingException.Unsupported("optimiser", optimiser, Names);
    }

    /// <summary>
    /// Matrices of the blocks take <paramref name="matrixScale"/> of the rate, and Muon where it is asked for; embeddings,
    /// heads and norms take AdamW. Nothing of one dimension decays but DoRA's magnitudes, as in TRL.
    /// </summary>
    /// <param name="parameters">Names and leaf tensors.</param>
    /// <param name="optimiser">One of <see cref="Names"/>.</param>
    /// <param name="matrixScale">Multiplies the rate of the block matrices.</param>
    /// <param name="decay">Weight decay of everything with two dimensions.</param>
    public static IReadOnlyList<Trainable> Plan(IEnumerable<(string Name, Tensor Value)> parameters, string optimiser, double matrixScale, double decay)
    {
        Check(optimiser);
        return [.. parameters.Select(p => IsBlockMatrix(p.Name, p.Value)
            ? new Trainable(p.Name, p.Value, optimiser == "muon" ? UpdateRule.Muon : UpdateRule.AdamW, matrixScale, decay)
            : new Trainable(p.Name, p.Value, UpdateRule.AdamW, 1, p.Value.dim() >= 2 || p.Name.EndsWith(".lora_magnitude_vector", StringComparison.Ordinal) ? decay : 0))];
    }

    private static bool IsBlockMatrix(string name, Tensor value) =>
        value.dim() == 2 && (name.Contains(".layers.", StringComparison.Ordinal) || name.Contains(".h.", StringComparison.Ordinal));
}
