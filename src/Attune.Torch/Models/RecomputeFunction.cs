using Attune.Core.Data;
using Attune.Torch.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>
/// A block as a function of autograd that keeps its input alone (Chen et al., arXiv 1604.06174): backward runs the block
/// again with its graph, and goes back through that graph at once. Gradients of parameters arrive where they always do.
/// </summary>
internal sealed class RecomputeFunction : autograd.SingleTensorFunction<RecomputeFunction>
{
    /// <inheritdoc/>
    public override string Name => nameof(RecomputeFunction);

    /// <summary>[N, D] → [N, D], or [M, D] where only some rows go on.</summary>
    public static Tensor Run(Tensor x_ND, DecoderBlock block, TokenStream stream, RotaryTable? rotary, NeededRows? needed)
    {
        using var scope = NewDisposeScope();
        // Autograd calls backward only where an input wants a gradient, and the parameters are no inputs here.
        var input_ND = x_ND.requires_grad ? x_ND : x_ND.detach().requires_grad_();
        return apply(input_ND, block, stream.Batch, rotary!, needed!).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext context, params object[] arguments)
    {
        var (x_ND, block, batch, rotary, needed) = ((Tensor)arguments[0], (DecoderBlock)arguments[1], (RaggedBatch)arguments[2], (RotaryTable?)arguments[3], (NeededRows?)arguments[4]);
        context.save_for_backward([x_ND]);
        context.save_data("block", block);
        context.save_data("batch", batch);
        context.save_data("rotary", rotary!);
        context.save_data("needed", needed!);
        using var quiet = no_grad();
        using var stream = TokenStream.Of(batch, x_ND.device);
        return block.Once(x_ND, stream, rotary, needed);
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext context, Tensor dY_MD)
    {
        using var scope = NewDisposeScope();
        using var loud = enable_grad();
        var x_ND = context.get_saved_variables()[0].detach().requires_grad_();
        using var stream = TokenStream.Of((RaggedBatch)context.get_data("batch"), x_ND.device);
        var y_MD = ((DecoderBlock)context.get_data("block")).Once(x_ND, stream, (RotaryTable?)context.get_data("rotary"), (NeededRows?)context.get_data("needed"));
        y_MD.backward([dY_MD]);
        return Handover.End(context, dY_MD, x_ND.grad!, null, null, null, null);
    }
}
