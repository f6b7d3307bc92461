using Attune.Core.Data;
using Attune.Core.Tokens;

namespace Attune.Torch.Stages;

/// <summary>Prompt files → what rollouts start from.</summary>
internal static class PromptData
{
    /// <summary>Prompts of all files, rendered as inference will.</summary>
    public static List<PromptTokens> Read(string stage, IEnumerable<DataFile> files, StageContract contract, Tokenizer tokenizer, RolloutOptions options, RowTally tally, Dictionary<string, long> counts)
    {
        var (prompts, render) = (new List<PromptTokens>(), ContractRender.ForGeneration(contract.Contract, tokenizer));
        foreach (var file in files)
        {
            var taken = file.Weigh(StageContract.Placed(DataReader.ReadPrompts(file.Path, tally: tally), read =>
                PromptRows.Of(read, render, options.SequenceLength - options.MaxNewTokens, options.Overlong, tally)), options.Seed, stage);
            counts[file.Path] = taken.Count;
            prompts.AddRange(taken);
        }
        return prompts;
    }
}
