namespace Attune.Core.Checkpoints;

/// <summary>Which tensors, of which shapes, the weights of a config must hold, by Hugging Face's names.</summary>
public static class TensorNames
{
    /// <summary>Every tensor of a model with its shape, in the order of the forward pass; a tied head is not among them.</summary>
    public static IEnumerable<(string Name, long[] Shape)> All(DecoderConfig config) =>
        config.Architecture == "GPT2LMHeadModel" ? Gpt2(config) : LlamaLike(config);

    /// <summary>Checks that the weights hold what the config asks for, with the right shapes, before anything is computed.</summary>
    /// <exception cref="CheckpointException">ATT2013: a tensor is missing; ATT2016: one has another shape, or is one that the config does not know.</exception>
    public static void Check(DecoderConfig config, WeightFiles weights)
    {
        var expected = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, shape) in All(config))
        {
            expected.Add(name);
            if (!weights[name].Shape.SequenceEqual(shape))
                throw new CheckpointException("ATT2016", $"Its shape is {weights[name].ShapeText}; config.json asks for [{string.Join(", ", shape)}].") { Field = name };
        }
        foreach (var tensor in weights.Tensors)
        {
            if (!expected.Contains(tensor.Name) && !SaysNothingNew(tensor.Name))
                throw new CheckpointException("ATT2016", "The weights hold a tensor that this architecture does not have.") { Field = tensor.Name };
        }
    }

    // Old checkpoints keep the rotary frequencies, GPT-2's masks, and a copy of a tied head.
    private static bool SaysNothingNew(string name) =>
        name == LlamaNames.Head
        || name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal)
        || name.EndsWith(".attn.bias", StringComparison.Ordinal)
        || name.EndsWith(".attn.masked_bias", StringComparison.Ordinal);

    private static IEnumerable<(string Name, long[] Shape)> LlamaLike(DecoderConfig config)
    {
        long d = config.HiddenSize, f = config.IntermediateSize, c = config.HeadSize, q = config.Heads * c, kv = config.KeyValueHeads * c;
        yield return (LlamaNames.Embedding, [config.VocabularySize, d]);
        for (var i = 0; i < config.Layers; i++)
        {
            if (config.NormPlacement != NormPlacement.After)
                yield return (LlamaNames.InputNorm(i), [d]);
            foreach (var tensor in config.Architecture == "Phi3ForCausalLM" ? Linear(LlamaNames.QueryKeyValue(i), q + 2 * kv, d, false) : SeparateAttention(i))
                yield return tensor;
            foreach (var tensor in Linear(LlamaNames.Output(i), d, q, config.OutputBias))
                yield return tensor;
            if (config.QueryKeyNorm != QueryKeyNorm.None)
            {
                yield return (LlamaNames.QueryNorm(i), [config.QueryKeyNorm == QueryKeyNorm.PerHead ? c : q]);
                yield return (LlamaNames.KeyNorm(i), [config.QueryKeyNorm == QueryKeyNorm.PerHead ? c : kv]);
            }
            yield return (LlamaNames.PostAttentionNorm(i), [d]);
            if (config.NormPlacement == NormPlacement.BeforeAndAfter)
                yield return (LlamaNames.PreFeedForwardNorm(i), [d]);
            foreach (var tensor in config.Architecture == "Phi3ForCausalLM" ? Linear(LlamaNames.GateUp(i), 2 * f, d, false) : SeparateFeedForward(i))
                yield return tensor;
            foreach (var tensor in Linear(LlamaNames.Down(i), d, f, config.FeedForwardBias))
                yield return tensor;
            if (config.NormPlacement != NormPlacement.Before)
                yield return (LlamaNames.PostFeedForwardNorm(i), [d]);
        }
        yield return (LlamaNames.FinalNorm, [d]);
        if (config.Head == DecoderHead.Score)
            yield return (LlamaNames.Score, [1, d]);
        else if (!config.TiedEmbeddings)
            yield return (LlamaNames.Head, [config.VocabularySize, d]);

        IEnumerable<(string, long[])> SeparateAttention(int i) =>
        [
            .. Linear(LlamaNames.Query(i), q, d, config.AttentionBias), .. Linear(LlamaNames.Key(i), kv, d, config.AttentionBias),
            .. Linear(LlamaNames.Value(i), kv, d, config.AttentionBias),
        ];

        IEnumerable<(string, long[])> SeparateFeedForward(int i) =>
            [.. Linear(LlamaNames.Gate(i), f, d, config.FeedForwardBias), .. Linear(LlamaNames.Up(i), f, d, config.FeedForwardBias)];
    }

    // GPT-2's projections are Conv1D: [in, out], the transpose of a linear layer's weight.
    private static IEnumerable<(string Name, long[] Shape)> Gpt2(DecoderConfig config)
    {
        long d = config.HiddenSize, f = config.IntermediateSize;
        yield return ("transformer.wte.weight", [config.VocabularySize, d]);
        yield return ("transformer.wpe.weight", [config.ContextLength, d]);
        for (var i = 0; i < config.Layers; i++)
        {
            foreach (var (part, shape) in ((string, long[])[])[("ln_1", [d]), ("attn.c_attn", [d, 3 * d]), ("attn.c_proj", [d, d]), ("ln_2", [d]), ("mlp.c_fc", [d, f]), ("mlp.c_proj", [f, d])])
            {
                yield return (FormattableString.Invariant($"transformer.h.{i}.{part}.weight"), shape);
                yield return (FormattableString.Invariant($"transformer.h.{i}.{part}.bias"), [shape[^1]]);
            }
        }
        yield return ("transformer.ln_f.weight", [d]);
        yield return ("transformer.ln_f.bias", [d]);
        if (!config.TiedEmbeddings)
            yield return (LlamaNames.Head, [config.VocabularySize, d]);
    }

    private static IEnumerable<(string Name, long[] Shape)> Linear(string name, long output, long input, bool bias)
    {
        yield return (name, [output, input]);
        if (bias)
            yield return (LlamaNames.Bias(name), [output]);
    }
}
