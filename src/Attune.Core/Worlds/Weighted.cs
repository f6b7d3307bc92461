using Attune.Core.Randomness;

namespace Attune.Core.Worlds;

/// <summary>A choice by weights.</summary>
internal static class Weighted
{
    /// <summary>An index, in proportion to its weight; weights are zero or more, and not all zero.</summary>
    public static int Pick(ReadOnlySpan<double> weights, RandomStream random)
    {
        var sum = 0.0;
        foreach (var weight in weights) sum += weight;
        if (sum <= 0) throw WorldException.BadOption("shares", "All shares of a group are 0.", "Give at least one kind a weight.");
        var at = random.NextDouble() * sum;
        for (var i = 0; i < weights.Length; i++)
            if ((at -= weights[i]) < 0) return i;
        return weights.LastIndexOfAnyExcept(0.0);
    }
}
