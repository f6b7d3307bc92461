using Attune.Core.Data;
using Attune.Torch.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>log softmax(h · Wᵀ)[target], for labelled positions only, 0 elsewhere.</summary>
internal static class TokenLogProbs
{
    /// <summary>[N, D], [V, D], int64 [N] → float32 [N], by the kernel where it fits.</summary>
    public static Tensor Of(Tensor hidden_ND, Tensor head_VD, Tensor targets_N, bool even) =>
        LogProbFunction.Fits(hidden_ND, head_VD)
            ? LogProbFunction.Run(hidden_ND, head_VD, targets_N, even)
            : Plain(hidden_ND, head_VD, targets_N);

    /// <summary>The definition, in float32 or wider; labelled rows in chunks.</summary>
    public static Tensor Plain(Tensor hidden_ND, Tensor head_VD, Tensor targets_N, double? softCap = null)
    {
        using var scope = NewDisposeScope();
        var labelled_M = targets_N.ne(RaggedBatch.Ignore).nonzero().squeeze(1);
        var dtype = hidden_ND.dtype == ScalarType.Float64 ? float64 : float32;
        var result_N = zeros(targets_N.shape[0], dtype: dtype, device: hidden_ND.device);
        if (labelled_M.shape[0] == 0)
        {
            // Keeps a (zero) path to the parameters, so that a batch without labels has a gradient: zero.
            return (result_N + (hidden_ND.sum() + head_VD.sum()) * 0).MoveToOuterDisposeScope();
        }

        foreach (var some_M in labelled_M.split(1024))
        {
            var logits_MV = Capped(nn.functional.linear(hidden_ND.index_select(0, some_M), head_VD).to(dtype), softCap);
            var targets_M1 = targets_N.index_select(0, some_M).unsqueeze(1);
            var logProbs_M = logits_MV.gather(-1, targets_M1).squeeze(1) - logits_MV.logsumexp(-1);
            result_N = result_N.index_add(0, some_M, logProbs_M, 1);
        }
        return result_N.MoveToOuterDisposeScope();
    }

    /// <summary>cap · tanh(logit / cap) (Gemma 2); the logits themselves where there is no cap.</summary>
    public static Tensor Capped(Tensor logits, double? softCap) => softCap is { } cap ? (logits / cap).tanh() * cap : logits;
}
