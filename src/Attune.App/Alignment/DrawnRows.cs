using Attune.Core.Data;
using Attune.Core.Versions;
using Attune.Inference;
using Attune.Prompts;

namespace Attune.App.Alignment;

/// <summary>Answers that a version draws to prompts at temperature 1, one each, as rows of which the answer is what counts.</summary>
internal static class DrawnRows
{
    /// <summary>A row for each prompt that leaves room in the window.</summary>
    public static IReadOnlyList<TokenRow> Of(ModelVersion version, IEnumerable<Conversation> prompts, AlignOptions options, CancellationToken cancel)
    {
        using var model = LocalModel.Open(version.Files);
        int[][] ids = [.. prompts.Select(p => model.Encode(p)).Where(p => p.Length < model.Config.ContextLength)];
        if (ids.Length == 0)
            return [];
        var said = model.GenerateAsync(ids, new GenerationOptions { Sampling = new() { Temperature = 1, Seed = options.Seed }, MaxTokens = options.MaxTokens }, cancel).GetAwaiter().GetResult();
        return
        [
            .. said.Select((s, i) => new TokenRow
            {
                Ids = [.. ids[i], .. s.Ids],
                Trained = [.. Enumerable.Repeat(false, ids[i].Length), .. Enumerable.Repeat(true, s.Ids.Count)],
                Origin = new RowOrigin("drawn", i + 1),
            }),
        ];
    }
}
