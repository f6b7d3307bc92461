namespace Attune.Core.Evaluation;

/// <summary>A continuation to be scored after a context, by lm-evaluation-harness's rules (see <see cref="ITokenScorer"/>).</summary>
public sealed record ScoreRequest(string Context, string Continuation);

/// <summary>The log-probabilities of a continuation, natural logarithm.</summary>
/// <param name="Ids">Its tokens.</param>
/// <param name="LogProbabilities">One for each.</param>
/// <param name="IsGreedy">Whether each of them is the likeliest at its place.</param>
/// <param name="Dropped">Tokens cut off on the left of the context because all together did not fit the window.</param>
public sealed record TokenScores(IReadOnlyList<int> Ids, IReadOnlyList<double> LogProbabilities, bool IsGreedy, int Dropped)
{
    /// <summary>Log-likelihood of the whole continuation.</summary>
    public double Sum => LogProbabilities.Sum();
}

/// <summary>
/// Scores texts. Context and continuation are encoded together and cut where the context alone would end; spaces at
/// the end of the context move to the continuation; an empty context is the model's prefix token; what does not fit
/// the window is dropped on the left, and said.
/// </summary>
public interface ITokenScorer
{
    /// <summary>Scores every request; the answers are in the order of the requests.</summary>
    Task<IReadOnlyList<TokenScores>> ScoreAsync(IReadOnlyList<ScoreRequest> requests, CancellationToken cancel = default);
}
