using Attune.Core.Data;
using Attune.Torch.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>
/// Log-probabilities of labels under a held head, the vocabulary taken in slices: a slice of the head is widened, its
/// logits are folded into a running log-sum-exp (Milakov and Gimelshein, arXiv 1805.02867), and both are let go. Backward
/// goes over the slices again. Neither the logits nor the widened head are ever whole.
/// </summary>
internal sealed class HeldLogProbFunction : autograd.SingleTensorFunction<HeldLogProbFunction>
{
    /// <summary>Logits of one slice, at most, where nothing else is asked for.</summary>
    public const long SliceLogits = 1 << 21;

    /// <inheritdoc/>
    public override string Name => nameof(HeldLogProbFunction);

    /// <summary>[N, D], int64 [N] → float32 [N].</summary>
    public static Tensor Run(Tensor hidden_ND, HeldMatrix head, Tensor targets_N, int rowsAtATime)
    {
        using var scope = NewDisposeScope();
        var labelled_M = targets_N.ne(RaggedBatch.Ignore).nonzero().squeeze(1);
        if (labelled_M.shape[0] > 0 && targets_N.max().item<long>() is var largest && largest >= head.RowCount)
            throw TorchException.LabelOutside(largest, head.RowCount);
        var logProbs_M = apply(hidden_ND.index_select(0, labelled_M).to(float32), head, targets_N.index_select(0, labelled_M).cpu().data<long>().ToArray(), rowsAtATime > 0 ? rowsAtATime * head.RowCount : SliceLogits);
        return zeros(targets_N.shape[0], dtype: float32, device: hidden_ND.device).AddAt(labelled_M, logProbs_M).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext context, params object[] arguments)
    {
        var (hidden_MD, head) = ((Tensor)arguments[0], (HeldMatrix)arguments[1]);
        using var scope = NewDisposeScope();
        var targets_M = tensor((long[])arguments[2], device: hidden_MD.device);
        var (m, most_M, sum_M, chosen_M) = (hidden_MD.shape[0], full([hidden_MD.shape[0]], float.NegativeInfinity, device: hidden_MD.device), zeros_like(targets_M, dtype: float32), zeros_like(targets_M, dtype: float32));
        foreach (var (first, count) in Slices(head, m, (long)arguments[3]))
        {
            using var slice = NewDisposeScope();
            var logits_MS = nn.functional.linear(hidden_MD, head.Floats(first, count));
            var higher_M = maximum(most_M, logits_MS.amax([-1L]));
            sum_M.mul_((most_M - higher_M).exp()).add_((logits_MS - higher_M.unsqueeze(1)).exp_().sum([-1L]));
            most_M.copy_(higher_M);
            var (inside_M, local_M) = Inside(targets_M, first, count);
            chosen_M.add_(logits_MS.gather(1, local_M.unsqueeze(1)).squeeze(1) * inside_M);
        }
        // Saved when forward has returned, so it must outlive the scope.
        var logSum_M = (most_M + sum_M.log()).MoveToOuterDisposeScope();
        context.save_for_backward([hidden_MD, logSum_M]);
        context.save_data("targets", arguments[2]);
        context.save_data("head", head);
        context.save_data("logits", arguments[3]);
        return (chosen_M - logSum_M).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext context, Tensor dLogProbs_M)
    {
        using var scope = NewDisposeScope();
        var kept = context.get_saved_variables();
        var (hidden_MD, logSum_M, head) = (kept[0], kept[1], (HeldMatrix)context.get_data("head"));
        var targets_M = tensor((long[])context.get_data("targets"), device: hidden_MD.device);
        var dHidden_MD = zeros_like(hidden_MD);
        foreach (var (first, count) in Slices(head, hidden_MD.shape[0], (long)context.get_data("logits")))
        {
            using var slice = NewDisposeScope();
            var w_SD = head.Floats(first, count);
            var (inside_M, local_M) = Inside(targets_M, first, count);
            // ∂/∂logits = weight · (1[target] − softmax)
            var d_MS = (nn.functional.linear(hidden_MD, w_SD) - logSum_M.unsqueeze(1)).exp_().neg_();
            d_MS.scatter_add_(1, local_M.unsqueeze(1), inside_M.unsqueeze(1)).mul_(dLogProbs_M.unsqueeze(1));
            dHidden_MD.add_(d_MS.mm(w_SD));
        }
        return Handover.End(context, dLogProbs_M, dHidden_MD, null, null, null);
    }

    private static IEnumerable<(long First, long Count)> Slices(HeldMatrix head, long rows, long logits)
    {
        var step = Math.Max(64, logits / Math.Max(1, rows));
        for (var first = 0L; first < head.RowCount; first += step)
            yield return (first, Math.Min(step, head.RowCount - first));
    }

    // Which targets lie in a slice, and where; those outside point at its first row and weigh nothing.
    private static (Tensor Inside, Tensor Local) Inside(Tensor targets_M, long first, long count)
    {
        var local_M = targets_M - first;
        var inside_M = local_M.ge(0).logical_and(local_M.lt(count));
        return (inside_M.to(float32), local_M * inside_M.to(int64));
    }
}
