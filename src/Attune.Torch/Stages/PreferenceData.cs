using Attune.Core.Data;

namespace Attune.Torch.Stages;

/// <summary>Preference files → rows, as every stage on pairs reads them.</summary>
internal static class PreferenceData
{
    /// <summary>Pairs of all files, each as often as its weight says; counts take the rows of each file.</summary>
    public static List<PairRow> Pairs(string stage, IEnumerable<DataFile> files, StageContract contract, TrainingOptions options, RowTally tally, Dictionary<string, long> counts, PreferenceCheck? check = null)
    {
        var rows = new List<PairRow>();
        foreach (var file in files)
        {
            var taken = file.Weigh(StageContract.Placed(Watched(check, DataReader.ReadPreferences(file.Path, tally: tally)), read =>
                TrainingRows.OfPreferences(read, contract.Render, options.SequenceLength, options.Overlong, tally)), options.Seed, stage);
            counts[file.Path] = taken.Count;
            rows.AddRange(taken);
        }
        return rows;
    }

    /// <summary>Rankings of all files.</summary>
    /// <inheritdoc cref="Pairs"/>
    public static List<ListRow> Rankings(string stage, IEnumerable<DataFile> files, StageContract contract, TrainingOptions options, RowTally tally, Dictionary<string, long> counts, PreferenceCheck? check = null)
    {
        var rows = new List<ListRow>();
        foreach (var file in files)
        {
            var taken = file.Weigh(StageContract.Placed(Watched(check, DataReader.ReadRankings(file.Path, tally: tally)), read =>
                TrainingRows.OfRankings(read, contract.Render, options.SequenceLength, options.Overlong, tally)), options.Seed, stage);
            counts[file.Path] = taken.Count;
            rows.AddRange(taken);
        }
        return rows;
    }

    /// <summary>Labelled answers of all files.</summary>
    /// <inheritdoc cref="Pairs"/>
    public static List<(TokenRow Row, bool Desirable)> Labelled(string stage, IEnumerable<DataFile> files, StageContract contract, TrainingOptions options, RowTally tally, Dictionary<string, long> counts, PreferenceCheck? check = null)
    {
        var rows = new List<(TokenRow, bool)>();
        foreach (var file in files)
        {
            var taken = file.Weigh(StageContract.Placed(Watched(check, DataReader.ReadLabelled(file.Path, tally: tally)), read =>
                TrainingRows.OfLabelled(read, contract.Render, options.SequenceLength, options.Overlong, tally)), options.Seed, stage);
            counts[file.Path] = taken.Count;
            rows.AddRange(taken);
        }
        return rows;
    }

    private static IEnumerable<T> Watched<T>(PreferenceCheck? check, IEnumerable<T> rows)
        where T : DataRow => check?.Watch(rows) ?? rows;
}
