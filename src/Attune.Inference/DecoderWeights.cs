using Attune.Core.Checkpoints;
using Attune.Core.Versions;
using Attune.Inference.Kernels;
using Attune.Prompts;

namespace Attune.Inference;

/// <summary>
/// The weights of a decoder as the engine runs them: read once from a model's files, packed for the kernels, shared by
/// any number of engines. Query, key and value rows are one matrix, gate and up another. Lives outside the collected
/// heap; <see cref="Dispose"/> frees it.
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
        FinalNorm = new NativeFloats(Width);
        Head = new PackedMatrix(config.VocabularySize, config.HiddenSize);
        _embedding = config.TiedEmbeddings ? null : new PackedMatrix(config.VocabularySize, config.HiddenSize);
        Layers = [.. Enumerable.Range(0, config.Layers).Select(_ => new Layer(this))];
    }

    /// <summary>The model's shape.</summary>
    public DecoderConfig Config { get; }

    internal int Width { get; }

    internal int HeadWidth { get; }

    internal int FeedForwardWidth { get; }

    internal int QueryWidth { get; }

    internal int KeyValueWidth { get; }

    internal Layer[] Layers { get; }

    internal NativeFloats FinalNorm { get; }

    internal PackedMatrix Head { get; }

    internal PackedMatrix Embedding => _embedding ?? Head;

    /// <summary>Reads config.json and the weights of a model; F16 and BF16 are widened to float32.</summary>
    /// <exception cref="AttuneException">A file is missing, broken, or asks for what the engine does not run (ATT2022, ATT6001).</exception>
    public static DecoderWeights Load(ModelFiles files)
    {
        var config = HuggingFaceConfig.Read(files.Require(ModelFiles.Config));
        if (config.Architecture != "LlamaForCausalLM")
            throw InferenceException.Unsupported("architectures", config.Architecture);
        using var source = WeightFiles.Open(files);
        LlamaNames.Check(config, source);
        var weights = new DecoderWeights(config);
        try
        {
            weights.Read(source);
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
    }

    private void Read(WeightFiles source)
    {
        var (heads, keyValueHeads, size) = (Config.Heads, Config.KeyValueHeads, Config.HeadSize);
        ReadMatrix(source, LlamaNames.Embedding, Embedding, row => row);
        if (!Config.TiedEmbeddings)
            ReadMatrix(source, LlamaNames.Head, Head, row => row);
        source.ReadFloats(LlamaNames.FinalNorm, FinalNorm.Slice(0, Config.HiddenSize));
        for (var i = 0; i < Layers.Length; i++)
        {
            var layer = Layers[i];
            source.ReadFloats(LlamaNames.InputNorm(i), layer.InputNorm.Slice(0, Config.HiddenSize));
            source.ReadFloats(LlamaNames.PostAttentionNorm(i), layer.FeedForwardNorm.Slice(0, Config.HiddenSize));
            // A head whose size is no multiple of 16 is filled up with zero rows, which add nothing to any product.
            ReadMatrix(source, LlamaNames.Query(i), layer.QueryKeyValue, row => row / size * HeadWidth + row % size);
            ReadMatrix(source, LlamaNames.Key(i), layer.QueryKeyValue, row => (heads + row / size) * HeadWidth + row % size);
            ReadMatrix(source, LlamaNames.Value(i), layer.QueryKeyValue, row => (heads + keyValueHeads + row / size) * HeadWidth + row % size);
            ReadOutput(source, LlamaNames.Output(i), layer.Output);
            ReadMatrix(source, LlamaNames.Gate(i), layer.GateUp, row => row);
            ReadMatrix(source, LlamaNames.Up(i), layer.GateUp, row => FeedForwardWidth + row);
            ReadMatrix(source, LlamaNames.Down(i), layer.Down, row => row);
        }
    }

    private static void ReadMatrix(WeightFiles source, string name, PackedMatrix target, Func<int, int> place)
    {
        var shape = source[name].Shape;
        var row = new float[shape[1]];
        for (var i = 0; i < shape[0]; i++)
        {
            source.ReadFloats(name, i * shape[1], row);
            target.SetRow(place(i), row);
        }
    }

    private void ReadOutput(WeightFiles source, string name, PackedMatrix target)
    {
        var row = new float[Config.Heads * Config.HeadSize];
        for (var i = 0; i < Config.HiddenSize; i++)
        {
            source.ReadFloats(name, (long)i * row.Length, row);
            for (var head = 0; head < Config.Heads; head++)
                target.SetRow(i, row.AsSpan(head * Config.HeadSize, Config.HeadSize), head * HeadWidth);
        }
    }

    /// <summary>One block.</summary>
    internal sealed class Layer(DecoderWeights of) : IDisposable
    {
        /// <summary>[D]</summary>
        public NativeFloats InputNorm { get; } = new(of.Width);

        /// <summary>[(H + 2K)·C, D]</summary>
        public PackedMatrix QueryKeyValue { get; } = new(of.QueryWidth + 2 * of.KeyValueWidth, of.Config.HiddenSize);

        /// <summary>[D, H·C]</summary>
        public PackedMatrix Output { get; } = new(of.Config.HiddenSize, of.QueryWidth);

        /// <summary>[D]</summary>
        public NativeFloats FeedForwardNorm { get; } = new(of.Width);

        /// <summary>[2F, D]: gate, then up.</summary>
        public PackedMatrix GateUp { get; } = new(2 * of.FeedForwardWidth, of.Config.HiddenSize);

        /// <summary>[D, F]</summary>
        public PackedMatrix Down { get; } = new(of.Config.HiddenSize, of.Config.IntermediateSize);

        public void Dispose()
        {
            InputNorm.Dispose();
            QueryKeyValue.Dispose();
            Output.Dispose();
            FeedForwardNorm.Dispose();
            GateUp.Dispose();
            Down.Dispose();
        }
    }
}
