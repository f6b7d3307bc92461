using System.Collections;

namespace Attune.Core.Data;

/// <summary>
/// Counts which test rows stand in training data: runs of n words that both have (n-grams, as in the contamination
/// studies of GPT-3). The test side is kept in memory, the training side streams by.
/// </summary>
internal sealed class Overlap(int words)
{
    // Fewer words than this say nothing by being shared.
    private const int LeastWords = 5;
    private const ulong Base = 0x9E3779B97F4A7C15;

    private const int None = -1;

    private readonly List<TestRow> _rows = [];

    // By length of the run, then by its hash: the last place that has it, which leads to the others.
    private readonly Dictionary<int, Dictionary<ulong, int>> _runs = [];
    private readonly List<(int Row, int At, int Before)> _places = [];

    private sealed record TestRow(RowOrigin Origin, string Text, List<(ulong Hash, int Start, int Length)> Words, int Run, BitArray Covered)
    {
        public RowOrigin? Train { get; set; }

        public int FirstAt { get; set; }

        public double Share => Words.Count == 0 ? 0 : (double)Covered.OfType<bool>().Count(b => b) / Words.Count;
    }

    public void AddTest(RowOrigin origin, string text)
    {
        var list = Words.Of(text);
        var run = Math.Min(words, list.Count);
        var row = new TestRow(origin, text, list, run, new BitArray(list.Count));
        _rows.Add(row);
        if (run < LeastWords)
            return;
        if (!_runs.TryGetValue(run, out var runs))
            _runs[run] = runs = [];
        foreach (var (hash, at) in Rolling(list, run))
        {
            _places.Add((_rows.Count - 1, at, runs.GetValueOrDefault(hash, None)));
            runs[hash] = _places.Count - 1;
        }
    }

    public void AddTrain(RowOrigin origin, string text)
    {
        var list = Words.Of(text);
        foreach (var (run, runs) in _runs)
        {
            foreach (var (hash, _) in Rolling(list, run))
            {
                // Marked once is marked: the next training row with this run has nothing to add.
                if (runs.Remove(hash, out var place))
                    Mark(place, origin);
            }
        }
    }

    public OverlapReport Report(int examples)
    {
        var touched = _rows.Where(r => r.Train is not null).ToList();
        return new OverlapReport(_rows.Count, touched.Count, touched.Count(r => r.Share >= .5),
            [.. touched.OrderByDescending(r => r.Share).Take(examples).Select(Example)]);
    }

    private static OverlapExample Example(TestRow row)
    {
        var (first, last) = (row.Words[row.FirstAt], row.Words[row.FirstAt + row.Run - 1]);
        return new OverlapExample(row.Origin, row.Train!, row.Share, row.Text[first.Start..(last.Start + last.Length)].ReplaceLineEndings(" "));
    }

    private void Mark(int place, RowOrigin origin)
    {
        for (; place != None; place = _places[place].Before)
        {
            var (index, at, _) = _places[place];
            var row = _rows[index];
            if (row.Train is null)
                (row.Train, row.FirstAt) = (origin, at);
            for (var i = at; i < at + row.Run; i++)
                row.Covered[i] = true;
        }
    }

    // Polynomial hash modulo 2⁶⁴ of each run, from the one before it.
    private static IEnumerable<(ulong Hash, int At)> Rolling(List<(ulong Hash, int Start, int Length)> words, int run)
    {
        var (hash, power) = (0UL, 1UL);
        for (var i = 0; i < run; i++)
            power *= Base;
        for (var i = 0; i < words.Count; i++)
        {
            hash = hash * Base + words[i].Hash;
            if (i >= run)
                hash -= power * words[i - run].Hash;
            if (i >= run - 1)
                yield return (Words.Mix(hash), i - run + 1);
        }
    }
}
