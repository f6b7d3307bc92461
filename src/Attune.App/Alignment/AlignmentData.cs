using System.Globalization;
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
/// and two sizes. They are written once, into a folder of their own.
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
        (_folder, Rankings) = (folder, Path.Combine(world, "rankings.jsonl"));
        Questions = [.. QuestionSets.Task.Select(set => Path.Combine(world, "questions", $"valid.{set}.jsonl"))];
    }

    /// <summary>The world's rankings, whole.</summary>
    public string Rankings { get; }

    /// <summary>The rankings as pairs without their margins.</summary>
    public string GradedBare => At("graded-bare");

    /// <summary>The rankings as pairs with their margins.</summary>
    public string GradedMargins => At("graded-margins");

    /// <summary>The prompts of the pairs: what PPO answers.</summary>
    public string Prompts => Pairs(0);

    /// <summary>Questions about validation people with their answers: what a reward model is brought up to date on.</summary>
    public IReadOnlyList<string> Questions { get; }

    /// <summary>Rows and pairs that people would have had to judge.</summary>
    public int PairCount { get; private set; }

    /// <summary>Pairs with a share of them exchanged.</summary>
    public string Pairs(double flipped) => At(string.Create(CultureInfo.InvariantCulture, $"pairs-{flipped * 100:0}"));

    /// <summary>Their chosen answers as conversations.</summary>
    public string Chosen(double flipped) => At(string.Create(CultureInfo.InvariantCulture, $"chosen-{flipped * 100:0}"));

    /// <summary>Instructions of a quality and size.</summary>
    public string Instructions(string quality, string size) => At($"sft-{quality}-{size}");

    /// <summary>Writes what is not there yet.</summary>
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
        RankingRow[] rankings = [.. DataReader.ReadRankings(data.Rankings).Take(most)];
        ConversationRow[] large = [.. DataReader.ReadConversations(Path.Combine(world, "sft.jsonl")).Take(rows == 0 ? int.MaxValue : 4 * rows)];
        var small = large[..(large.Length / SmallPart)];
        data.PairCount = pairs.Length;
        foreach (var share in Shares)
        {
            cancel.ThrowIfCancellationRequested();
            PreferenceRow[] flipped = [.. PreferenceVariants.Flipped(pairs, share, seed)];
            Once(data.Pairs(share), path => PreferenceVariants.Write(path, flipped));
            Once(data.Chosen(share), path => PreferenceVariants.Write(path, PreferenceVariants.Chosen(flipped)));
        }
        Once(data.GradedBare, path => PreferenceVariants.Write(path, PreferenceVariants.Pairs(rankings, margins: false)));
        Once(data.GradedMargins, path => PreferenceVariants.Write(path, PreferenceVariants.Pairs(rankings, margins: true)));
        foreach (var (size, of) in new[] { ("small", small), ("large", large) })
        {
            cancel.ThrowIfCancellationRequested();
            Once(data.Instructions("written", size), path => PreferenceVariants.Write(path, of));
            Once(data.Instructions("noisy", size), path => PreferenceVariants.Write(path, PreferenceVariants.Noisy(of, Noise, seed)));
            Once(data.Instructions("filtered", size), path => PreferenceVariants.Write(path, PreferenceVariants.Filtered(of, Noise, Found, Lost, seed)));
            Once(data.Instructions("duplicated", size), path => PreferenceVariants.Write(path, PreferenceVariants.Duplicated(of, SmallPart)));
        }
        return data;
    }

    private static void Once(string path, Action<string> write)
    {
        if (!File.Exists(path))
            write(path);
    }

    private string At(string name) => Path.Combine(_folder, name + ".jsonl");
}
