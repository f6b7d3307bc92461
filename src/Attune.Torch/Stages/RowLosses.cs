using Attune.Core.Data;
using Attune.Core.Tokens;
using Attune.Core.Versions;

namespace Attune.Torch.Stages;

/// <summary>The loss of a version on the rows of a file: what is learnt from in training is what is measured here.</summary>
public static class RowLosses
{
    /// <summary>−ln p of a label token, the mean over each row: windows of documents, or what the assistant says in conversations.</summary>
    /// <param name="files">The version.</param>
    /// <param name="data">Documents or conversations.</param>
    /// <param name="window">Longest row; longer conversations are left out.</param>
    /// <param name="rows">Rows at most.</param>
    /// <param name="cancel">Stops between passes.</param>
    public static IReadOnlyList<double> Of(ModelFiles files, string data, int window, int rows, CancellationToken cancel = default)
    {
        var tokenizer = Tokenizer.Load(files.Require(ModelFiles.Tokenizer));
        var texts = DataFormat.Detect(data).Kind is FormatKind.Text or FormatKind.JsonText;
        List<TokenRow> all = texts
            ? [.. TrainingRows.OfTexts(DataReader.ReadTexts(data, BadRows.Drop), tokenizer, PretrainData.Boundary(tokenizer, null), window).Take(rows)]
            : [.. TrainingRows.OfConversations(DataReader.ReadConversations(data, BadRows.Drop), StageContract.Resolve(null, files, tokenizer).Render, window, OverlongRows.Drop, new RowTally()).Take(rows)];
        return [.. RowLogProbs.Means(files, all, cancel).Select(mean => -mean)];
    }
}
