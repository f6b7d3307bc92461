namespace Attune.Core.Checkpoints;

/// <summary>What a tensor of a decoder is, whatever its family calls it.</summary>
public enum DecoderPart
{
    /// <summary>[V, D]: a row for each token.</summary>
    Embedding,

    /// <summary>[context, D]: a row for each position.</summary>
    Positions,

    /// <summary>[D]: before attention.</summary>
    AttentionNorm,

    /// <summary>[H·C, D].</summary>
    Query,

    /// <summary>[K·C, D].</summary>
    Key,

    /// <summary>[K·C, D].</summary>
    Value,

    /// <summary>[(H + 2K)·C, D]: the three in one.</summary>
    QueryKeyValue,

    /// <summary>[D, H·C].</summary>
    Output,

    /// <summary>[C] or [H·C].</summary>
    QueryNorm,

    /// <summary>[C] or [K·C].</summary>
    KeyNorm,

    /// <summary>[D]: after attention.</summary>
    AttentionOutNorm,

    /// <summary>[D]: before the feed-forward layer.</summary>
    FeedForwardNorm,

    /// <summary>[F, D].</summary>
    Gate,

    /// <summary>[F, D].</summary>
    Up,

    /// <summary>[2F, D]: gate and up in one.</summary>
    GateUp,

    /// <summary>[D, F].</summary>
    Down,

    /// <summary>[D]: after the feed-forward layer.</summary>
    FeedForwardOutNorm,

    /// <summary>[D]: after the last block.</summary>
    FinalNorm,

    /// <summary>[V, D].</summary>
    Head,

    /// <summary>[1, D].</summary>
    Score,
}

/// <summary>One tensor that the weights of a config must hold.</summary>
/// <param name="Part">What it is; its shape there is that of a matrix with outputs first.</param>
/// <param name="Layer">The block it belongs to; −1 outside the blocks.</param>
/// <param name="IsBias">Whether it is the bias that belongs to the part, [outputs].</param>
/// <param name="Name">Its name in the files.</param>
/// <param name="Shape">Its shape in the files.</param>
public sealed record DecoderTensor(DecoderPart Part, int Layer, bool IsBias, string Name, long[] Shape);

/// <summary>Which tensors, of which shapes, the weights of a config must hold, by Hugging Face's names.</summary>
public static class TensorNames
{
    /// <summary>Every tensor of a model with its shape, in the order of the forward pass; a tied head is not among them.</summary>
    public static IEnumerable<(string Name, long[] Shape)> All(DecoderConfig config) => Parts(config).Select(t => (t.Name, t.Shape));

