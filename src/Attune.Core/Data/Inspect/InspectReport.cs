namespace Attune.Core.Data;

/// <summary>How long things are: count, quantiles (nearest rank) and sum.</summary>
public sealed record LengthStats(long Count, long Total, int Least, int Median, int P90, int P99, int Most)
{
    internal static LengthStats? Of(List<int> lengths)
    {
        if (lengths.Count == 0)
            return null;
        lengths.Sort();
        return new LengthStats(lengths.Count, lengths.Sum(l => (long)l), lengths[0], At(.5), At(.9), At(.99), lengths[^1]);

        int At(double share) => lengths[Math.Max(0, (int)Math.Ceiling(share * lengths.Count) - 1)];
    }
}

/// <summary>Rows at fault for one reason.</summary>
/// <param name="Reason">Code and message.</param>
/// <param name="Rows">How many.</param>
/// <param name="First">Where the first one is.</param>
public sealed record FaultCount(string Reason, int Rows, RowOrigin First);

/// <summary>What one file holds.</summary>
public sealed record FileReport
{
    /// <summary>The file as given.</summary>
    public required string File { get; init; }

    /// <summary>Its format, with the evidence.</summary>
    public required DataFormat Format { get; init; }

    /// <summary>Rows that can be used.</summary>
    public required int Rows { get; init; }

    /// <summary>Rows that cannot, by reason.</summary>
    public required IReadOnlyList<FaultCount> Faults { get; init; }

    /// <summary>Rows that can be used and contradict others of the file, by reason; empty where it holds no preferences.</summary>
    public IReadOnlyList<FaultCount> Contradictions { get; init; } = [];

    /// <summary>What the preferences consist of, or null where the file holds none.</summary>
    public PreferenceFacts? Preferences { get; init; }

    /// <summary>Characters (UTF-16 code units) of a row's texts.</summary>
    public required LengthStats? Characters { get; init; }

    /// <summary>Tokens of a row's texts without any template, where a tokenizer was given.</summary>
    public required LengthStats? Tokens { get; init; }

    /// <summary>Messages by role.</summary>
    public required IReadOnlyDictionary<string, int> Roles { get; init; }

    /// <summary>Rows by language, roughly (<see cref="RoughLanguage"/>).</summary>
    public required IReadOnlyDictionary<string, int> Languages { get; init; }

    /// <summary>Rows by their <c>kind</c>; empty where none has one.</summary>
    public required IReadOnlyDictionary<string, int> Kinds { get; init; }
}

/// <summary>Two rows that are alike.</summary>
/// <param name="First">The one met first.</param>
/// <param name="Second">The other.</param>
/// <param name="Similarity">Jaccard similarity of their five-word shingles; 1 for exact duplicates.</param>
/// <param name="Excerpt">How the second begins.</param>
public sealed record DuplicateExample(RowOrigin First, RowOrigin Second, double Similarity, string Excerpt);

/// <summary>Duplicates over all files that were inspected together.</summary>
/// <param name="Groups">Groups of rows that are alike.</param>
/// <param name="ExtraRows">Rows that would go if one of each group stayed.</param>
/// <param name="Examples">A few, the first met first.</param>
public sealed record DuplicateReport(int Groups, int ExtraRows, IReadOnlyList<DuplicateExample> Examples);

/// <summary>A test row that training data holds a part of.</summary>
/// <param name="Test">The test row.</param>
/// <param name="Train">Where a part of it stands first.</param>
/// <param name="Share">Share of the test row's words that stand in training data, in runs as long as asked for.</param>
/// <param name="Words">The first such run.</param>
public sealed record OverlapExample(RowOrigin Test, RowOrigin Train, double Share, string Words);

/// <summary>How much of the test files stands in the training files.</summary>
/// <param name="TestRows">Test rows in all.</param>
/// <param name="Touched">Those that share at least one run of words with training.</param>
/// <param name="HalfCovered">Those at least half of whose words are in such runs.</param>
/// <param name="Examples">The most covered ones.</param>
public sealed record OverlapReport(int TestRows, int Touched, int HalfCovered, IReadOnlyList<OverlapExample> Examples);

/// <summary>What <c>attune data inspect</c> prints.</summary>
public sealed record InspectReport
{
    /// <summary>Training (or only) files, in the order given.</summary>
    public required IReadOnlyList<FileReport> Files { get; init; }

    /// <summary>Test files, in the order given.</summary>
    public required IReadOnlyList<FileReport> TestFiles { get; init; }

    /// <summary>Rows of <see cref="Files"/> that are equal but for case, width and white space.</summary>
    public required DuplicateReport Exact { get; init; }

    /// <summary>Rows of <see cref="Files"/> that are nearly equal; exact duplicates are not counted again.</summary>
    public required DuplicateReport Near { get; init; }

    /// <summary>Overlap, or null where no test file was given.</summary>
    public required OverlapReport? Overlap { get; init; }
}
