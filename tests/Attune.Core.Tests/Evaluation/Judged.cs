using Attune.Core.Evaluation.Comparison;
using Attune.Core.Worlds;

namespace Attune.Core.Tests.Evaluation;

/// <summary>Versions whose answers are made by hand: the reference answer or the rejected one, as the test says.</summary>
internal static class Judged
{
    public static World World { get; } = World.Create(WorldOptions.Tiny("en") with { People = 48, PretrainTokens = 20_000, InstructRows = 10, ChatRows = 10, PreferenceRows = 10, RankingRows = 10, ValidRows = 10, BenchItems = 12 });

    public static WorldJudge Judge { get; } = new(World.Language);

    public static IReadOnlyDictionary<string, IReadOnlyList<WorldQuestion>> Questions { get; } =
        ComparisonMetric.AllSets.ToDictionary(set => set, set => QuestionSets.Build(World, WorldSplit.Test, set), StringComparer.Ordinal);

    /// <summary>A version that answers each question of a set right or wrong by its number in the set.</summary>
    public static JudgedVersion Version(string name, Func<WorldQuestion, int, bool> right) => Answering(name, (q, i) => right(q, i) ? q.Reference : q.Rejected);

    /// <summary>A version with its answers given.</summary>
    public static JudgedVersion Answering(string name, Func<WorldQuestion, int, string> answer) => new(name, null, Questions.ToDictionary(
        s => s.Key,
        s => (IReadOnlyList<JudgedAnswer>)[.. s.Value.Select((q, i) => new JudgedAnswer(q, answer(q, i), Judge.Judge(q, answer(q, i))))],
        StringComparer.Ordinal));
}
