using Attune.Core.Data;
using Attune.Core.Tokens;
using Attune.Core.Versions;

namespace Attune.Torch.Stages;

/// <summary>How far a policy has moved the way that labels ask: ±(ln π − ln ref) of each answer, KTO's ratio (arXiv 2402.01306) with the label's sign.</summary>
public static class LabelShift
{
    /// <summary>The shift of each answer that fits the window, in order, in nats; above 0 where a desirable answer became likelier or an undesirable one less likely.</summary>
    /// <param name="policy">π.</param>
    /// <param name="reference">ref, of the same tokenizer and contract.</param>
    /// <param name="answers">The labelled answers.</param>
    /// <param name="window">Longest row in tokens; longer answers are left out.</param>
    /// <param name="cancel">Stops between passes.</param>
    public static IReadOnlyList<double> Of(ModelFiles policy, ModelFiles reference, IReadOnlyList<LabelledRow> answers, int window, CancellationToken cancel = default)
    {
        var contract = StageContract.Resolve(null, policy, Tokenizer.Load(policy.Require(ModelFiles.Tokenizer)));
        var rows = TrainingRows.OfLabelled(answers, contract.Render, window, OverlongRows.Drop, new RowTally());
        if (rows.Count == 0)
            return [];
        var ratios = PolicyDistance.Of(policy, reference, [.. rows.Select(r => r.Row)], cancel);
        return [.. ratios.Zip(rows, (ratio, row) => row.Desirable ? ratio : -ratio)];
    }
}
