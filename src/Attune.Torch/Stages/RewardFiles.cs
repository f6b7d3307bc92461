using Attune.Core.Checkpoints;
using Attune.Core.Checkpoints.Adapters;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Prompts;
using Attune.Torch.Models;
using Attune.Torch.Native;
using Attune.Torch.Optimisers;

namespace Attune.Torch.Stages;

/// <summary>Reward models from files.</summary>
internal static class RewardFiles
{
    /// <summary>Whether the files are a reward model's.</summary>
    public static bool IsReward(ModelFiles files) =>
        HuggingFaceConfig.Read(files.Require(ModelFiles.Config)).Head == DecoderHead.Score;

    /// <summary>A reward model as it is; of a language model its body under a new head, drawn from the seed.</summary>
    /// <param name="files">A reward model, or a language model.</param>
    /// <param name="options">Device, how frozen weights are held, adapters.</param>
    /// <param name="stage">Names the stream that adapters are drawn from.</param>
    public static RewardModel Open(ModelFiles files, TuningOptions options, string stage)
    {
        var (device, hold) = (Compute.Open(options.Device), Tuning.Holding(options));
        return (IsReward(files) ? DecoderFiles.LoadReward(files, device, hold: hold) : DecoderFiles.NewReward(files, options.Seed, device, hold: hold)).Tuned(options, stage);
    }

    /// <summary>A reward model that is an adapter on another model, ready to train that adapter on.</summary>
    /// <param name="version">The reward model.</param>
    /// <param name="beneath">What its adapter lies on, a language or a reward model.</param>
    /// <param name="options">Device.</param>
    /// <param name="stage">The stage.</param>
    /// <exception cref="CheckpointException">ATT2013, ATT2016: the adapter is of another model.</exception>
    public static RewardModel OpenAdapter(ModelFiles version, ModelFiles beneath, TuningOptions options, string stage)
    {
        var model = Open(beneath, options, stage);
        try
        {
            using var adapter = AdapterFiles.OfVersion(version);
            Lora.Load(model, adapter);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Refuses a reward model that reads other tokens, or another prompt format, than the policy writes.</summary>
    /// <exception cref="TrainingException">ATT5202.</exception>
    public static void Check(ModelFiles reward, Tokenizer tokenizer, StageContract contract)
    {
        if (Tokenizer.Load(reward.Require(ModelFiles.Tokenizer)).Digest != tokenizer.Digest)
            throw Mismatch(reward, ModelFiles.Tokenizer, "The reward model has another tokenizer than the policy: it would score other words than were said.");
        if (reward.Find(ModelFiles.PromptContract) is { } path && PromptContract.FromJson(File.ReadAllText(path)).Hash is var hash && hash != contract.Contract.Hash)
            throw Mismatch(reward, ModelFiles.PromptContract, "The reward model was trained on another prompt contract than the policy answers by.");
    }

    private static TrainingException Mismatch(ModelFiles reward, string field, string message) => new("ATT5202", message)
    {
        File = reward.Description,
        Field = field,
        Hint = "Train the reward model from the policy's own version: attune reward DATA --parent VERSION.",
    };
}
