namespace Attune.Core.Data;

/// <summary>A row as the model sees it.</summary>
public sealed record TokenRow
{
    /// <summary>Token ids, n.</summary>
    public required int[] Ids { get; init; }

    /// <summary>n flags: whether the token is learnt (predicted in the loss). The first of a row has nothing before it to be predicted from.</summary>
    public required bool[] Trained { get; init; }

    /// <summary>Where it came from.</summary>
    public required RowOrigin Origin { get; init; }

    /// <summary>How many tokens are in the loss.</summary>
    public int TrainedTokens => Trained.AsSpan(Math.Min(1, Trained.Length)).Count(true);

    /// <summary>The first <paramref name="tokens"/> tokens.</summary>
    public TokenRow Cut(int tokens) => this with { Ids = Ids[..tokens], Trained = Trained[..tokens] };
}

/// <summary>A preference pair as the model sees it. Both rows start with the same prompt; only completions are trained.</summary>
public sealed record PairRow
{
    /// <summary>Prompt and preferred completion.</summary>
    public required TokenRow Chosen { get; init; }

    /// <summary>Prompt and rejected completion.</summary>
    public required TokenRow Rejected { get; init; }

    /// <summary>How many ids at the start of both are the prompt.</summary>
    public required int PromptLength { get; init; }

    /// <summary>By how much the chosen is preferred (its score less the other's), or null where the data does not say.</summary>
    public double? Margin { get; init; }

    /// <summary>Tokens of both rows.</summary>
    public int Tokens => Chosen.Ids.Length + Rejected.Ids.Length;
}

/// <summary>A ranking of K answers as the model sees it. All rows start with the same prompt; only completions are trained.</summary>
public sealed record ListRow
{
    /// <summary>K rows of prompt and completion, best first.</summary>
    public required IReadOnlyList<TokenRow> Rows { get; init; }

    /// <summary>K scores, falling; equal ones are ties.</summary>
    public required IReadOnlyList<double> Scores { get; init; }

    /// <summary>How many ids at the start of all rows are the prompt.</summary>
    public required int PromptLength { get; init; }

    /// <summary>Tokens of all rows.</summary>
    public int Tokens => Rows.Sum(r => r.Ids.Length);
}

/// <summary>A conversation as a template and a tokenizer make it.</summary>
/// <param name="Ids">Token ids, n.</param>
/// <param name="Trained">n flags: what the assistant says, its end of turn included.</param>
public readonly record struct RenderedTokens(IReadOnlyList<int> Ids, IReadOnlyList<bool> Trained);

/// <summary>Renders a conversation to tokens: a prompt contract with its tokenizer, <c>c => …</c>.</summary>
public delegate RenderedTokens RenderTokens(Prompts.Conversation conversation);
