using Attune.Core.Evaluation;
using Attune.Inference.Kernels;

namespace Attune.Inference;

/// <summary>The two ways in which an evaluation looks at a model below its chat.</summary>
public sealed partial class LocalModel : ITextCompleter, ITokenScorer
{
    // Contexts that are in memory together while their continuations are scored.
    private const int ScoredTogether = 16;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<TextCompletion>> CompleteAsync(IReadOnlyList<CompletionRequest> requests, CancellationToken cancel = default)
    {
        var generations = await GenerateAsync([.. requests.Select(request => (Encode(request.Prompt), Options(request)))], cancel);
        return [.. generations.Select(g => new TextCompletion(g.Text, g.Ids.Count, g.Finish is FinishReason.StopToken or FinishReason.StopText))];
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<TokenScores>> ScoreAsync(IReadOnlyList<ScoreRequest> requests, CancellationToken cancel = default) => Task.Run(() =>
    {
        var results = new TokenScores[requests.Count];
        // Choices of one question share their context: it runs once, and each choice is put behind it in turn.
        var groups = Enumerable.Range(0, requests.Count).Select(i => (Index: i, Parts: Split(requests[i])))
            .GroupBy(r => string.Join(' ', r.Parts.Context), StringComparer.Ordinal).Select(g => g.ToArray());
        foreach (var together in groups.Chunk(ScoredTogether))
        {
            cancel.ThrowIfCancellationRequested();
            _loop.Exclusively(engine => Score(engine, together, results, cancel), cancel);
        }
        return (IReadOnlyList<TokenScores>)results;
    }, cancel);

    /// <summary>ln p of every token of each row after its first, given all before it; the answers are in order.</summary>
    /// <param name="rows">Ids: at least two, at most the window and one.</param>
    /// <param name="cancel">Stops between rows.</param>
    /// <exception cref="WindowOverflowException">ATT6002: a row is longer. Nothing was run.</exception>
    public Task<IReadOnlyList<double[]>> ScoreIdsAsync(IReadOnlyList<int[]> rows, CancellationToken cancel = default) => Task.Run(() =>
    {
        if (rows.FirstOrDefault(r => r.Length > Config.ContextLength + 1) is { } overlong)
            throw new WindowOverflowException(overlong.Length, Config.ContextLength);
        var results = new TokenScores[rows.Count];
        var groups = rows.Select((row, i) => ((int Index, (int[] Context, int[] Continuation, int Dropped) Parts)[])[(i, (row[..1], row[1..], 0))]);
        foreach (var together in groups.Chunk(ScoredTogether))
        {
            cancel.ThrowIfCancellationRequested();
            _loop.Exclusively(engine => Score(engine, together, results, cancel), cancel);
        }
        return (IReadOnlyList<double[]>)[.. results.Select(r => r.LogProbabilities.ToArray())];
    }, cancel);

    private static GenerationOptions Options(CompletionRequest request) => new()
    {
        MaxTokens = request.MaxTokens,
        StopTexts = request.Stops,
        Sampling = new() { Temperature = request.Temperature, Seed = request.Seed },
    };

    /// <summary>Context and continuation as ids, cut on the left to what the window holds.</summary>
    private (int[] Context, int[] Continuation, int Dropped) Split(ScoreRequest request)
    {
        // Spaces belong to the word that follows them, so they go to the continuation.
        var context = request.Context.TrimEnd(' ');
        var continuation = request.Context[context.Length..] + request.Continuation;
        var head = context.Length == 0 ? [PrefixId] : Encode(context);
        var whole = context.Length == 0 ? [PrefixId, .. Tokenizer.Encode(continuation)] : Encode(context + continuation);
        var cut = Math.Min(head.Length, whole.Length);
        // The last token is only predicted, never read: window + 1 tokens fit.
        var dropped = Math.Max(0, whole.Length - Config.ContextLength - 1);
        if (dropped >= cut)
            throw new WindowOverflowException(whole.Length - cut, Config.ContextLength);
        return (whole[dropped..cut], whole[cut..], dropped);
    }

    private static void Score(InferenceEngine engine, (int Index, (int[] Context, int[] Continuation, int Dropped) Parts)[][] groups, TokenScores[] results, CancellationToken cancel)
    {
        var caches = groups.Select(_ => engine.NewCache()).ToArray();
        try
        {
            var heads = groups.Select((g, i) => new SequenceInput(caches[i], g[0].Parts.Context.AsMemory(0, g[0].Parts.Context.Length - 1), LogitsWanted.None))
                .Where(input => input.Ids.Length > 0).ToArray();
            engine.Run(heads, (_, _, _) => { });
            for (var round = 0; round < groups.Max(g => g.Length); round++)
            {
                cancel.ThrowIfCancellationRequested();
                var (inputs, scores) = (new List<SequenceInput>(), new List<(int Index, int[] Continuation, int Dropped, double[] LogProbabilities, bool[] Best)>());
                for (var i = 0; i < groups.Length; i++)
                {
                    if (round >= groups[i].Length)
                        continue;
                    var (index, (context, continuation, dropped)) = groups[i][round];
                    caches[i].Truncate(context.Length - 1);
                    scores.Add((index, continuation, dropped, new double[continuation.Length], new bool[continuation.Length]));
                    // An empty continuation still takes its step: it keeps inputs and scores in line.
                    inputs.Add(new(caches[i], (int[])[context[^1], .. continuation.SkipLast(1)], LogitsWanted.All));
                }
                engine.Run(inputs.ToArray(), (input, position, logits) =>
                {
                    var score = scores[input];
                    if (position >= score.Continuation.Length)
                        return;
                    var id = score.Continuation[position];
                    score.LogProbabilities[position] = logits[id] - Elementwise.LogSumExp(logits);
                    score.Best[position] = Sampler.Best(logits) == id;
                });
                foreach (var (index, continuation, dropped, logProbabilities, best) in scores)
                    results[index] = new TokenScores(continuation, logProbabilities, best.All(b => b), dropped);
            }
        }
        finally
        {
            foreach (var cache in caches)
                cache.Dispose();
        }
    }
}
