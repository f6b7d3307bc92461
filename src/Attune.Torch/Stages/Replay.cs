using Attune.Core.Data;
using Attune.Core.Randomness;
using Attune.Core.Tokens;

namespace Attune.Torch.Stages;

/// <summary>Plain text mixed into fine-tuning, so that the model keeps what its parent knows.</summary>
public static class Replay
{
    /// <summary>The kind that reports count it under.</summary>
    public const string Kind = "replay";

    /// <summary>Random windows of the replayed files, as many as make up their share of all tokens.</summary>
    /// <param name="files">Text files; none gives no rows.</param>
    /// <param name="share">Replayed tokens over all tokens, from 0 to below 1.</param>
    /// <param name="tokens">Tokens of the other rows.</param>
    /// <param name="tokenizer">The parent's.</param>
    /// <param name="window">Longest window.</param>
    /// <param name="seed">The run's seed.</param>
    public static List<TokenRow> Rows(IReadOnlyList<DataFile> files, double share, long tokens, Tokenizer tokenizer, int window, long seed)
    {
        if (files.Count == 0 || share == 0)
            return [];
        var pool = PretrainData.Rows(files, tokenizer, PretrainData.Boundary(tokenizer, null), window, seed, Kind, new RowTally());
        var (rows, wanted, order) = (new List<TokenRow>(), share / (1 - share) * tokens, new Queue<int>());
        for (var pass = 0; wanted > 0; wanted -= rows[^1].Ids.Length)
        {
            if (order.Count == 0)
                order = new Queue<int>(RandomStream.Of(seed, Kind, FormattableString.Invariant($"pass {pass++}")).Permutation(pool.Count));
            var row = pool[order.Dequeue()];
            rows.Add(row with { Origin = row.Origin with { Kind = Kind } });
        }
        return rows;
    }

    /// <summary>Replayed rows among the others: spread evenly, for a run that keeps the files' order.</summary>
    public static List<TokenRow> Interleave(List<TokenRow> rows, List<TokenRow> replayed)
    {
        var mixed = new List<TokenRow>(rows.Count + replayed.Count);
        for (var (i, j) = (0, 0); i < rows.Count || j < replayed.Count;)
        {
            var behind = j < replayed.Count && (i >= rows.Count || (long)j * rows.Count < (long)i * replayed.Count);
            mixed.Add(behind ? replayed[j++] : rows[i++]);
        }
        return mixed;
    }
}
