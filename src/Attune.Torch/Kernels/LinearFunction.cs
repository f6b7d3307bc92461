using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Kernels;

/// <summary>x·Wᵀ + b as one function of autograd on our own products, for layers that no block's kernel takes over.</summary>
internal sealed unsafe class LinearFunction : autograd.SingleTensorFunction<LinearFunction>
{
    /// <inheritdoc/>
    public override string Name => nameof(LinearFunction);

    /// <summary>Whether it can run and is worth it: where MKL multiplies, libtorch's own layer is as fast.</summary>
    public static bool Fits(Tensor x, Tensor w, Tensor? bias = null) =>
        Gemm.Own && x.dim() == 2 && TensorMemory.IsPlain(x) && TensorMemory.IsPlain(w) && (bias is null || TensorMemory.IsPlain(bias));

    /// <summary>x [N, I], W [O, I], b [O] or null → [N, O].</summary>
    public static Tensor Run(Tensor x_NI, Tensor w_OI, Tensor? bias_O)
    {
        using var scope = NewDisposeScope();
        return (bias_O is null ? apply(x_NI, w_OI) : apply(x_NI, w_OI, bias_O)).MoveToOuterDisposeScope();
    }

    /// <summary>x·Wᵀ + b outside of autograd, by libtorch where ours does not fit.</summary>
    public static Tensor Product(Tensor x_NI, Tensor w_OI, Tensor? bias_O = null)
    {
        if (!Fits(x_NI, w_OI, bias_O))
            return nn.functional.linear(x_NI, w_OI, bias_O);
        var (n, inputs, outputs) = Sizes(x_NI, w_OI);
        var y_NO = empty(n, outputs);
        if (bias_O is not null)
            y_NO.copy_(bias_O);
        SharedProduct.NT(n, outputs, inputs, TensorMemory.Floats(x_NI), TensorMemory.Floats(w_OI), TensorMemory.Floats(y_NO), beta: bias_O is null ? 0 : 1);
        return y_NO;
    }

    /// <summary>dX = dY·W outside of autograd, by libtorch where ours does not fit.</summary>
    public static Tensor InputGradient(Tensor dY_NO, Tensor w_OI)
    {
        if (!Fits(dY_NO, w_OI))
            return dY_NO.matmul(w_OI);
        var (n, inputs, outputs) = Sizes(dY_NO, w_OI);
        var dX_NI = empty(n, inputs);
        SharedProduct.NN(n, inputs, outputs, TensorMemory.Floats(dY_NO), TensorMemory.Floats(w_OI), TensorMemory.Floats(dX_NI));
        return dX_NI;
    }

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext context, params object[] arguments)
    {
        var (x_NI, w_OI, bias_O) = ((Tensor)arguments[0], (Tensor)arguments[1], arguments.Length > 2 ? (Tensor)arguments[2] : null);
        var y_NO = Product(x_NI, w_OI, bias_O);
        context.save_for_backward([x_NI, w_OI]);
        context.save_data("wanted", (x_NI.requires_grad, w_OI.requires_grad, bias_O?.requires_grad));
        return y_NO;
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext context, Tensor dY_NO)
    {
        using var scope = NewDisposeScope();
        var kept = context.get_saved_variables();
        var (x_NI, w_OI) = (kept[0], kept[1]);
        var (n, inputs, outputs) = Sizes(x_NI, w_OI);
        var wanted = ((bool X, bool W, bool? Bias))context.get_data("wanted");
        var dYPlain_NO = dY_NO.contiguous();
        var (dX_NI, dW_OI) = (wanted.X ? InputGradient(dYPlain_NO, w_OI) : null, wanted.W ? empty_like(w_OI) : null);
        if (dW_OI is not null)
            MatrixGradient.Run(n, add: false, [new(TensorMemory.Floats(dW_OI), TensorMemory.Floats(dYPlain_NO), outputs, outputs, TensorMemory.Floats(x_NI), inputs, inputs)]);
        return wanted.Bias switch
        {
            null => Handover.End(context, dY_NO, dX_NI, dW_OI),
            false => Handover.End(context, dY_NO, dX_NI, dW_OI, null),
            true => Handover.End(context, dY_NO, dX_NI, dW_OI, dY_NO.sum([0])),
        };
    }

    private static (int N, int Inputs, int Outputs) Sizes(Tensor rows, Tensor w_OI) => ((int)rows.shape[0], (int)w_OI.shape[1], (int)w_OI.shape[0]);
}
