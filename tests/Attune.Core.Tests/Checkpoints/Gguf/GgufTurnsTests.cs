using Attune.Core.Checkpoints.Gguf;
using Xunit;

namespace Attune.Core.Tests.Checkpoints.Gguf;

/// <summary>Where the rows of a matrix go: llama.cpp reads them by place, so a wrong one is another model.</summary>
public sealed class GgufTurnsTests
{
    // Two heads of four rows, one column: the value is the row's number in Hugging Face's file.
    [Fact]
    public void Halves_of_a_head_become_pairs() =>
        Check(GgufTurn.Pairs, rows: 8, heads: 2, [0, 2, 1, 3, 4, 6, 5, 7]);

    // Two heads of two: q q k k v v of the first, then of the second → all q, all k, all v.
    [Fact]
    public void What_is_fused_head_by_head_becomes_queries_keys_values() =>
        Check(GgufTurn.Fused, rows: 12, heads: 2, [0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11]);

    private static void Check(GgufTurn turn, int rows, int heads, float[] expected)
    {
        var pair = new GgufPair("q.weight", "attn_q.weight", [rows, 1], turn, heads);
        float[] values = [.. Enumerable.Range(0, rows)];
        Assert.Equal(expected, GgufTurns.ToGguf(pair, values));
        Assert.Equal(values, GgufTurns.FromGguf(pair, expected));
    }
}
