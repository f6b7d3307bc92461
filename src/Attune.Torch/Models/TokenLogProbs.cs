using Attune.Core.Data;
using Attune.Torch.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>log softmax(h · Wᵀ)[target], for labelled positions only, 0 elsewhere.</summary>
internal static class TokenLogProbs
{
    /// <summary>[N, D], head, int64 [N] → float32 [N], by the kernel where it fits.</summary>
    public static Tensor Of(Tensor hidden_ND, MatrixLayer head, Tensor targets_N, bool even, bool kernels, int rowsAtATime, double? softCap = null)
    {
        using var scope = NewDisposeScope();
        if (softCap is not null)
            return Plain(hidden_ND, h_MD => Capped(head.Linear(h_MD), softCap), targets_N, rowsAtATime).MoveToOuterDisposeScope();
        if (head.Effective() is not { } head_VD)
        {
            return (head.Adapter is { On: true } || !kernels
                ? Plain(hidden_ND, h_MD => head.Linear(h_MD), targets_N, rowsAtATime)
                : HeldLogProbFunction.Run(hidden_ND, head.Held!, targets_N, rowsAtATime)).MoveToOuterDisposeScope();
        }
        return (kernels && LogProbFunction.Fits(hidden_ND, head_VD)
            ? LogProbFunction.Run(hidden_ND, head_VD, targets_N, even, rowsAtATime)
            : Plain(hidden_ND, h_MD => nn.functional.linear(h_MD, head_VD.to(h_MD.dtype)), targets_N, rowsAtATime)).MoveToOuterDisposeScope();
    }

    /// <summary>The definition, in float32 or wider; labelled rows in chunks.</summary>
    /// <param name="hidden_ND">Normalised hidden states.</param>
    /// <param name="logits">[M, D] → [M, V].</param>
    /// <param name="targets_N">Labels.</param>
    /// <param name="rowsAtATime">Rows of one chunk; 0 for 1024.</param>
    public static Tensor Plain(Tensor hidden_ND, Func<Tensor, Tensor> logits, Tensor targets_N, int rowsAtATime = 0)
    {
        using var scope = NewDisposeScope();
        var labelled_M = targets_N.ne(RaggedBatch.Ignore).nonzero().squeeze(1);
        var dtype = hidden_ND.dtype == ScalarType.Float64 ? float64 : float32;
        var result_N = zeros(targets_N.shape[0], dtype: dtype, device: hidden_ND.device);
        if (labelled_M.shape[0] == 0)
        {
            // Keeps a (zero) path to the parameters, so that a batch without labels has a gradient: zero.
            return (result_N + (hidden_ND.sum() + logits(hidden_ND.narrow(0, 0, 1)).sum()) * 0).MoveToOuterDisposeScope();
        }

        foreach (var some_M in labelled_M.split(rowsAtATime > 0 ? rowsAtATime : 1024))
        {
            var logits_MV = logits(hidden_ND.index_select(0, some_M)).to(dtype);
            var targets_M1 = targets_N.index_select(0, some_M).unsqueeze(1);
            var logProbs_M = logits_MV.gather(-1, targets_M1).squeeze(1) - logits_MV.logsumexp(-1);
            result_N = result_N.AddAt(some_M, logProbs_M);
        }
        return result_N.MoveToOuterDisposeScope();
    }

    /// <summary>cap · tanh(logit / cap) (Gemma 2); the logits themselves where there is no cap.</summary>
    public static Tensor Capped(Tensor logits, double? softCap) => softCap is { } cap ? (logits / cap).tanh() * cap : logits;
}
