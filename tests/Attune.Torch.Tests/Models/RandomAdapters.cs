using Attune.Core.Randomness;
using Attune.Torch.Models;
using Attune.Torch.Optimisers;
using static TorchSharp.torch;

namespace Attune.Torch.Tests.Models;

/// <summary>Adapters that change their model: new ones start at zero, and a test on zeros would pass on anything.</summary>
internal static class RandomAdapters
{
    /// <summary>Fills the factors that start at zero, and moves DoRA's magnitudes from the norms that they start at.</summary>
    public static void Train(this Lora lora, RandomStream random)
    {
        using var guard = no_grad();
        foreach (var (name, value) in lora.Parameters)
        {
            if (name.Contains("lora_B", StringComparison.Ordinal) || name.Contains("embedding_A", StringComparison.Ordinal))
            {
                foreach (ref var x in value.Floats())
                    x = (float)random.NextGaussian() / 4;
            }
            else if (name.EndsWith("magnitude_vector", StringComparison.Ordinal))
            {
                foreach (ref var x in value.Floats())
                    x *= 1 + (float)random.NextGaussian() / 10;
            }
        }
    }
}
