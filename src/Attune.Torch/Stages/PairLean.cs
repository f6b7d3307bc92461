using Attune.Core.Data;
using Attune.Core.Tokens;
using Attune.Core.Versions;

namespace Attune.Torch.Stages;

/// <summary>
/// Which answer of a pair a version leans to by itself: ln π_c/|c| − ln π_r/|r|, by length, or the shorter answer would always
/// be the likelier (SimPO's implicit reward, arXiv 2405.14734, without its β).
/// </summary>
public static class PairLean
{
    /// <summary>The lean of each pair that fits the window, in order, in nats a token; above 0 where the version leans to the chosen answer.</summary>
    /// <param name="files">π.</param>
    /// <param name="pairs">The pairs.</param>
    /// <param name="window">Longest row in tokens; longer pairs are left out.</param>
    /// <param name="cancel">Stops between passes.</param>
    public static IReadOnlyList<double> Of(ModelFiles files, IReadOnlyList<PreferenceRow> pairs, int window, CancellationToken cancel = default)
    {
        var contract = StageContract.Resolve(null, files, Tokenizer.Load(files.Require(ModelFiles.Tokenizer)));
        var rows = TrainingRows.OfPreferences(pairs, contract.Render, window, OverlongRows.Drop, new RowTally());
        return [.. RowLogProbs.Means(files, [.. rows.SelectMany(r => new[] { r.Chosen, r.Rejected })], cancel).Chunk(2).Select(pair => pair[0] - pair[1])];
    }
}
