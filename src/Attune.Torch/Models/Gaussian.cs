using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>Initial weights from a named random stream.</summary>
internal static class Gaussian
{
    /// <summary>Values from N(0, <paramref name="deviation"/>²) as a float32 tensor, the same for the same seed and name.</summary>
    public static Tensor Fill(long seed, string name, long count, double deviation)
    {
        var hash = System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(FormattableString.Invariant($"{seed}/initialise/{name}")));
        using var generator = new Generator(BitConverter.ToUInt64(hash), CPU);
        return randn(count, generator: generator).mul_(deviation);
    }
}
