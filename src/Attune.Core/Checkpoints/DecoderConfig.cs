using System.Text.Json.Serialization;
using Attune.Core.Checkpoints.Families;

namespace Attune.Core.Checkpoints;

/// <summary>
/// The shape of a decoder, whatever family it comes from: what the training decoder and the inference engine
/// are built from. <c>HuggingFaceConfig</c> reads it from config.json and writes it back.
/// </summary>
public sealed record DecoderConfig
{
    /// <summary>The Hugging Face class, <c>LlamaForCausalLM</c>.</summary>
    public string Architecture { get; init; } = "LlamaForCausalLM";

    /// <summary>What stands on top: a vocabulary, or one score.</summary>
    public DecoderHead Head { get; init; }

    /// <summary>Rows of the embedding.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>D: width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>F: width of the feed-forward layer.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Number of blocks.</summary>
    public required int Layers { get; init; }

    /// <summary>H: query heads.</summary>
    public required int Heads { get; init; }

    /// <summary>K: key and value heads; divides H.</summary>
    public required int KeyValueHeads { get; init; }

    /// <summary>C: width of one head.</summary>
    public required int HeadSize { get; init; }

    /// <summary>The window the model declares, in tokens.</summary>
    public required int ContextLength { get; init; }

    /// <summary>Base of the rotary frequencies.</summary>
    public double RopeTheta { get; init; } = 10_000;

    /// <summary>Added under the root in RMSNorm.</summary>
    public double NormEpsilon { get; init; } = 1e-5;

    /// <summary>Whether the output head is the embedding itself.</summary>
    public bool TiedEmbeddings { get; init; }

    /// <summary>Standard deviation of the initial weights.</summary>
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>Ids of the special tokens, null where the model names none.</summary>
    public int? BosTokenId { get; init; }

    /// <inheritdoc cref="BosTokenId"/>
    public IReadOnlyList<int> EosTokenIds { get; init; } = [];

    /// <inheritdoc cref="BosTokenId"/>
    public int? PadTokenId { get; init; }

    /// <summary>The type that the weights are stored in, as config.json spells it: <c>float32</c>, <c>bfloat16</c>…</summary>
    public string Dtype { get; init; } = "float32";

    /// <summary>Biases of the query, key and value projections.</summary>
    public bool AttentionBias { get; init; }

    /// <summary>Bias of attention's output projection.</summary>
    public bool OutputBias { get; init; }

    /// <summary>Biases in the feed-forward layer.</summary>
    public bool FeedForwardBias { get; init; }

    /// <summary>Whether the feed-forward layer has a gate: down(act(gate(x)) · up(x)), otherwise down(act(up(x))).</summary>
    public bool GatedFeedForward { get; init; } = true;

    /// <summary>The function inside it.</summary>
    public Activation Activation { get; init; }

    /// <summary>What normalises the residual stream.</summary>
    public NormKind Norm { get; init; }

    /// <summary>Where a block's norms stand.</summary>
    public NormPlacement NormPlacement { get; init; }

    /// <summary>Whether queries and keys are normalised, before rotation.</summary>
    public QueryKeyNorm QueryKeyNorm { get; init; }

    /// <summary>How rotary frequencies are stretched (in full layers, where sliding ones have a base of their own); null: not.</summary>
    public RopeScaling? RopeScaling { get; init; }

    /// <summary>The part of each head that is rotated, its first dimensions.</summary>
    public double RotaryShare { get; init; } = 1;

    /// <summary>Base of the rotary frequencies in sliding layers, unscaled; null: as in full ones.</summary>
    public double? LocalRopeTheta { get; init; }

    /// <summary>Positions by a table of [ContextLength, D] that is added to the embedding, in place of rotation.</summary>
    public bool LearnedPositions { get; init; }

    /// <summary>What sliding layers see, in tokens, their own included; null where no layer slides.</summary>
    public int? SlidingWindow { get; init; }

    /// <summary>What each layer attends to; empty: all of them everything.</summary>
    public IReadOnlyList<LayerAttention> LayerAttentions { get; init; } = [];

    /// <summary>cap · tanh(score / cap) on scaled attention scores, before the mask; null: no cap.</summary>
    public double? AttentionSoftCap { get; init; }

    /// <summary>The same on the logits.</summary>
    public double? LogitSoftCap { get; init; }

    /// <summary>Multiplies q·k; null: 1/√C.</summary>
    public double? AttentionScale { get; init; }

    /// <summary>Multiplies embeddings on the way in, rounded to the weights' type first; null: one.</summary>
    public double? EmbeddingScale { get; init; }

