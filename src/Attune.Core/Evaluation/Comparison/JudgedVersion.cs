using Attune.Core.Worlds;

namespace Attune.Core.Evaluation.Comparison;

/// <summary>An answer beside its question and the judge's word on it.</summary>
public sealed record JudgedAnswer(WorldQuestion Question, string Answer, WorldVerdict Verdict);

/// <summary>A version with its answers to every set, all versions of a comparison on the same questions in the same order.</summary>
/// <param name="Name">What the version is called.</param>
/// <param name="Digest">Its manifest digest, or null for a plain folder.</param>
/// <param name="Answers">Set → answers.</param>
public sealed record JudgedVersion(string Name, string? Digest, IReadOnlyDictionary<string, IReadOnlyList<JudgedAnswer>> Answers)
{
    /// <summary>Whether it was asked all of these sets.</summary>
    public bool Has(IEnumerable<string> sets) => sets.All(Answers.ContainsKey);

    /// <summary>The answers of several sets, one after the other.</summary>
    public IEnumerable<JudgedAnswer> Of(IEnumerable<string> sets) => sets.SelectMany(set => Answers[set]);
}
