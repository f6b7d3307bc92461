using Attune.Torch.Models;
using Attune.Torch.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Kernels;

/// <summary><see cref="RmsNorm"/> as one function of autograd.</summary>
internal sealed unsafe class RmsNormFunction : autograd.SingleTensorFunction<RmsNormFunction>
{
    /// <inheritdoc/>
    public override string Name => nameof(RmsNormFunction);

    /// <summary>Whether the kernel can run: float32 on the CPU, two dimensions.</summary>
    public static bool Fits(Tensor x, Tensor weight) => Gemm.Available && x.dim() == 2 && TensorMemory.IsPlain(x) && TensorMemory.IsPlain(weight);

    /// <summary>[N, D] → [N, D].</summary>
    public static Tensor Run(Tensor x_ND, Tensor weight, double epsilon)
    {
        using var scope = NewDisposeScope();
        return apply(x_ND, weight, (float)epsilon).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext context, params object[] arguments)
    {
        var (x_ND, weight, epsilon) = ((Tensor)arguments[0], (Tensor)arguments[1], (float)arguments[2]);
        var y_ND = empty_like(x_ND);
        var (n, d) = ((int)x_ND.shape[0], (int)x_ND.shape[1]);
        float* x = TensorMemory.Floats(x_ND), w = TensorMemory.Floats(weight), y = TensorMemory.Floats(y_ND);
        var slices = BlockShape.Cut(n);
        WorkerPool.Run(slices.Count, (slice, _) =>
        {
            var (from, count) = slices[slice];
            for (var i = (long)from; i < from + count; i++)
                RmsNormKernel.Forward(x + i * d, w, y + i * d, d, epsilon);
        });
        context.save_for_backward([x_ND, weight]);
        context.save_data("epsilon", epsilon);
        return y_ND;
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext context, Tensor dY_ND)
    {
        using var scope = NewDisposeScope();
        var kept = context.get_saved_variables();
        var (x_ND, weight, epsilon) = (kept[0], kept[1], (float)context.get_data("epsilon"));
        var (n, d) = ((int)x_ND.shape[0], (int)x_ND.shape[1]);
        var slices = BlockShape.Cut(n);
        var (dX_ND, dW, parts) = (zeros_like(x_ND), empty_like(weight), zeros(slices.Count, d));
        float* x = TensorMemory.Floats(x_ND), w = TensorMemory.Floats(weight), dy = TensorMemory.Floats(dY_ND.contiguous()), dx = TensorMemory.Floats(dX_ND), dw = TensorMemory.Floats(parts);
        WorkerPool.Run(slices.Count, (slice, _) =>
        {
            var (from, count) = slices[slice];
            for (var i = (long)from; i < from + count; i++)
                RmsNormKernel.Backward(x + i * d, w, dy + i * d, dx + i * d, dw + (long)slice * d, d, epsilon);
        });
        BlockBackward.SumInOrder(dw, slices.Count, d, TensorMemory.Floats(dW));
        return Handover.End(context, dY_ND, dX_ND, dW, null);
    }
}
