using Attune.Core.Checkpoints;
using Attune.Core.Versions;
using Attune.Torch.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>
/// A decoder with one number on top: how good a text is, read at its last token (Ouyang et al. 2022, "Training language
/// models to follow instructions"). Its keys are those of Hugging Face's <c>…ForSequenceClassification</c> with one label: the
/// family's body, and the head <c>score.weight</c>.
/// </summary>
public sealed class RewardModel : nn.Module<TokenStream, Tensor>, ITunable
{
    /// <summary>What PEFT calls a task with a score.</summary>
    public const string PeftTask = "SEQ_CLS";

    private readonly DecoderBody _body;
    private readonly Projection _score;

    /// <summary>A reward model whose matrices hold nothing yet; see <see cref="DecoderFiles.LoadReward"/> and <see cref="DecoderFiles.NewReward"/>.</summary>
    /// <param name="config">Its shape; the head must be <see cref="DecoderHead.Score"/>.</param>
    public RewardModel(DecoderConfig config)
        : base(nameof(RewardModel))
    {
        if (config.Head != DecoderHead.Score)
            throw new ArgumentException($"A {config.Architecture} has no score.", nameof(config));
        Config = config;
        register_module(config.Names.Body, _body = new(config));
        register_module(config.Names.Score, _score = new(config.HiddenSize, 1));
    }

    /// <summary>The shape.</summary>
    public DecoderConfig Config { get; }

    /// <summary>Embedding, blocks and final norm.</summary>
    public DecoderBody Body => _body;

    /// <summary>w, [1, D].</summary>
    public Tensor ScoreWeight => _score.Weight;

    internal string ScoreName => $"{Config.Names.Score}.weight";

    /// <inheritdoc/>
    public Lora? Lora { get; set; }

    /// <inheritdoc/>
    public ModelFiles? Source { get; set; }

    /// <summary>Where the weights are.</summary>
    public Device Device => ScoreWeight.device;

    /// <inheritdoc cref="Decoder.Kernels"/>
    public bool Kernels
    {
        get;
        set => Decoder.UseKernels(this, field = value);
    } = true;

    /// <summary>One score for each row, float32 [S]: w · h of the row's last token (which is its end-of-text where it has one).</summary>
    /// <param name="stream">S rows.</param>
    public Tensor Scores(TokenStream stream)
    {
        using var scope = NewDisposeScope();
        var last = new NeededRows([.. stream.Batch.Starts[1..].Select(end => end - 1)]);
        return _score.forward(_body.At(stream, last)).squeeze(1).to(float32).MoveToOuterDisposeScope();
    }

    /// <summary>A score at every token that has a label, float32 [N], anything at the others: what a value model starts from.</summary>
    /// <param name="stream">N tokens.</param>
    public Tensor TokenScores(TokenStream stream)
    {
        using var scope = NewDisposeScope();
        var needed = NeededRows.Labelled(stream.Batch);
        var scores_M = _score.forward(_body.At(stream, needed)).squeeze(1).to(float32);
        return (needed?.Spread(scores_M, stream.Tokens) ?? scores_M).MoveToOuterDisposeScope();
    }

    /// <summary>The same as <see cref="Scores"/>, which is the name to call it by.</summary>
    public override Tensor forward(TokenStream stream) => Scores(stream);

    /// <summary>Draws the head from N(0, <see cref="DecoderConfig.InitializerRange"/>²), as transformers does for a new head.</summary>
    public void InitialiseScore(long seed)
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        _score.Weight.copy_(Gaussian.Fill(seed, ScoreName, _score.Weight.numel(), Config.InitializerRange).view(_score.Weight.shape));
    }

    /// <summary>Does nothing: the parts were registered by their family's names, and not by those of the fields.</summary>
    protected override void RegisterComponents()
    {
    }
}
