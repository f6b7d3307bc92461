using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Core.Tokens;
using Attune.Torch.Optimisers;

namespace Attune.Torch.Stages;

/// <summary>Text files → windows of tokens, for pretraining, validation and replay.</summary>
public static class PretrainData
{
    /// <summary>The id that stands before and after every document.</summary>
    /// <exception cref="TrainingException">ATT5124: the tokenizer has no such token.</exception>
    public static int Boundary(Tokenizer tokenizer, string? file) => tokenizer.IdOf(ControlTokens.EndOfText) ?? throw new TrainingException("ATT5124", $"The tokenizer has no {ControlTokens.EndOfText}.")
    {
        File = file,
        Hint = "Documents are parted by it. Add it to added_tokens, or leave --tokenizer out to train one.",
    };

    /// <summary>The rows of some files, as often as each is to be taken.</summary>
    public static List<TokenRow> Rows(IEnumerable<DataFile> files, Tokenizer tokenizer, int boundary, int window, long seed, string stage, RowTally tally, Dictionary<string, long>? counts = null)
    {
        var rows = new List<TokenRow>();
        foreach (var file in files)
        {
            var taken = file.Weigh(TrainingRows.OfTexts(DataReader.ReadTexts(file.Path, tally: tally), tokenizer, boundary, window), seed, stage);
            if (counts is not null)
                counts[file.Path] = taken.Count;
            rows.AddRange(taken);
        }
        return rows;
    }

    /// <summary>The tokenizer that the options name; without one, one trained on the tokenizer data, kept in the run folder from then on.</summary>
    public static Tokenizer Tokenizer(PretrainOptions options, IReadOnlyList<DataFile> files, string runFolder, CancellationToken cancellation)
    {
        var kept = options.Tokenizer ?? Path.Combine(runFolder, "tokenizer.json");
        if (options.Tokenizer is not null || File.Exists(kept))
            return Core.Tokens.Tokenizer.Load(kept);
        var trained = BpeTrainer.Train(files.SelectMany(f => DataReader.ReadTexts(f.Path)).Select(r => r.Text),
            new BpeTrainerOptions { VocabularySize = options.VocabularySize, Split = options.WordSplit, SpacedWords = options.SpacedWords }, cancellation);
        Atomic.WriteAllBytes(kept, trained.ToJson().Span);
        return trained;
    }

    /// <summary>Batches without an order, for measuring.</summary>
    public static IReadOnlyList<RaggedBatch> Batches(IReadOnlyList<TokenRow> rows, int tokens) =>
        [.. Packer.BestFit([.. rows.Select(r => r.Ids.Length)], tokens).Select(bin => Core.Data.Batches.Of(rows, bin))];
}
