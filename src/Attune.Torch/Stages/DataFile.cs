using System.Globalization;
using Attune.Core.Checkpoints;
using Attune.Core.Randomness;
using Attune.Core.Versions;
using Attune.Torch.Optimisers;

namespace Attune.Torch.Stages;

/// <summary>A data file as an option names it, <c>path</c> or <c>path@weight</c>.</summary>
/// <param name="Path">The file.</param>
/// <param name="Weight">How often an epoch takes it; the fraction is a random part of its rows.</param>
public sealed record DataFile(string Path, double Weight)
{
    /// <summary>Parses the files of an option.</summary>
    public static IReadOnlyList<DataFile> All(IEnumerable<string> texts) => [.. texts.Select(Parse)];

    /// <summary>Refuses a stage without data.</summary>
    /// <exception cref="TrainingException">ATT5122.</exception>
    public static IReadOnlyList<DataFile> Required(IReadOnlyList<string> texts) => texts.Count > 0 ? All(texts) : throw new TrainingException("ATT5122", "There is nothing to train on.")
    {
        Field = "data",
        Hint = "Name a file: --data PATH.",
    };

    /// <summary>Its digest for the lineage.</summary>
    public DataDigest Digest(long rows) => new(Name, Digests.Sha256Of(Path), rows);

    /// <summary>Its file name: what lineage calls it, for two equal runs may keep their data in different folders.</summary>
    public string Name => System.IO.Path.GetFileName(Path);

    /// <summary>The rows as an epoch takes them: whole copies first, then the random part, each in the file's order.</summary>
    public List<T> Weigh<T>(List<T> rows, long seed, string stage)
    {
        if (Weight == 1)
            return rows;
        var taken = new List<T>();
        for (var copy = 0; copy < (int)Weight; copy++)
            taken.AddRange(rows);
        var chosen = Enumerable.Range(0, rows.Count).ToArray();
        RandomStream.Of(seed, stage, $"part of {Name}").Shuffle<int>(chosen);
        taken.AddRange(chosen.Take((int)Math.Round((Weight - Math.Floor(Weight)) * rows.Count)).Order().Select(i => rows[i]));
        return taken;
    }

    private static DataFile Parse(string text)
    {
        var at = text.LastIndexOf('@');
        if (at <= 0 || File.Exists(text) || !double.TryParse(text.AsSpan(at + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out var weight))
            return new DataFile(text, 1);
        return weight > 0 && double.IsFinite(weight) ? new DataFile(text[..at], weight)
            : throw new TrainingException("ATT5122", FormattableString.Invariant($"The weight {weight} is not a positive number.")) { Field = "data", File = text[..at], Hint = "Leave the file out, or give it a weight such as @0.5." };
    }
}
