using System.Globalization;
using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Core.Preferences;
using Attune.Core.Worlds;
using ConversationRow = Attune.Core.Data.ConversationRow;
using PreferenceRow = Attune.Core.Data.PreferenceRow;
using RankingRow = Attune.Core.Data.RankingRow;

namespace Attune.App.Alignment;

/// <summary>
/// The files that the arms are trained on, all made of one world's: the same preferences as chosen answers and as pairs,
/// with a share of the pairs exchanged; the same rankings with and without their margins; the same instructions in four qualities
/// and two sizes. They are written anew each time, into a folder of their own: equal options give equal files.
/// </summary>
internal sealed class AlignmentData
{
    /// <summary>What the SFT set may be.</summary>
    public static readonly string[] Qualities = ["written", "filtered", "noisy", "duplicated"];

    // 30% wrong answers; a reviewer who finds nine in ten of them and loses one right answer in twenty.
    private const double Noise = 0.3, Found = 0.9, Lost = 0.05;
    private const int SmallPart = 4;

    /// <summary>How large it may be: shares of all rows.</summary>
    public static readonly (string Name, double Share)[] Sizes = [("small", 1.0 / SmallPart), ("large", 1)];

    private static readonly double[] Shares = [0, 0.25, 0.5, 1];

    private readonly string _folder;

    private AlignmentData(string world, string folder)
    {
        _folder = folder;
        HeldOut = [.. DataReader.ReadPreferences(Path.Combine(world, "preference.valid.jsonl"))];
        Questions = [.. QuestionSets.Task.Select(set => Path.Combine(world, "questions", $"valid.{set}.jsonl"))];
    }

    /// <summary>The rankings, whole.</summary>
    public string Rankings => At("rankings");

    /// <summary>The rankings as pairs without their margins.</summary>
    public string GradedBare => At("graded-bare");

    /// <summary>The rankings as pairs with their margins.</summary>
    public string GradedMargins => At("graded-margins");

    /// <summary>The prompts of the pairs: what PPO answers.</summary>
    public string Prompts => Pairs(0);

    /// <summary>Questions about validation people with their answers: what a reward model is brought up to date on.</summary>
    public IReadOnlyList<string> Questions { get; }

    /// <summary>Pairs that nobody trains on, as the world labels them.</summary>
    public IReadOnlyList<PreferenceRow> HeldOut { get; }

    /// <summary>Rows and pairs that people would have had to judge.</summary>
    public int PairCount { get; private set; }

    /// <summary>Pairs with a share of them exchanged.</summary>
    public string Pairs(double flipped) => At(string.Create(CultureInfo.InvariantCulture, $"pairs-{flipped * 100:0}"));

    /// <summary>Their chosen answers as conversations.</summary>
    public string Chosen(double flipped) => At(string.Create(CultureInfo.InvariantCulture, $"chosen-{flipped * 100:0}"));

    /// <summary>Instructions of a quality and size.</summary>
    public string Instructions(string quality, string size) => At($"sft-{quality}-{size}");

    /// <summary>Writes them.</summary>
    /// <param name="world">Folder of the world.</param>
    /// <param name="folder">Where the files go.</param>
    /// <param name="rows">Pairs, rankings and instructions at most; 0 takes all.</param>
    /// <param name="seed">Of what is exchanged.</param>
    /// <param name="cancel">Stops between files.</param>
    public static AlignmentData Write(string world, string folder, int rows, long seed, CancellationToken cancel)
    {
        var data = new AlignmentData(world, folder);
        int most = rows == 0 ? int.MaxValue : rows;
        PreferenceRow[] pairs = [.. DataReader.ReadPreferences(Path.Combine(world, "preference.jsonl")).Take(most)];
        string[] ranked = [.. File.ReadLines(Path.Combine(world, "rankings.jsonl")).Take(most)];
        ConversationRow[] large = [.. DataReader.ReadConversations(Path.Combine(world, "sft.jsonl")).Take(rows == 0 ? int.MaxValue : 4 * rows)];
        var small = large[..(large.Length / SmallPart)];
        data.PairCount = pairs.Length;
        foreach (var share in Shares)
        {
            cancel.ThrowIfCancellationRequested();
            PreferenceRow[] flipped = [.. PreferenceVariants.Flipped(pairs, share, seed)];
            PreferenceVariants.Write(data.Pairs(share), flipped);
            PreferenceVariants.Write(data.Chosen(share), PreferenceVariants.Chosen(flipped));
        }
        Atomic.WriteAllText(data.Rankings, string.Concat(ranked.Select(line => line + "\n")));
        RankingRow[] rankings = [.. DataReader.ReadRankings(data.Rankings)];
        PreferenceVariants.Write(data.GradedBare, PreferenceVariants.Pairs(rankings, margins: false));
        PreferenceVariants.Write(data.GradedMargins, PreferenceVariants.Pairs(rankings, margins: true));
        foreach (var (size, of) in new[] { ("small", small), ("large", large) })
        {
            cancel.ThrowIfCancellationRequested();
            PreferenceVariants.Write(data.Instructions("written", size), of);
            PreferenceVariants.Write(data.Instructions("noisy", size), PreferenceVariants.Noisy(of, Noise, seed));
            PreferenceVariants.Write(data.Instructions("filtered", size), PreferenceVariants.Filtered(of, Noise, Found, Lost, seed));
            PreferenceVariants.Write(data.Instructions("duplicated", size), PreferenceVariants.Duplicated(of, SmallPart));
        }
        return data;
    }

    /// <summary>Whether an option of a stage names files of data.</summary>
    public static bool IsFile(string option) => option is "data" or "keep";

    /// <summary>The files that such an option names.</summary>
    public static IEnumerable<string> Files(object? value) => value as IEnumerable<string> ?? [(string)value!];

    private string At(string name) => Path.Combine(_folder, name + ".jsonl");
}
