using Attune.Core.Checkpoints;
using Attune.Core.Versions;
using Attune.Inference.Kernels;
using Attune.Prompts;

namespace Attune.Inference;

/// <summary>
/// The weights of a decoder as the engine runs them: read once from a model's files, packed for the kernels, shared by
/// any number of engines. Query, key and value rows are one matrix, gate and up another, whatever the family stores; every
/// head is filled up with zeros to a multiple of 16, which add nothing to any product. Lives outside the collected heap;
/// <see cref="Dispose"/> frees it.
/// </summary>
public sealed class DecoderWeights : IDisposable
{
    private readonly PackedMatrix? _embedding;

    private DecoderWeights(DecoderConfig config)
    {
        Config = config;
        Width = Tile.Padded(config.HiddenSize);
        HeadWidth = Tile.Padded(config.HeadSize);
        FeedForwardWidth = Tile.Padded(config.IntermediateSize);
        QueryWidth = config.Heads * HeadWidth;
        KeyValueWidth = config.KeyValueHeads * HeadWidth;
        FinalNorm = new NormWeights(config, config.HiddenSize, Width);
        Head = new PackedMatrix(config.VocabularySize, config.HiddenSize);
        _embedding = config.TiedEmbeddings ? null : new PackedMatrix(config.VocabularySize, config.HiddenSize);
        Positions = config.LearnedPositions ? new NativeFloats((long)config.ContextLength * Width) : null;
        Layers = [.. Enumerable.Range(0, config.Layers).Select(_ => new Layer(this))];
        LongBeyond = RotaryFrequencies.Of(config, config.LearnedPositions ? LayerRotation.None : LayerRotation.Global)?.LongBeyond;
    }

    /// <summary>The model's shape.</summary>
    public DecoderConfig Config { get; }

    internal int Width { get; }

    internal int HeadWidth { get; }

    internal int FeedForwardWidth { get; }

    internal int QueryWidth { get; }

    internal int KeyValueWidth { get; }

    /// <summary>Width of what the feed-forward layer computes inside: gate and up, or one.</summary>
    internal int InnerWidth => (Config.GatedFeedForward ? 2 : 1) * FeedForwardWidth;

    /// <summary>longrope: texts longer than this turn by other frequencies.</summary>
    internal int? LongBeyond { get; }

    internal Layer[] Layers { get; }

    internal NormWeights FinalNorm { get; }

    internal PackedMatrix Head { get; }

    internal PackedMatrix Embedding => _embedding ?? Head;

    /// <summary>[context, D], rows padded; null where positions are rotated.</summary>
    internal NativeFloats? Positions { get; }

