using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>
/// Which elements of an input are dropped. Drawn from its seed alone, so that a block that is computed again for its backward,
/// and a run that is resumed, drop the same ones.
/// </summary>
/// <param name="Share">Of the elements; what stays is scaled by 1 / (1 − share), so that its mean is what it was.</param>
/// <param name="Seed">What the mask is drawn from.</param>
internal readonly record struct DropMask(double Share, ulong Seed)
{
    /// <summary>x with its dropped elements at zero.</summary>
    public Tensor Of(Tensor x)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(Seed, x.device);
        var kept = empty_like(x).bernoulli_(1 - Share, generator).div_(1 - Share);
        return (x * kept).MoveToOuterDisposeScope();
    }
}
