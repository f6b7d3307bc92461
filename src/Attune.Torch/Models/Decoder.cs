using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Core.Versions;
using Attune.Torch.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>
/// A decoder-only language model, built from a <see cref="DecoderConfig"/>: one for all families, whose parts the config
/// turns on. It runs on ragged batches only. Its keys are those that the family's files have (<see cref="DecoderNames"/>).
/// </summary>
/// <remarks>
/// Shape suffixes: N tokens of the batch, M of them labelled, D hidden size, H query heads, K key and value heads,
/// C head size, F feed-forward size, V vocabulary, T tokens of one row.
/// </remarks>
public sealed class Decoder : nn.Module<TokenStream, Tensor>, ITunable
{
    private readonly DecoderBody _body;
    private readonly Projection? _head;

    /// <summary>A decoder whose matrices hold nothing yet; fill it by <see cref="Initialise"/> or <see cref="DecoderFiles"/>.</summary>
    /// <param name="config">Its shape.</param>
    /// <exception cref="UnsupportedCheckpointException">The config is not a language model's.</exception>
    public Decoder(DecoderConfig config)
        : base(nameof(Decoder))
    {
        if (config.Head != DecoderHead.Language)
            throw new UnsupportedCheckpointException($"Not supported: a {config.Architecture} as a language model; it has a score in place of a vocabulary.") { Field = "architectures" };
        Config = config;
        register_module(config.Names.Body, _body = new(config));
        if (!config.TiedEmbeddings)
            register_module(config.Names.Head, _head = new(config.HiddenSize, config.VocabularySize));
    }

    /// <summary>The shape.</summary>
    public DecoderConfig Config { get; }

    /// <summary>Embedding, blocks and final norm.</summary>
    public DecoderBody Body => _body;

    /// <summary>The output matrix [V, D]: the embedding itself where the two are tied.</summary>
    public Tensor HeadWeight => Head.Weight;

    /// <summary>Every matrix with a row for each token [V, D]: the embedding, and the output matrix where it is another.</summary>
    public IReadOnlyList<Tensor> VocabularyMatrices => _head is null ? [_body.Embedding.Weight] : [_body.Embedding.Weight, _head.Weight];

    /// <summary>The layer of the output matrix.</summary>
    internal MatrixLayer Head => _head is null ? _body.Embedding : _head;

    /// <inheritdoc/>
    public Lora? Lora { get; set; }

    /// <inheritdoc/>
    public ModelFiles? Source { get; set; }

    /// <summary>Where the weights are.</summary>
    public Device Device => Head.Place;

    /// <summary>
    /// Whether our own kernels run where they fit (float32 on the CPU). Off, everything is the plain
    /// definition on libtorch, which is what runs on other devices and types in any case.
    /// </summary>
    public bool Kernels
    {
        get;
        set => UseKernels(this, field = value);
    } = true;

    internal static void UseKernels(nn.Module model, bool use)
    {
        foreach (var module in model.modules())
        {
            if (module is DecoderBlock block)
                block.Kernels = use;
            else if (module is Norm norm)
                norm.Kernels = use;
            else if (module is MatrixLayer layer)
                layer.Kernels = use;
        }
    }

    /// <summary>Rows whose logits exist at a time; 0 chooses.</summary>
    public int LogitRows { get; set; }

    /// <summary>
    /// Normalised hidden states [N, D]; attention never crosses a row's edge. <paramref name="states"/>, where given,
    /// receives every layer's (L + 1 tensors, as Hugging Face's hidden_states).
    /// </summary>
    public Tensor Hidden(TokenStream stream, List<Tensor>? states = null) => _body.forward(stream, states);

    /// <summary>The same of some tokens alone, [M, D]; of all where <paramref name="needed"/> is null.</summary>
    internal Tensor HiddenOf(TokenStream stream, NeededRows? needed) => _body.At(stream, needed);

    /// <summary>Hidden [M, D] → logits [M, V]. Training goes by <see cref="TokenLogProbs"/>, which never keeps them.</summary>
    public Tensor Logits(Tensor hidden_MD)
    {
        using var scope = NewDisposeScope();
        return Models.TokenLogProbs.Capped(Head.Linear(Scaled(hidden_MD)), Config.LogitSoftCap).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// log p(target) of every position, float32 [N], and 0 where the label is <see cref="RaggedBatch.Ignore"/>. The one
    /// primitive that cross-entropy, DPO and PPO take their log-probabilities from. Only labelled positions are computed.
    /// </summary>
    /// <param name="hidden_ND">From <see cref="Hidden"/>.</param>
    /// <param name="targets_N">int64.</param>
    /// <param name="even">
    /// Says that the loss will weigh every label alike, as cross-entropy does; gradients are then taken while the logits are
    /// at hand, which saves one of four products. If it turns out otherwise the result is the same and takes longer.
    /// </param>
    /// <exception cref="TorchException">ATT5011: a label is not in the vocabulary.</exception>
    public Tensor TokenLogProbs(Tensor hidden_ND, Tensor targets_N, bool even = false)
    {
        using var scope = NewDisposeScope();
        return Models.TokenLogProbs.Of(Scaled(hidden_ND), Head, targets_N, even, Kernels, LogitRows, Config.LogitSoftCap).MoveToOuterDisposeScope();
    }

    // A factor on the logits is one on the hidden states.
    private Tensor Scaled(Tensor hidden) => Config.LogitScale is { } scale ? hidden * scale : hidden;

    /// <summary>The same as <see cref="Hidden"/>, which is the name to call it by.</summary>
    public override Tensor forward(TokenStream stream) => Hidden(stream);

    /// <summary>
    /// Fills the matrices from N(0, <see cref="DecoderConfig.InitializerRange"/>²), norms with one and biases with zero. Every
    /// parameter has a stream of its own, named by its key, so a seed gives the same values whatever else is there.
    /// </summary>
    public void Initialise(long seed)
    {
        using var guard = no_grad();
        foreach (var (name, parameter) in named_parameters())
        {
            using var scope = NewDisposeScope();
            if (name.EndsWith(".bias", StringComparison.Ordinal))
                parameter.fill_(0);
            else if (parameter.dim() < 2)
                parameter.fill_(Config.Norm == NormKind.RmsPlusOne ? 0 : 1);
            else
                parameter.copy_(Gaussian.Fill(seed, name, parameter.numel(), Config.InitializerRange).view(parameter.shape));
        }
    }

    /// <summary>Does nothing: the parts were registered by their family's names, and not by those of the fields.</summary>
    protected override void RegisterComponents()
    {
    }
}
