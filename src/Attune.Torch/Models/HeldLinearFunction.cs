using Attune.Torch.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>
/// y = x·Wᵀ with a held W as one function of autograd: W is widened for the product and let go, and widened again in
/// backward, which has dX = dY·W alone. Nothing of the size of W outlives either.
/// </summary>
internal sealed class HeldLinearFunction : autograd.SingleTensorFunction<HeldLinearFunction>
{
    /// <inheritdoc/>
    public override string Name => nameof(HeldLinearFunction);

    /// <summary>[N, I] → [N, O], of x's type.</summary>
    public static Tensor Run(Tensor x, HeldMatrix held, bool transposed)
    {
        using var scope = NewDisposeScope();
        return apply(x, held, transposed).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext context, params object[] arguments)
    {
        var (x, held) = ((Tensor)arguments[0], (HeldMatrix)arguments[1]);
        using var w_OI = held.Floats();
        using var w = w_OI.to(x.dtype);
        context.save_data("held", held);
        context.save_data("transposed", arguments[2]);
        return (bool)arguments[2] ? x.matmul(w) : LinearFunction.Product(x, w);
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext context, Tensor dY)
    {
        using var scope = NewDisposeScope();
        var w = ((HeldMatrix)context.get_data("held")).Floats().to(dY.dtype);
        var dX = (bool)context.get_data("transposed") ? dY.matmul(w.t()) : LinearFunction.InputGradient(dY, w);
        return Handover.End(context, dY, dX, null, null);
    }
}
