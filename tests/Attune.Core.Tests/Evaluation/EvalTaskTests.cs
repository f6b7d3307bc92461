using System.Globalization;
using Attune.Core.Evaluation;
using Attune.Core.Evaluation.Statistics;
using Xunit;

namespace Attune.Core.Tests.Evaluation;

public sealed class EvalTaskTests
{
    private static readonly EvalItem[] Sums = [.. Enumerable.Range(0, 40).Select(i => new EvalItem($"sum {i}", FormattableString.Invariant($"{i} + 1 ="), (i + 1).ToString(CultureInfo.InvariantCulture))
    {
        Choices = [.. Enumerable.Range(i, 4).Select(c => c.ToString(CultureInfo.InvariantCulture))],
    })];

    [Fact]
    public async Task A_choice_is_the_likeliest_and_the_first_of_equals()
    {
        var task = new EvalTask("sums", Sums, Solvers.Choose(new LengthScorer()), Scorers.Exact);
        var answers = await task.RunAsync();
        Assert.All(answers, a => Assert.Equal(a.Item.Choices[0], a.Answer));
        var row = task.Row(answers, "model");
        Assert.Equal((0.0, 40, 0.25), (row.Value, row.N, row.Chance));
        Assert.Equal(Wilson.Interval(0, 40), (row.Low, row.High));
    }

    [Fact]
    public async Task A_completion_is_scored_and_clusters_widen_the_interval()
    {
        var clustered = Sums.Select((s, i) => s with { Cluster = i < 20 ? "first" : "second" }).ToArray();
        Scorer half = (item, _) => item.Cluster == "first" ? 1 : 0.5;
        var plain = new EvalTask("sums", Sums, Solvers.Complete(new Echo(), ["\n"]), (item, _) => half(clustered[Array.IndexOf(Sums, item)], ""));
        var wide = new EvalTask("sums", clustered, Solvers.Complete(new Echo(), ["\n"]), half);
        var (a, b) = (plain.Row(await plain.RunAsync(), "m"), wide.Row(await wide.RunAsync(), "m"));
        Assert.Equal(0.75, a.Value, 1e-12);
        Assert.Equal(a.Value, b.Value, 1e-12);
        Assert.True(b.High - b.Low > 3 * (a.High - a.Low));
        Assert.Equal(1, (await new EvalTask("echo", [new("a", "x", "X")], Solvers.Complete(new Echo(), []), Scorers.Contains).RunAsync())[0].Score);
    }

    private sealed class LengthScorer : ITokenScorer
    {
        public Task<IReadOnlyList<TokenScores>> ScoreAsync(IReadOnlyList<ScoreRequest> requests, CancellationToken cancel = default) =>
            Task.FromResult<IReadOnlyList<TokenScores>>([.. requests.Select(_ => new TokenScores([1], [-1.0], false, 0))]);
    }

    private sealed class Echo : ITextCompleter
    {
        public Task<IReadOnlyList<TextCompletion>> CompleteAsync(IReadOnlyList<CompletionRequest> requests, CancellationToken cancel = default) =>
            Task.FromResult<IReadOnlyList<TextCompletion>>([.. requests.Select(r => new TextCompletion(r.Prompt, 1, true))]);
    }
}
