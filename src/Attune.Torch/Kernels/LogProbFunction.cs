using Attune.Core.Data;
using Attune.Torch.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Kernels;

/// <summary>
/// Log-probabilities of labels as one function of autograd. Where the caller says that every label will have the same
/// gradient (cross-entropy), forward computes the gradients while it has the logits, and backward only scales. Otherwise it
/// keeps the softmax where that is small, and backward computes the logits again where it is not. Against computing them
/// again, one product of four is saved.
/// </summary>
internal sealed unsafe class LogProbFunction : autograd.SingleTensorFunction<LogProbFunction>
{
    /// <summary>Probabilities that are kept for backward at most: 64 MB.</summary>
    private const long MostKept = 1 << 24;

    /// <inheritdoc/>
    public override string Name => nameof(LogProbFunction);

    /// <summary>How many probabilities of so many labels are kept between forward and backward; 0 where they are computed again.</summary>
    public static long Kept(long labels, long vocabulary, int rowsAtATime) => rowsAtATime == 0 && labels * vocabulary <= MostKept ? labels * vocabulary : 0;

    /// <summary>Whether the kernel can run on these.</summary>
    public static bool Fits(Tensor hidden_ND, Tensor head_VD) => Gemm.Available && TensorMemory.IsPlain(hidden_ND) && TensorMemory.IsPlain(head_VD);

    /// <summary>[N, D], [V, D], int64 [N] → float32 [N].</summary>
    /// <exception cref="TorchException">ATT5011: a label is not in the vocabulary.</exception>
    public static Tensor Run(Tensor hidden_ND, Tensor head_VD, Tensor targets_N, bool even, int rowsAtATime = 0)
    {
        using var scope = NewDisposeScope();
        var labels = TensorMemory.Longs(targets_N.contiguous());
        var (n, vocabulary) = ((int)hidden_ND.shape[0], head_VD.shape[0]);
        var (labelled, targets) = (new List<int>(n), new List<int>(n));
        for (var i = 0; i < n; i++)
        {
            if (labels[i] == RaggedBatch.Ignore)
                continue;
            if (labels[i] < 0 || labels[i] >= vocabulary)
                throw TorchException.LabelOutside(labels[i], vocabulary);
            labelled.Add(i);
            targets.Add((int)labels[i]);
        }
        return apply(hidden_ND, head_VD, labelled.ToArray(), targets.ToArray(), even, rowsAtATime).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext context, params object[] arguments)
    {
        var (hidden_ND, head_VD, labelled, targets) = ((Tensor)arguments[0], (Tensor)arguments[1], (int[])arguments[2], (int[])arguments[3]);
        var wanted = (Hidden: hidden_ND.requires_grad, Head: head_VD.requires_grad);
        var early = (bool)arguments[4] && (wanted.Hidden || wanted.Head);
        var logProbs_N = zeros(hidden_ND.shape[0]);
        var dHidden_ND = early && wanted.Hidden ? zeros_like(hidden_ND) : null;
        var dHead_VD = early && wanted.Head ? NewLike(head_VD, labelled.Length) : null;
        var rows = (int)arguments[5];
        var kept = early || !(wanted.Hidden || wanted.Head) ? 0 : Kept(labelled.Length, head_VD.shape[0], rows);
        var softmax_MV = kept > 0 ? empty(kept) : null;
        var kernel = Kernel(hidden_ND, head_VD, labelled, targets, rows);
        if (early)
            kernel.LogProbsAndGradients(TensorMemory.Floats(logProbs_N), At(dHidden_ND), At(dHead_VD));
        else
            kernel.LogProbs(TensorMemory.Floats(logProbs_N), At(softmax_MV));

        context.save_for_backward([hidden_ND, head_VD, dHidden_ND!, dHead_VD!, softmax_MV!]);
        context.save_data("labelled", labelled);
        context.save_data("targets", targets);
        context.save_data("early", early);
        context.save_data("rows", rows);
        context.save_data("wanted", wanted);
        return logProbs_N;
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext context, Tensor dLogProbs_N)
    {
        using var scope = NewDisposeScope();
        var kept = context.get_saved_variables();
        var (hidden_ND, head_VD) = (kept[0], kept[1]);
        var (labelled, targets) = ((int[])context.get_data("labelled"), (int[])context.get_data("targets"));
        var wanted = ((bool Hidden, bool Head))context.get_data("wanted");
        var weights = TensorMemory.Floats(dLogProbs_N.contiguous());

        Tensor? dHidden_ND, dHead_VD;
        if ((bool)context.get_data("early") && Even(weights, labelled) is { } factor)
        {
            dHidden_ND = Scaled(kept[2], factor);
            dHead_VD = Scaled(kept[3], factor);
        }
        else
        {
            dHidden_ND = wanted.Hidden ? zeros_like(hidden_ND) : null;
            dHead_VD = wanted.Head ? NewLike(head_VD, labelled.Length) : null;
            Kernel(hidden_ND, head_VD, labelled, targets, (int)context.get_data("rows")).Gradients(At(kept[4]), weights, At(dHidden_ND), At(dHead_VD));
        }
        return Handover.End(context, dLogProbs_N, dHidden_ND, dHead_VD, null, null, null, null);
    }

    private static LogProbKernel Kernel(Tensor hidden_ND, Tensor head_VD, int[] labelled, int[] targets, int rows) =>
        new(TensorMemory.Floats(hidden_ND), TensorMemory.Floats(head_VD), labelled, targets, (int)hidden_ND.shape[1], (int)head_VD.shape[0], rows);

    /// <summary>Memory for a gradient; the kernel writes all of it unless there is no label at all.</summary>
    private static Tensor NewLike(Tensor x, int labels) => labels > 0 ? empty_like(x) : zeros_like(x);

    private static float* At(Tensor? x) => x is null ? null : TensorMemory.Floats(x);

    private static float? Even(float* weights, int[] labelled)
    {
        foreach (var row in labelled)
        {
            if (weights[row] != weights[labelled[0]])
                return null;
        }
        return labelled.Length > 0 ? weights[labelled[0]] : 0;
    }

    private static Tensor? Scaled(Tensor? unit, float factor)
    {
        if (unit is null)
            return null;
        var scaled = empty_like(unit);
        float* from = TensorMemory.Floats(unit), to = TensorMemory.Floats(scaled);
        var (length, pieces) = (unit.numel(), WorkerPool.Workers);
        WorkerPool.Run(pieces, (piece, _) =>
        {
            var (begin, end) = (length * piece / pieces, length * (piece + 1) / pieces);
            Simd.ScaleTo(from + begin, to + begin, end - begin, factor);
        });
        return scaled;
    }
}
