using Attune.Core.Checkpoints;
using Attune.Torch.Kernels;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>Everything of a decoder but its head: embedding, blocks, final norm.</summary>
public sealed class DecoderBody : nn.Module<TokenStream, List<Tensor>?, Tensor>
{
    private readonly TokenEmbedding _embedding;
    private readonly TokenEmbedding? _positions;
    private readonly ModuleList<DecoderBlock> _layers;
    private readonly Norm _norm;

    private readonly DecoderConfig _config;
    private readonly Dictionary<LayerRotation, RotaryTable> _rotary = [];

    /// <param name="config">The decoder's shape.</param>
    public DecoderBody(DecoderConfig config)
        : base(nameof(DecoderBody))
    {
        _config = config;
        var names = config.Names;
        register_module(names.Embedding, _embedding = new(config.VocabularySize, config.HiddenSize));
        if (config.LearnedPositions)
            register_module(names.Positions, _positions = new(config.ContextLength, config.HiddenSize));
        register_module(names.Layers, _layers = new([.. Enumerable.Range(0, config.Layers).Select(i => new DecoderBlock(config, i))]));
        register_module(names.FinalNorm, _norm = Norm.Of(config, config.HiddenSize));
        foreach (var rotation in Enumerable.Range(0, config.Layers).Select(config.RotationOf).Distinct())
        {
            if (RotaryFrequencies.Of(config, rotation) is { } frequencies)
                _rotary[rotation] = new(frequencies, config.RotatesNeighbours);
        }
    }

    /// <summary>[V, D].</summary>
    public TokenEmbedding Embedding => _embedding;

    /// <summary>The blocks, first to last.</summary>
    public IReadOnlyList<DecoderBlock> Layers => [.. _layers];

    /// <summary>Type of activations and products; whatever the weights are, they are converted for the product. Null: the embedding's.</summary>
    public ScalarType? Compute
    {
        get => _embedding.Output;
        set => _embedding.Output = value;
    }

    /// <summary>
    /// Whether a block's activations are computed again in backward instead of kept: memory of one block in place of all,
    /// for the time of one more forward pass.
    /// </summary>
    public bool Recompute
    {
        get;
        set
        {
            field = value;
            foreach (var layer in _layers)
                layer.Recompute = value;
        }
    }

    /// <summary>
    /// → hidden [N, D] after the final norm. <paramref name="states"/>, where given, receives what Hugging Face calls
    /// hidden_states: the embeddings, then the output of each block, the last one normalised.
    /// </summary>
    /// <exception cref="TorchException">ATT5012: a row is longer than the table of positions.</exception>
    public override Tensor forward(TokenStream stream, List<Tensor>? states) => At(stream, null, states);

    /// <summary>The same of some tokens alone, [M, D]; of all where <paramref name="needed"/> is null.</summary>
    /// <exception cref="TorchException">ATT5012: a row is longer than the table of positions.</exception>
    internal Tensor At(TokenStream stream, NeededRows? needed, List<Tensor>? states = null)
    {
        if (_rotary.Values.FirstOrDefault(t => t.IsDividedIn(stream.Batch)) is { } rotary)
            return Unshared(stream, rotary, needed, states);
        var x_ND = Embed(stream);
        foreach (var layer in _layers)
        {
            states?.Add(x_ND);
            var next_ND = layer.At(x_ND, stream, _rotary.GetValueOrDefault(_config.RotationOf(layer.Layer)), layer.Layer == _config.Layers - 1 ? needed : null);
            // Autograd holds what backward needs; the name is dropped here so that nothing else lives longer.
            if (states is null)
                x_ND.Dispose();
            x_ND = next_ND;
        }
        var hidden_ND = _norm.forward(x_ND);
        if (states is null)
            x_ND.Dispose();
        else
            states.Add(hidden_ND);
        return hidden_ND;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (var table in _rotary.Values)
                table.Dispose();
        }
        base.Dispose(disposing);
    }

    /// <summary>The same where a prefix turns one way in one row and another way in the next: there each has its own.</summary>
    private Tensor Unshared(TokenStream stream, RotaryTable rotary, NeededRows? needed, List<Tensor>? states)
    {
        using var scope = NewDisposeScope();
        var (batch, places) = stream.Batch.Unshared(row => rotary.Divides(stream.Batch, row));
        using var whole = TokenStream.Of(batch, stream.Ids_N.device);
        var places_N = tensor(places, dtype: int64, device: stream.Ids_N.device);
        var hidden_ND = forward(whole, states).index_select(0, places_N);
        if (needed is not null)
        {
            using var index_M = needed.Index(hidden_ND.device);
            hidden_ND = hidden_ND.index_select(0, index_M);
        }
        for (var i = 0; i < states?.Count; i++)
            states[i] = states[i].index_select(0, places_N).MoveToOuterDisposeScope();
        return hidden_ND.MoveToOuterDisposeScope();
    }

    private Tensor Embed(TokenStream stream)
    {
        if (_positions is not null && stream.Plan.Reach > _config.ContextLength)
            throw TorchException.BeyondPositions(stream.Plan.Reach, _config.ContextLength);
        using var scope = NewDisposeScope();
        var x_ND = _embedding.forward(stream.Ids_N);
        // The factor is rounded to the type of the weights, as Gemma was trained.
        if (_config.EmbeddingScale is { } scale)
            x_ND = x_ND * tensor(scale, x_ND.dtype, x_ND.device);
        if (_positions is not null)
            x_ND = x_ND + _positions.forward(stream.Positions_N);
        return x_ND.MoveToOuterDisposeScope();
    }

    /// <summary>Does nothing: the parts were registered by their family's names, and not by those of the fields.</summary>
    protected override void RegisterComponents()
    {
    }
}
