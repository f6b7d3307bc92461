using Attune.Core.Randomness;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>Initial weights from a named random stream.</summary>
internal static class Gaussian
{
    /// <summary>Values from N(0, <paramref name="deviation"/>²) as a float32 tensor, the same for the same seed and name.</summary>
    public static Tensor Fill(long seed, string name, long count, double deviation)
    {
        var stream = RandomStream.Of(seed, "initialise", name);
        var values = new float[count];
        for (var i = 0L; i < count; i++)
            values[i] = (float)(stream.NextGaussian() * deviation);
        return tensor(values);
    }
}
