using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Kernels;

/// <summary>The last line of every backward of ours: gives the gradients to libtorch and lets go of all that is used up.</summary>
/// <remarks>
/// libtorch's own functions free what they saved as backward passes by. Left to TorchSharp, ours would keep until the end of
/// the step what forward saved (it goes with the graph), the gradient that came in and those that go out (their names join
/// the scope that is open around the step): two to three times the memory of the activations. The first two end here. The
/// third must outlive the return, for libtorch takes them over only then; they end at the next handover.
/// </remarks>
internal static class Handover
{
    [ThreadStatic]
    private static List<Tensor>? _given;

    /// <summary>What backward returns.</summary>
    /// <param name="context">Of the function; nothing can be had from it any more.</param>
    /// <param name="incoming">The gradient that came in.</param>
    /// <param name="gradients">One for each argument of forward; null where that is no tensor, or wants none.</param>
    public static List<Tensor> End(autograd.AutogradContext context, Tensor incoming, params ReadOnlySpan<Tensor?> gradients)
    {
        Clear();
        _given = [];
        var returned = new List<Tensor>(gradients.Length);
        foreach (var gradient in gradients)
        {
            returned.Add(gradient!);
            if (gradient is null)
                continue;
            gradient.DetachFromDisposeScope();
            _given.Add(gradient);
        }
        incoming.Dispose();
        context.Dispose();
        return returned;
    }

    /// <summary>Ends the names of what was given last: after a whole backward pass.</summary>
    public static void Clear()
    {
        foreach (var gradient in _given ?? [])
            gradient.Dispose();
        _given = null;
    }
}
