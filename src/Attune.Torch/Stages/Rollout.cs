using Attune.Core.Data;

namespace Attune.Torch.Stages;

/// <summary>An answer that the policy gave, with all that is known of it before it is learnt from.</summary>
public sealed record Rollout
{
    /// <summary>Index of the prompt among the rows of the stage.</summary>
    public required int Prompt { get; init; }

    /// <summary>Prompt and answer, the token that ended it included.</summary>
    public required int[] Ids { get; init; }

    /// <summary>How many of them are the prompt.</summary>
    public required int PromptLength { get; init; }

    /// <summary>Whether the policy ended its turn itself.</summary>
    public required bool Ended { get; init; }

    /// <summary>What the reward gave it, before penalty and clip.</summary>
    public double Score { get; init; }

    /// <summary>ln p of each token of the answer under the policy that gave it, at the sampling temperature.</summary>
    public float[] Old { get; init; } = [];

    /// <summary>The same under the reference; empty where there is none.</summary>
    public float[] Reference { get; init; } = [];

    /// <summary>V of the state before each token; empty where there is no value model.</summary>
    public float[] Values { get; init; } = [];

    /// <summary>Tokens of the answer.</summary>
    public int Length => Ids.Length - PromptLength;

    /// <summary>Rollouts end to end, their answers the targets; a prompt that several answer is laid down once.</summary>
    public static RaggedBatch Batch(IEnumerable<Rollout> rollouts)
    {
        var (ids, trained, prefixes, first) = (new List<int[]>(), new List<bool[]>(), new List<(int Row, int Length)>(), new Dictionary<int, int>());
        foreach (var rollout in rollouts)
        {
            // The prompt's last token stands in every row, for the answer's first is predicted from it.
            var root = first.TryAdd(rollout.Prompt, ids.Count) ? -1 : first[rollout.Prompt];
            var prefix = root >= 0 && ids[root].AsSpan().StartsWith(rollout.Ids.AsSpan(0, rollout.PromptLength)) ? rollout.PromptLength - 1 : 0;
            prefixes.Add((Math.Max(0, root), prefix));
            ids.Add(rollout.Ids[prefix..]);
            var flags = new bool[rollout.Ids.Length - prefix];
            flags.AsSpan(rollout.PromptLength - prefix).Fill(true);
            trained.Add(flags);
        }
        return RaggedBatch.Of(ids, trained, prefixes);
    }
}
