using Attune.Core.Data;
using Attune.Torch.Optimisers;

namespace Attune.Torch.Stages;

/// <summary>Preferences as a reward model reads them: rankings, best first, of rows that end with the answer.</summary>
internal static class RewardData
{
    /// <summary>What preferences can be taken for.</summary>
    public static IReadOnlyList<string> Likelihoods { get; } = ["pairs", "rankings"];

    /// <summary>Refuses what cannot be.</summary>
    /// <exception cref="TrainingException">ATT5101: there is no such likelihood; ATT5201: margins with rankings.</exception>
    public static void Check(RewardOptions options)
    {
        if (!Likelihoods.Contains(options.Likelihood))
            throw TrainingException.Unsupported("likelihood", options.Likelihood, Likelihoods);
        if (options.Likelihood == "rankings" && options.MarginScale != 0)
            throw new TrainingException("ATT5201", "A Plackett–Luce likelihood has no margins.") { Field = "margin_scale", Hint = "Set it to 0, or take likelihood pairs." };
    }

    /// <summary>Rankings of all files; pairs are rankings of two.</summary>
    public static List<ListRow> Read(string stage, IEnumerable<DataFile> files, StageContract contract, RewardOptions options, RowTally tally, Dictionary<string, long> counts, PreferenceCheck? check = null)
    {
        var lists = options.Likelihood == "rankings"
            ? PreferenceData.Rankings(stage, files, contract, options, tally, counts, check)
            : [.. PreferenceData.Pairs(stage, files, contract, options, tally, counts, check).Select(p => new ListRow
            {
                Rows = [p.Chosen, p.Rejected],
                Scores = [p.Margin ?? 0, 0],
                PromptLength = p.PromptLength,
            })];
        return [.. lists.Select(l => l with { Rows = [.. l.Rows.Select(r => Ended(r, contract.EndOfTurn))] })];
    }

    /// <summary>Rankings by index.</summary>
    public static RewardBatch Batch(IReadOnlyList<ListRow> lists, ReadOnlySpan<int> indices, double marginScale)
    {
        var (rows, starts) = Batches.OfRankings(lists, indices, keepLast: 0);
        var margins = marginScale == 0 ? null : new float[indices.Length];
        for (var i = 0; i < margins?.Length; i++)
            margins[i] = (float)(marginScale * (lists[indices[i]].Scores[0] - lists[indices[i]].Scores[1]));
        return new RewardBatch(rows, starts, margins);
    }

    /// <summary>
    /// A row up to its last end of turn, for that is what a policy says last: whatever a template puts behind it (a newline) is
    /// not there when answers are scored, and a score is read where it was trained.
    /// </summary>
    public static TokenRow Ended(TokenRow row, IReadOnlyList<int> endOfTurn)
    {
        var last = Array.LastIndexOf(row.Trained, true);
        for (var i = last; i > 0 && row.Trained[i]; i--)
        {
            if (endOfTurn.Contains(row.Ids[i]))
                return row.Cut(i + 1);
        }
        return last < 0 ? row : row.Cut(last + 1);
    }
}
