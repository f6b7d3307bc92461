using System.Text;
using Attune.Core.Data;
using Attune.Core.Evaluation;
using Attune.Core.Tokens;
using Attune.Core.Versions;

namespace Attune.Torch.Stages;

/// <summary>What texts cost a version: how surprised it is by each, and into how many tokens its tokenizer cuts it.</summary>
public static class TextSurprise
{
    /// <summary>Σ −ln p, tokens and bytes of each text, in order.</summary>
    /// <param name="files">The version.</param>
    /// <param name="texts">Documents; longer ones are cut into windows.</param>
    /// <param name="window">Longest row in tokens.</param>
    /// <param name="cancel">Stops between passes.</param>
    public static IReadOnlyList<ScoredText> Of(ModelFiles files, IReadOnlyList<TextRow> texts, int window, CancellationToken cancel = default)
    {
        var tokenizer = Tokenizer.Load(files.Require(ModelFiles.Tokenizer));
        var boundary = PretrainData.Boundary(tokenizer, null);
        var rows = texts.SelectMany((text, i) => TrainingRows.OfTexts([text], tokenizer, boundary, window).Select(row => (Text: i, Row: row))).ToList();
        var sums = RowLogProbs.Sums(files, [.. rows.Select(r => r.Row)], cancel);
        var (surprise, tokens) = (new double[texts.Count], new int[texts.Count]);
        for (var i = 0; i < rows.Count; i++)
        {
            surprise[rows[i].Text] -= sums[i];
            tokens[rows[i].Text] += rows[i].Row.TrainedTokens;
        }
        return [.. texts.Select((text, i) => new ScoredText(surprise[i], tokens[i], Encoding.UTF8.GetByteCount(text.Text)))];
    }
}
