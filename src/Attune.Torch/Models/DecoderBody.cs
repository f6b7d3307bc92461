using Attune.Core.Checkpoints;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>Everything of a decoder but its head: embedding, blocks, final norm.</summary>
public sealed class DecoderBody : nn.Module<TokenStream, List<Tensor>?, Tensor>
{
    [ComponentName(Name = "embed_tokens")]
    private readonly TokenEmbedding _embedding;
    [ComponentName(Name = "layers")]
    private readonly ModuleList<DecoderBlock> _layers;
    [ComponentName(Name = "norm")]
    private readonly RmsNorm _norm;

    private readonly RotaryTable _rotary;

    /// <param name="config">The decoder's shape.</param>
    public DecoderBody(DecoderConfig config)
        : base(nameof(DecoderBody))
    {
        _embedding = new(config.VocabularySize, config.HiddenSize);
        _layers = new([.. Enumerable.Range(0, config.Layers).Select(_ => new DecoderBlock(config))]);
        _norm = new(config.HiddenSize, config.NormEpsilon);
        _rotary = new(config.HeadSize, config.RopeTheta);
        RegisterComponents();
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
    public override Tensor forward(TokenStream stream, List<Tensor>? states)
    {
        var x_ND = _embedding.forward(stream.Ids_N);
        foreach (var layer in _layers)
        {
            states?.Add(x_ND);
            var next_ND = layer.forward(x_ND, stream, _rotary);
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
            _rotary.Dispose();
        base.Dispose(disposing);
    }
}