    /// <summary>Whether attention and the feed-forward layer read the same x and both are added to it: x + a(x) + f(x).</summary>
    public bool ParallelResidual { get; init; }

    /// <summary>Multiplies what a block's two parts add to the residual stream; null: one.</summary>
    public double? ResidualScale { get; init; }

    /// <summary>Multiplies the logits; null: one.</summary>
    public double? LogitScale { get; init; }

    /// <summary>Whether rotation turns elements 2i and 2i + 1 of a head together, and not i and i + R/2 of the R rotated ones.</summary>
    public bool RotatesNeighbours { get; init; }

    /// <summary>Layers whose queries and keys are not rotated: they see no positions.</summary>
    public IReadOnlyList<int> UnrotatedLayers { get; init; } = [];

    /// <summary>
    /// Keys of config.json that change nothing of what is computed and stand there with other values than transformers
    /// writes by itself, as JSON: they are written back.
    /// </summary>
    public string? Unused { get; init; }

    /// <summary>What files call its parts.</summary>
    /// <exception cref="UnsupportedCheckpointException">ATT2022: there is no such architecture.</exception>
    [JsonIgnore]
    public DecoderNames Names => FamilyList.Of(Architecture).Names;

    /// <summary>What a layer sees of the past, in tokens, its own included; null: everything.</summary>
    public int? WindowOf(int layer) => layer < LayerAttentions.Count && LayerAttentions[layer] == LayerAttention.Sliding ? SlidingWindow : null;

    /// <summary>How a layer rotates queries and keys.</summary>
    public LayerRotation RotationOf(int layer) =>
        LearnedPositions || UnrotatedLayers.Contains(layer) ? LayerRotation.None
        : LocalRopeTheta is not null && WindowOf(layer) is not null ? LayerRotation.Local : LayerRotation.Global;

    /// <summary>How many elements of a head are rotated, R: its first ones.</summary>
    public int RotatedSize => (int)(HeadSize * RotaryShare);

    /// <summary>What it needs beyond a plain Llama.</summary>
    public DecoderFeatures Features
    {
        get
        {
            var needed = DecoderFeatures.None;
            Need(AttentionBias || OutputBias, DecoderFeatures.AttentionBias);
            Need(FeedForwardBias, DecoderFeatures.FeedForwardBias);
            Need(Activation != Activation.Silu, DecoderFeatures.Activation);
            Need(!GatedFeedForward, DecoderFeatures.PlainFeedForward);
            Need(Norm != NormKind.Rms, DecoderFeatures.NormKind);
            Need(NormPlacement != NormPlacement.Before, DecoderFeatures.NormPlacement);
            Need(QueryKeyNorm != QueryKeyNorm.None, DecoderFeatures.QueryKeyNorm);
            Need(RopeScaling is { Kind: not "longrope" }, DecoderFeatures.RopeScaling);
            Need(RopeScaling is { Kind: "longrope" }, DecoderFeatures.LongRope);
            Need(RotaryShare != 1, DecoderFeatures.PartialRope);
            Need(LocalRopeTheta is not null, DecoderFeatures.LocalRope);
            Need(LearnedPositions, DecoderFeatures.LearnedPositions);
            Need(SlidingWindow is not null, DecoderFeatures.SlidingWindow);
            Need(AttentionSoftCap is not null || LogitSoftCap is not null, DecoderFeatures.SoftCaps);
            Need(AttentionScale is not null, DecoderFeatures.AttentionScale);
            Need(EmbeddingScale is not null, DecoderFeatures.EmbeddingScale);
            Need(Names is { Transposed: true } or { QueryKeyValue: not null } or { GateUp: not null }, DecoderFeatures.FusedProjections);
            Need(Head == DecoderHead.Score, DecoderFeatures.ScoreHead);
            Need(ParallelResidual, DecoderFeatures.ParallelResidual);
            Need(ResidualScale is not null || LogitScale is not null, DecoderFeatures.Multipliers);
            Need(RotatesNeighbours, DecoderFeatures.RotatesNeighbours);
            Need(UnrotatedLayers.Count > 0, DecoderFeatures.UnrotatedLayers);
            return needed;

            void Need(bool when, DecoderFeatures feature) => needed |= when ? feature : DecoderFeatures.None;
        }
    }

    /// <summary>Parameters of the whole model, a tied embedding counted once.</summary>
    public long Parameters => TensorNames.All(this).Sum(tensor => tensor.Shape.Aggregate(1L, (product, size) => product * size));
}
