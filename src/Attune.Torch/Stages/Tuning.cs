using Attune.Core.Checkpoints.Adapters;
using Attune.Core.Randomness;
using Attune.Core.Versions;
using Attune.Torch.Models;
using Attune.Torch.Native;
using Attune.Torch.Optimisers;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Stages;

/// <summary>The model that a stage starts from, as its options ask for it.</summary>
public static class Tuning
{
    /// <summary>Reads a model, holds what stays frozen as asked, and puts the adapters on.</summary>
    /// <param name="parent">A folder or a version.</param>
    /// <param name="options">Adapters, base weights, recompute.</param>
    /// <param name="stage">Names the stream that the adapters are drawn from.</param>
    /// <exception cref="TrainingException">ATT5101: a target fits no module; ATT5134: fewer bits for weights that are trained; ATT5136: dropout outside SFT.</exception>
    public static Decoder Load(ModelFiles parent, TuningOptions options, string stage)
    {
        var decoder = DecoderFiles.Load(parent, Compute.Open(options.Device), hold: Holding(options));
        decoder.LogitRows = options.LogitRows;
        return decoder.Tuned(options, stage);
    }

    /// <summary>How a stage's frozen matrices are held: what <see cref="DecoderFiles"/> asks of every module; null for plainly.</summary>
    /// <exception cref="TrainingException">ATT5134: fewer bits for weights that are trained.</exception>
    public static Func<string, BaseWeights>? Holding(TuningOptions options) => options switch
    {
        { BaseWeights: BaseWeights.F32 } => null,
        { Lora.Rank: 0 } => throw new TrainingException("ATT5134", $"Weights held as {options.BaseWeights} are frozen, and without adapters there is nothing else to train.")
        {
            Field = "base_weights",
            Hint = "Add adapters, --lora-rank 16, or keep base_weights f32.",
        },
        _ => module => FormatOf(module, options.BaseWeights),
    };

    /// <summary>Sets a model that has been read to the options' types, and puts the adapters on; disposes it where that fails.</summary>
    /// <exception cref="TrainingException">ATT5101: a target fits no module; ATT5136: dropout outside SFT.</exception>
    public static T Tuned<T>(this T model, TuningOptions options, string stage)
        where T : nn.Module, ITunable
    {
        try
        {
            if (options is { Lora.Dropout: > 0 } and not SftOptions)
            {
                throw new TrainingException("ATT5136", $"{stage} weighs log-probabilities against each other; dropout would make each of them another model's.")
                {
                    Field = "lora.dropout",
                    Hint = "Leave it out here; SFT takes it.",
                };
            }
            model.Body.Recompute = options.Recompute;
            model.Body.Compute = Compute.Of(options.Dtype);
            if (options.Lora.Rank > 0)
                Lora.Attach(model, Adapters(model, options.Lora.ToConfig(null, model.Config.TiedEmbeddings)), RandomStream.Of(options.Seed, stage, "lora"));
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    // A score is new: it is trained whole, as PEFT does for a classifier.
    private static AdapterConfig Adapters(ITunable model, AdapterConfig config) => model is RewardModel
        ? config with { TaskType = RewardModel.PeftTask, Targets = config.Targets with { Saved = [.. config.Targets.Saved.Append("score").Distinct(StringComparer.Ordinal)] } }
        : config;

    /// <summary>What is trained: the adapters where there are any, else every weight.</summary>
    public static IEnumerable<(string Name, Tensor Value)> Trained<T>(this T model)
        where T : nn.Module, ITunable => model.Lora?.Parameters ?? model.Weights();

    /// <summary>
    /// Asks the reference: the policy with its adapters off where it has any, which takes no memory, else a model of its own.
    /// </summary>
    /// <param name="policy">The policy.</param>
    /// <param name="apart">The reference of a policy without adapters.</param>
    /// <param name="ask">What is asked.</param>
    internal static T AsReference<T>(this Decoder policy, Decoder? apart, Func<Decoder, T> ask)
    {
        using var off = apart is null ? policy.Lora?.Off() : null;
        return ask(apart ?? policy);
    }

    // QLoRA holds the matrices of the blocks alone in few bits.
    internal static BaseWeights FormatOf(string module, BaseWeights asked) => module.Contains(".layers.", StringComparison.Ordinal) || module.Contains(".h.", StringComparison.Ordinal) ? asked : BaseWeights.Bf16;
}
