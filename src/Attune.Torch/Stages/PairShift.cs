using Attune.Core.Data;
using Attune.Core.Tokens;
using Attune.Core.Versions;

namespace Attune.Torch.Stages;

/// <summary>How far a policy has moved towards the chosen answers: (ln π_c − ln π_r) − (ln ref_c − ln ref_r) of each pair, DPO's Δ (arXiv 2305.18290).</summary>
public static class PairShift
{
    /// <summary>Δ of each pair that fits the window, in order; above 0 where the policy has come to prefer the chosen answer more than the reference does.</summary>
    /// <param name="policy">π.</param>
    /// <param name="reference">ref, of the same tokenizer and contract.</param>
    /// <param name="pairs">The pairs.</param>
    /// <param name="window">Longest row in tokens; longer pairs are left out.</param>
    /// <param name="cancel">Stops between passes.</param>
    public static IReadOnlyList<double> Of(ModelFiles policy, ModelFiles reference, IReadOnlyList<PreferenceRow> pairs, int window, CancellationToken cancel = default)
    {
        var contract = StageContract.Resolve(null, policy, Tokenizer.Load(policy.Require(ModelFiles.Tokenizer)));
        var rows = TrainingRows.OfPreferences(pairs, contract.Render, window, OverlongRows.Drop, new RowTally());
        var (of, to) = (Margins(policy, rows, cancel), Margins(reference, rows, cancel));
        return [.. of.Zip(to, (p, r) => p - r)];
    }

    // The answers differ in all that is trained, the prompt in nothing: each is a row of its own.
    private static IEnumerable<double> Margins(ModelFiles files, IReadOnlyList<PairRow> rows, CancellationToken cancel) =>
        RowLogProbs.Sums(files, [.. rows.SelectMany(r => new[] { r.Chosen, r.Rejected })], cancel).Chunk(2).Select(pair => (double)pair[0] - pair[1]);
}
