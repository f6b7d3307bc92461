using Attune.Core.Data;
using Attune.Core.Preferences;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Prompts;
using Attune.Torch.Models;
using Attune.Torch.Native;

namespace Attune.Torch.Stages;

/// <summary>A reward model ready to score conversations: what it was trained to read is what it is given, up to the end of the answer's turn.</summary>
public sealed class RewardScorer : IDisposable
{
    private const int PassTokens = 4096;

    private readonly RewardModel _model;
    private readonly StageContract _contract;

    private RewardScorer(RewardModel model, StageContract contract) => (_model, _contract) = (model, contract);

    /// <summary>Opens a reward model.</summary>
    public static RewardScorer Open(ModelFiles files)
    {
        if (TorchRuntime.Threads == 0)
            TorchRuntime.Initialise();
        return new(DecoderFiles.LoadReward(files), StageContract.Resolve(null, files, Tokenizer.Load(files.Require(ModelFiles.Tokenizer))));
    }

    /// <summary>The score of each conversation's last answer.</summary>
    public IReadOnlyList<double> Score(IReadOnlyList<Conversation> conversations, CancellationToken cancel = default)
    {
        TokenRow[] rows = [.. conversations.Select(c => RewardData.Ended(TokenRows.OfConversation(new ConversationRow(c, new RowOrigin("answer", 1)), _contract.Render), _contract.EndOfTurn))];
        var scores = new double[rows.Length];
        if (rows.Length == 0)
            return scores;
        foreach (var bin in Packer.BestFit([.. rows.Select(r => r.Ids.Length)], Math.Max(PassTokens, rows.Max(r => r.Ids.Length))))
        {
            cancel.ThrowIfCancellationRequested();
            var some = RewardStep.Score(_model, RaggedBatch.Of([.. bin.Select(i => rows[i].Ids)], [.. bin.Select(i => rows[i].Trained)]));
            for (var i = 0; i < bin.Length; i++)
                scores[bin[i]] = some[i];
        }
        return scores;
    }

    /// <inheritdoc/>
    public void Dispose() => _model.Dispose();
}

/// <summary>A reward model as ranker of answers.</summary>
public sealed class RewardRanker(RewardScorer scorer, string name) : IAnswerRanker
{
    /// <inheritdoc/>
    public string By => "reward";

    /// <inheritdoc/>
    public string Name => $"reward:{name}";

    /// <inheritdoc/>
    public Task<RankedAnswers> RankAsync(RankTask task, CancellationToken cancel = default) => Task.FromResult(new RankedAnswers(
        scorer.Score([.. task.Answers.Select(a => PreferenceForms.With(task.Prompt, [new Message("assistant", a.Text)]))], cancel)));
}
