namespace Attune.Torch.Stages;

/// <summary>What a stage holds beside the model that it trains: frozen models, a value model, the engine that draws answers.</summary>
public sealed record StageModels
{
    /// <summary>Sequences that are drawn at a time.</summary>
    public const int DrawnAtATime = 64;

    /// <summary>Models in float32 that are not trained: the reference, a reward model.</summary>
    public int Frozen { get; init; }

    /// <summary>Whether a value model of the policy's size is trained with it.</summary>
    public bool Values { get; init; }

    /// <summary>Whether the engine draws answers: it has weights of its own, and a cache of keys and values.</summary>
    public bool Draws { get; init; }

    /// <summary>Tokens of the longest prompt with its answer, where answers are drawn.</summary>
    public long DrawnTokens { get; init; }

    /// <summary>What a stage holds with its usual options.</summary>
    /// <param name="stage">Its stem.</param>
    /// <param name="adapters">Adapters are trained: switched off they are the reference.</param>
    /// <param name="tokens">Tokens of a prompt with its answer.</param>
    public static StageModels Of(string stage, bool adapters, long tokens) => stage switch
    {
        "ppo" => new() { Frozen = adapters ? 1 : 2, Values = true, Draws = true, DrawnTokens = tokens },
        "rloo" => new() { Frozen = adapters ? 0 : 1, Draws = true, DrawnTokens = tokens },
        "grpo" => new() { Draws = true, DrawnTokens = tokens },
        "refresh" => new() { Frozen = 1, Draws = true, DrawnTokens = tokens },
        _ => new(),
    };

    /// <summary>Bytes of the weights and caches of all that, and of the value model's activations.</summary>
    public long Bytes(MemoryPlan plan)
    {
        var config = plan.Config;
        var whole = sizeof(float) * config.Parameters;
        var cache = 2L * sizeof(float) * config.Layers * config.KeyValueHeads * config.HeadSize * DrawnTokens * DrawnAtATime;
        return Frozen * whole + (Values ? plan.WeightBytes + plan.ActivationBytes : 0) + (Draws ? whole + cache : 0);
    }
}