    /// <summary>Reads config.json and the weights of a model; F16 and BF16 are widened to float32.</summary>
    /// <exception cref="AttuneException">A file is missing, broken, or asks for what the engine does not run (ATT2022, ATT6001).</exception>
    public static DecoderWeights Load(ModelFiles files)
    {
        var config = HuggingFaceConfig.Read(files.Require(ModelFiles.Config));
        if (config.Head != DecoderHead.Language)
            throw InferenceException.Unsupported("architectures", $"{config.Architecture}, which has a score in place of a vocabulary");
        using var source = WeightFiles.Open(files);
        TensorNames.Check(config, source);
        var weights = new DecoderWeights(config);
        try
        {
            foreach (var tensor in TensorNames.Parts(config))
                weights.Read(source, tensor);
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>Frees the weights. No engine may use them any more.</summary>
    public void Dispose()
    {
        foreach (var layer in Layers)
            layer.Dispose();
        FinalNorm.Dispose();
        Head.Dispose();
        _embedding?.Dispose();
        Positions?.Dispose();
    }

    private void Read(WeightFiles source, DecoderTensor tensor)
    {
        var layer = tensor.Layer < 0 ? null : Layers[tensor.Layer];
        var (d, f, h, k) = (Config.HiddenSize, Config.IntermediateSize, Config.Heads, Config.KeyValueHeads);
        switch (tensor.Part)
        {
            case DecoderPart.Embedding:
                Matrix(Embedding, Straight(Config.VocabularySize), Straight(d));
                break;
            case DecoderPart.Head:
                Matrix(Head, Straight(Config.VocabularySize), Straight(d));
                break;
            case DecoderPart.Positions:
                for (var i = 0; i < Config.ContextLength; i++)
                    source.ReadFloats(tensor.Name, (long)i * d, Positions!.Slice((long)i * Width, d));
                break;
            case DecoderPart.FinalNorm:
                // A factor on the logits is one on what the head reads.
                Norm(FinalNorm, Straight(d), Config.LogitScale ?? 1);
                break;
            case DecoderPart.AttentionNorm:
                Norm(layer!.AttentionNorm!, Straight(d));
                break;
            case DecoderPart.AttentionOutNorm:
                Norm(layer!.AttentionOutNorm!, Straight(d));
                break;
            case DecoderPart.FeedForwardNorm:
                Norm(layer!.FeedForwardNorm!, Straight(d));
                break;
            case DecoderPart.FeedForwardOutNorm:
                Norm(layer!.FeedForwardOutNorm!, Straight(d));
                break;
            case DecoderPart.QueryNorm:
                Norm(layer!.QueryNorm!, Heads(0, Config.QueryKeyNorm == QueryKeyNorm.Whole ? h : 1, turned: true));
                break;
            case DecoderPart.KeyNorm:
                Norm(layer!.KeyNorm!, Heads(0, Config.QueryKeyNorm == QueryKeyNorm.Whole ? k : 1, turned: true));
                break;
            case DecoderPart.Query:
                Linear(layer!.QueryKeyValue, layer.QueryKeyValueBias, Heads(0, h, turned: true), Straight(d));
                break;
            case DecoderPart.Key:
                Linear(layer!.QueryKeyValue, layer.QueryKeyValueBias, Heads(h, k, turned: true), Straight(d));
                break;
            case DecoderPart.Value:
                Linear(layer!.QueryKeyValue, layer.QueryKeyValueBias, Heads(h + k, k, turned: false), Straight(d));
                break;
            case DecoderPart.QueryKeyValue:
                Linear(layer!.QueryKeyValue, layer.QueryKeyValueBias, Fused(), Straight(d));
                break;
            case DecoderPart.Output:
                Linear(layer!.Output, layer.OutputBias, Straight(d), Heads(0, h, turned: false));
                break;
            case DecoderPart.Gate:
                Linear(layer!.GateUp, layer.GateUpBias, Straight(f), Straight(d));
                break;
            case DecoderPart.Up:
                Linear(layer!.GateUp, layer.GateUpBias, Straight(f, Config.GatedFeedForward ? FeedForwardWidth : 0), Straight(d));
                break;
            case DecoderPart.GateUp:
                Linear(layer!.GateUp, layer.GateUpBias, [.. Straight(f), .. Straight(f, FeedForwardWidth)], Straight(d));
                break;
            case DecoderPart.Down:
                Linear(layer!.Down, layer.DownBias, Straight(d), Straight(f));
                break;
            default:
                throw InferenceException.Unsupported(tensor.Name, $"a {tensor.Part}");
        }

        void Linear(PackedMatrix matrix, NativeFloats? bias, int[] rows, int[] columns)
        {
            if (tensor.IsBias)
                Vector(bias!, rows);
            else
                Matrix(matrix, rows, columns);
        }

        void Norm(NormWeights norm, int[] places, double factor = 1) =>
            Vector(tensor.IsBias ? norm.Bias : norm.Weight, places, factor, Config.Norm == NormKind.RmsPlusOne ? 1 : 0);

        void Vector(NativeFloats target, int[] places, double factor = 1, float more = 0)
        {
            var values = new float[places.Length];
            source.ReadFloats(tensor.Name, values);
            for (var i = 0; i < values.Length; i++)
                target.Slice(places[i], 1)[0] = (float)((values[i] + more) * factor);
        }

        void Matrix(PackedMatrix target, int[] rows, int[] columns)
        {
            // GPT-2 keeps its matrices with the inputs first.
            var flipped = Config.Names.Transposed && tensor.Part is not (DecoderPart.Embedding or DecoderPart.Head);
            var (outer, inner) = flipped ? (columns, rows) : (rows, columns);
            var line = new float[inner.Length];
            for (var i = 0; i < outer.Length; i++)
            {
                source.ReadFloats(tensor.Name, (long)i * line.Length, line);
                if (!flipped && inner[^1] == inner.Length - 1)
                {
                    target.SetRow(outer[i], line);
                    continue;
                }
                for (var j = 0; j < line.Length; j++)
                    target.Set(flipped ? inner[j] : outer[i], flipped ? outer[i] : inner[j], line[j]);
            }
        }
    }

    private static int[] Straight(int count, int from = 0) => [.. Enumerable.Range(from, count)];

    /// <summary>Where the elements of heads go: each head begins at a multiple of its padded width.</summary>
    /// <param name="first">The first head's place.</param>
    /// <param name="count">Heads.</param>
    /// <param name="turned">Whether they are rotated: where neighbours turn together, even elements go first and odd ones behind, so that halves do.</param>
    private int[] Heads(int first, int count, bool turned)
    {
        var (size, rotated) = (Config.HeadSize, turned && Config.RotatesNeighbours ? Config.RotatedSize : 0);
        return [.. Enumerable.Range(0, count * size).Select(i => (first + i / size) * HeadWidth + Place(i % size))];

        int Place(int i) => i >= rotated ? i : i % 2 == 0 ? i / 2 : rotated / 2 + i / 2;
    }

    private int[] Fused()
    {
        var (h, k, size) = (Config.Heads, Config.KeyValueHeads, Config.HeadSize);
        int[] q = Heads(0, h, turned: true), keys = Heads(h, k, turned: true), values = Heads(h + k, k, turned: false);
        return Config.Names.FusedByHead
            ? [.. Enumerable.Range(0, h).SelectMany(head => (int[])[.. Of(q, head), .. Of(keys, head), .. Of(values, head)])]
            : [.. q, .. keys, .. values];

        ArraySegment<int> Of(int[] places, int head) => new(places, head * size, size);
    }

    /// <summary>One block.</summary>
    internal sealed class Layer : IDisposable
    {
        public Layer(DecoderWeights of)
        {
            var config = of.Config;
            var (before, after) = (config.NormPlacement != NormPlacement.After, config.NormPlacement is NormPlacement.After or NormPlacement.BeforeAndAfter);
            AttentionNorm = Norm(before);
            AttentionOutNorm = Norm(after);
            FeedForwardNorm = Norm(before && config.NormPlacement != NormPlacement.Shared);
            FeedForwardOutNorm = Norm(after);
            if (config.QueryKeyNorm != QueryKeyNorm.None)
            {
                var whole = config.QueryKeyNorm == QueryKeyNorm.Whole;
                QueryNorm = new(config, (whole ? config.Heads : 1) * config.HeadSize, whole ? of.QueryWidth : of.HeadWidth);
                KeyNorm = new(config, (whole ? config.KeyValueHeads : 1) * config.HeadSize, whole ? of.KeyValueWidth : of.HeadWidth);
            }
            QueryKeyValue = new(of.QueryWidth + 2 * of.KeyValueWidth, config.HiddenSize);
            Output = new(config.HiddenSize, of.QueryWidth);
            GateUp = new(of.InnerWidth, config.HiddenSize);
            Down = new(config.HiddenSize, config.IntermediateSize);
            QueryKeyValueBias = config.AttentionBias ? new(QueryKeyValue.PaddedRows) : null;
            OutputBias = config.OutputBias ? new(of.Width) : null;
            GateUpBias = config.FeedForwardBias ? new(GateUp.PaddedRows) : null;
            DownBias = config.FeedForwardBias ? new(of.Width) : null;
            AttentionIsDirect = AttentionOutNorm is null && config.ResidualScale is null && !(config.ParallelResidual && FeedForwardNorm is not null);
            FeedForwardIsDirect = FeedForwardOutNorm is null && config.ResidualScale is null;

            NormWeights? Norm(bool present) => present ? new(config, config.HiddenSize, of.Width) : null;
        }

        /// <summary>[D]; each norm is null where the family has none there.</summary>
        public NormWeights? AttentionNorm { get; }

        /// <inheritdoc cref="AttentionNorm"/>
        public NormWeights? AttentionOutNorm { get; }

        /// <inheritdoc cref="AttentionNorm"/>
        public NormWeights? FeedForwardNorm { get; }

        /// <inheritdoc cref="AttentionNorm"/>
        public NormWeights? FeedForwardOutNorm { get; }

        /// <summary>[C] for each head, or [H·C] for all.</summary>
        public NormWeights? QueryNorm { get; }

        /// <inheritdoc cref="QueryNorm"/>
        public NormWeights? KeyNorm { get; }

        /// <summary>[(H + 2K)·C, D]</summary>
        public PackedMatrix QueryKeyValue { get; }

        /// <summary>[(H + 2K)·C]; each bias is null where the family has none there.</summary>
        public NativeFloats? QueryKeyValueBias { get; }

        /// <summary>[D, H·C]</summary>
        public PackedMatrix Output { get; }

        /// <summary>[D]</summary>
        public NativeFloats? OutputBias { get; }

        /// <summary>[2F, D]: gate, then up; [F, D] where there is no gate.</summary>
        public PackedMatrix GateUp { get; }

        /// <summary>[2F] or [F]</summary>
        public NativeFloats? GateUpBias { get; }

        /// <summary>[D, F]</summary>
        public PackedMatrix Down { get; }

        /// <summary>[D]</summary>
        public NativeFloats? DownBias { get; }

        /// <summary>Whether attention's product may be added to the residual stream as it is computed: nothing stands between the two.</summary>
        public bool AttentionIsDirect { get; }

        /// <summary>The same of the feed-forward layer's.</summary>
        public bool FeedForwardIsDirect { get; }

        public void Dispose()
        {
            foreach (var part in (IDisposable?[])[AttentionNorm, AttentionOutNorm, FeedForwardNorm, FeedForwardOutNorm, QueryNorm, KeyNorm,
                QueryKeyValue, QueryKeyValueBias, Output, OutputBias, GateUp, GateUpBias, Down, DownBias])
                part?.Dispose();
        }
    }
}