    /// <summary>The same with what each tensor is: what loaders, converters and other formats go by.</summary>
    public static IEnumerable<DecoderTensor> Parts(DecoderConfig config)
    {
        long v = config.VocabularySize, d = config.HiddenSize, f = config.IntermediateSize, c = config.HeadSize, q = config.Heads * c, kv = config.KeyValueHeads * c;
        var names = config.Names;
        var body = names.Body + ".";
        yield return new(DecoderPart.Embedding, -1, false, $"{body}{names.Embedding}.weight", [v, d]);
        if (config.LearnedPositions)
            yield return new(DecoderPart.Positions, -1, false, $"{body}{names.Positions}.weight", [config.ContextLength, d]);
        foreach (var tensor in Enumerable.Range(0, config.Layers).SelectMany(i => Block(config, i, names.Block(i), (d, f, c, q, kv))))
            yield return tensor;
        foreach (var tensor in Norm(config, DecoderPart.FinalNorm, -1, body + names.FinalNorm, d))
            yield return tensor;
        if (config.Head == DecoderHead.Score)
            yield return new(DecoderPart.Score, -1, false, $"{names.Score}.weight", [1, d]);
        else if (!config.TiedEmbeddings)
            yield return new(DecoderPart.Head, -1, false, $"{names.Head}.weight", [v, d]);
    }

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
            if (!expected.Contains(tensor.Name) && !SaysNothingNew(config, tensor.Name))
                throw new CheckpointException("ATT2016", "The weights hold a tensor that this architecture does not have.") { Field = tensor.Name };
        }
    }

    // Old checkpoints keep the rotary frequencies, masks, and a copy of a tied head.
    private static bool SaysNothingNew(DecoderConfig config, string name) =>
        (config.TiedEmbeddings && name == $"{config.Names.Head}.weight")
        || name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal)
        || (name.EndsWith($".{config.Names.Attention}.bias", StringComparison.Ordinal) || name.EndsWith($".{config.Names.Attention}.masked_bias", StringComparison.Ordinal));

    private static IEnumerable<DecoderTensor> Block(DecoderConfig config, int i, string block, (long D, long F, long C, long Q, long KV) size)
    {
        var (names, (d, f, c, q, kv)) = (config.Names, size);
        var (attention, feedForward) = ($"{block}{names.Attention}.", $"{block}{names.FeedForward}.");
        var (before, after) = (config.NormPlacement != NormPlacement.After, config.NormPlacement is NormPlacement.After or NormPlacement.BeforeAndAfter);
        return
        [
            .. before ? Norm(config, DecoderPart.AttentionNorm, i, block + names.AttentionNorm, d) : [],
            .. names.QueryKeyValue is { } fused
                ? Linear(DecoderPart.QueryKeyValue, attention + fused, q + 2 * kv, d, config.AttentionBias)
                :
                [
                    .. Linear(DecoderPart.Query, attention + names.Query, q, d, config.AttentionBias),
                    .. Linear(DecoderPart.Key, attention + names.Key, kv, d, config.AttentionBias),
                    .. Linear(DecoderPart.Value, attention + names.Value, kv, d, config.AttentionBias),
                ],
            .. Linear(DecoderPart.Output, attention + names.Output, d, q, config.OutputBias),
            .. config.QueryKeyNorm switch
            {
                QueryKeyNorm.None => [],
                var kind =>
                (DecoderTensor[])[
                    new(DecoderPart.QueryNorm, i, false, $"{attention}{names.QueryNorm}.weight", [kind == QueryKeyNorm.PerHead ? c : q]),
                    new(DecoderPart.KeyNorm, i, false, $"{attention}{names.KeyNorm}.weight", [kind == QueryKeyNorm.PerHead ? c : kv]),
                ],
            },
            .. after ? Norm(config, DecoderPart.AttentionOutNorm, i, block + names.AttentionOutNorm, d) : [],
            .. before && config.NormPlacement != NormPlacement.Shared ? Norm(config, DecoderPart.FeedForwardNorm, i, block + names.FeedForwardNorm, d) : [],
            .. names.GateUp is { } together
                ? Linear(DecoderPart.GateUp, feedForward + together, 2 * f, d, config.FeedForwardBias)
                :
                [
                    .. config.GatedFeedForward ? Linear(DecoderPart.Gate, feedForward + names.Gate, f, d, config.FeedForwardBias) : [],
                    .. Linear(DecoderPart.Up, feedForward + names.Up, f, d, config.FeedForwardBias),
                ],
            .. Linear(DecoderPart.Down, feedForward + names.Down, d, f, config.FeedForwardBias),
            .. after ? Norm(config, DecoderPart.FeedForwardOutNorm, i, block + names.FeedForwardOutNorm, d) : [],
        ];

        IEnumerable<DecoderTensor> Linear(DecoderPart part, string name, long output, long input, bool bias)
        {
            yield return new(part, i, false, $"{name}.weight", names.Transposed ? [input, output] : [output, input]);
            if (bias)
                yield return new(part, i, true, $"{name}.bias", [output]);
        }
    }

    private static IEnumerable<DecoderTensor> Norm(DecoderConfig config, DecoderPart part, int layer, string name, long size)
    {
        yield return new(part, layer, false, $"{name}.weight", [size]);
        if (config.Norm == NormKind.Layer)
            yield return new(part, layer, true, $"{name}.bias", [size]);
    }
}
