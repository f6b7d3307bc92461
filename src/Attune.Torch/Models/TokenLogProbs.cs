using Attune.Core.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>log softmax(h · Wᵀ)[target], for labelled positions only.</summary>
internal static class TokenLogProbs
{
    public static Tensor Of(Tensor hidden_ND, Tensor head_VD, Tensor targets_N)
    {
        using var scope = NewDisposeScope();
        var labelled_M = targets_N.ne(RaggedBatch.Ignore).nonzero().squeeze(1);
        var result_N = zeros(targets_N.shape[0], dtype: float32, device: hidden_ND.device);
        if (labelled_M.shape[0] == 0)
        {
            // Keeps a (zero) path to the parameters, so that a batch without labels has a gradient: zero.
            return (result_N + hidden_ND.sum() * 0).MoveToOuterDisposeScope();
        }

        var picked_MD = hidden_ND.index_select(0, labelled_M);
        var targets_M = targets_N.index_select(0, labelled_M);
        return result_N.index_add(0, labelled_M, Plain(picked_MD, head_VD, targets_M), 1).MoveToOuterDisposeScope();
    }

    /// <summary>The definition, in float32 or wider.</summary>
    private static Tensor Plain(Tensor hidden_MD, Tensor head_VD, Tensor targets_M)
    {
        var logits_MV = nn.functional.linear(hidden_MD, head_VD);
        if (logits_MV.dtype is ScalarType.BFloat16 or ScalarType.Float16)
            logits_MV = logits_MV.to(float32);
        return nn.functional.log_softmax(logits_MV, -1).gather(-1, targets_M.unsqueeze(1)).squeeze(1).to(float32);
    }
}
