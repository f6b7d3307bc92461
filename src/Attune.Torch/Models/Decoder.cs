using Attune.Core.Checkpoints;
using Attune.Core.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>
/// A decoder-only language model of the Llama family, built from a <see cref="DecoderConfig"/>. It runs on ragged
/// batches only. Names of fields map to the keys of a Hugging Face <c>LlamaForCausalLM</c>.
/// </summary>
/// <remarks>
/// Shape suffixes: N tokens of the batch, M of them labelled, D hidden size, H query heads, K key and value heads,
/// C head size, F feed-forward size, V vocabulary, T tokens of one row.
/// </remarks>
public sealed class Decoder : nn.Module<TokenStream, Tensor>
{
    [ComponentName(Name = "model")]
    private readonly DecoderBody _body;
    [ComponentName(Name = "lm_head")]
    private readonly Projection? _head;

    /// <summary>A decoder whose matrices are zero; fill it by <see cref="Initialise"/> or <see cref="DecoderFiles"/>.</summary>
    /// <param name="config">Its shape.</param>
    /// <exception cref="UnsupportedCheckpointException">The architecture is not built yet.</exception>
    public Decoder(DecoderConfig config)
        : base(nameof(Decoder))
    {
        if (config.Architecture != "LlamaForCausalLM")
            throw new UnsupportedCheckpointException($"Not supported: training {config.Architecture}.") { Field = "architectures" };
        Config = config;
        _body = new(config);
        _head = config.TiedEmbeddings ? null : new(config.HiddenSize, config.VocabularySize);
        RegisterComponents();
    }

    /// <summary>The shape.</summary>
    public DecoderConfig Config { get; }

    /// <summary>Embedding, blocks and final norm.</summary>
    public DecoderBody Body => _body;

    /// <summary>The output matrix [V, D]: the embedding itself where the two are tied.</summary>
    public Tensor HeadWeight => _head?.Weight ?? _body.Embedding.Weight;

    /// <summary>Where the weights are.</summary>
    public Device Device => HeadWeight.device;

    /// <summary>
    /// Whether our own kernels run where they fit (float32 on the CPU, MKL at hand). Off, everything is the plain
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
            else if (module is RmsNorm norm)
                norm.Kernels = use;
        }
    }

    /// <summary>
    /// Normalised hidden states [N, D]; attention never crosses a row's edge. <paramref name="states"/>, where given,
    /// receives every layer's (L + 1 tensors, as Hugging Face's hidden_states).
    /// </summary>
    public Tensor Hidden(TokenStream stream, List<Tensor>? states = null) => _body.forward(stream, states);

    /// <summary>Hidden [M, D] → logits [M, V]. Training goes by <see cref="TokenLogProbs"/>, which never keeps them.</summary>
    public Tensor Logits(Tensor hidden_MD) => nn.functional.linear(hidden_MD, HeadWeight);

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
    public Tensor TokenLogProbs(Tensor hidden_ND, Tensor targets_N, bool even = false) =>
        Kernels ? Models.TokenLogProbs.Of(hidden_ND, HeadWeight, targets_N, even) : Models.TokenLogProbs.Plain(hidden_ND, HeadWeight, targets_N);

    /// <summary>The same as <see cref="Hidden"/>, which is the name to call it by.</summary>
    public override Tensor forward(TokenStream stream) => Hidden(stream);

    /// <summary>
    /// Fills the matrices from N(0, <see cref="DecoderConfig.InitializerRange"/>²) and the norms with one. Every
    /// parameter has a stream of its own, named by its key, so a seed gives the same values whatever else is there.
    /// </summary>
    public void Initialise(long seed)
    {
        using var guard = no_grad();
        foreach (var (name, parameter) in named_parameters())
        {
            using var scope = NewDisposeScope();
            if (parameter.dim() < 2)
                parameter.fill_(1);
            else
                parameter.copy_(Gaussian.Fill(seed, name, parameter.numel(), Config.InitializerRange).view(parameter.shape));
        }
    }
}
