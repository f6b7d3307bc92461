using Attune.Prompts.Jinja;

namespace Attune.Prompts;

/// <summary>A conversation that two contracts render differently.</summary>
/// <param name="Name">The conversation, of <see cref="GoldenConversations"/> or of the caller.</param>
/// <param name="At">Where the renders part, in UTF-16 code units; -1 where one of them is refused.</param>
/// <param name="Before">The first contract's render from a little before that place, or its error.</param>
/// <param name="After">The second's.</param>
/// <param name="BeforeIds">The first contract's ids that the second has not at this place; empty without encoders.</param>
/// <param name="AfterIds">The second's ids that the first has not.</param>
/// <param name="MaskChanges">Tokens by id are the same, but not which of them are trained.</param>
public sealed record RenderChange(string Name, int At, string Before, string After, IReadOnlyList<int> BeforeIds, IReadOnlyList<int> AfterIds, bool MaskChanges);

/// <summary>
/// What differs between two contracts in meaning, not in bytes: fields that say how a model is spoken to, and the
/// conversations whose text, tokens or loss mask change.
/// </summary>
/// <param name="Fields">Special tokens, stops, generation prompt, clock, features, tokenizer: name, before, after.</param>
/// <param name="Renders">Conversations that change.</param>
public sealed record ContractDiff(IReadOnlyList<(string Field, string Before, string After)> Fields, IReadOnlyList<RenderChange> Renders)
{
    /// <summary>Nothing that a model would notice is different.</summary>
    public bool IsEmpty => Fields.Count == 0 && Renders.Count == 0;

    /// <summary>Compares two contracts over the golden conversations and any others given.</summary>
    /// <param name="before">The one that was.</param>
    /// <param name="after">The one that is to be.</param>
    /// <param name="beforeEncoder">Tokenizer of the first, to compare tokens; null compares text alone.</param>
    /// <param name="afterEncoder">Tokenizer of the second.</param>
    /// <param name="conversations">More conversations to compare on.</param>
    public static ContractDiff Of(PromptContract before, PromptContract after, ITokenEncoder? beforeEncoder = null, ITokenEncoder? afterEncoder = null,
        IEnumerable<(string Name, Conversation Conversation, bool AddGenerationPrompt)>? conversations = null)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        var renders = new List<RenderChange>();
        foreach (var (name, conversation, prompt) in GoldenConversations.All.Concat(conversations ?? []))
        {
            var change = Compare(name, Render(before, conversation, prompt, beforeEncoder), Render(after, conversation, prompt, afterEncoder));
            if (change is not null)
                renders.Add(change);
        }
        return new(FieldsOf(before, after), renders);
    }

    private static List<(string, string, string)> FieldsOf(PromptContract before, PromptContract after)
    {
        var fields = new List<(string, string, string)>();
        foreach (var name in before.SpecialTokens.Keys.Union(after.SpecialTokens.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal))
            Field(name, before.SpecialTokens.GetValueOrDefault(name) ?? "", after.SpecialTokens.GetValueOrDefault(name) ?? "");
        foreach (var name in before.SpecialTokenIds.Keys.Union(after.SpecialTokenIds.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal))
            Field(name + " id", Id(before, name), Id(after, name));
        Field("stop ids", string.Join(' ', before.StopIds), string.Join(' ', after.StopIds));
        Field("generation prompt", PyRepr.Quote(before.GenerationPrompt), PyRepr.Quote(after.GenerationPrompt));
        Field("clock", before.Clock.Text, after.Clock.Text);
        Field("features", before.Features.ToJson().ToJsonString(), after.Features.ToJson().ToJsonString());
        Field("tokenizer", before.TokenizerDigest, after.TokenizerDigest);
        return fields;

        void Field(string name, string a, string b)
        {
            if (a != b)
                fields.Add((name, a, b));
        }

        static string Id(PromptContract contract, string name) =>
            contract.SpecialTokenIds.TryGetValue(name, out var id) ? id.ToString(System.Globalization.CultureInfo.InvariantCulture) : "";
    }

    private sealed record Rendered(string? Text, string? Error, int[] Ids, bool[] Trained);

    private static Rendered Render(PromptContract contract, Conversation conversation, bool prompt, ITokenEncoder? encoder)
    {
        try
        {
            if (encoder is not null)
            {
                var tokens = contract.Render(conversation, encoder, prompt);
                return new(tokens.Text, null, tokens.Ids, tokens.Trained);
            }
            var render = contract.RenderText(conversation, prompt);
            // Without tokens, the mask is by character.
            var trained = new bool[render.Text.Length];
            foreach (var span in render.GenerationSpans)
                trained.AsSpan(span.Start, span.Length).Fill(true);
            return new(render.Text, null, [], trained);
        }
        catch (TemplateException e)
        {
            return new(null, $"{e.ErrorType}: {e.Message}", [], []);
        }
    }

    private static RenderChange? Compare(string name, Rendered a, Rendered b)
    {
        if (a.Text is null || b.Text is null)
            return a.Text == b.Text && a.Error == b.Error ? null : new(name, -1, a.Error ?? a.Text ?? "", b.Error ?? b.Text ?? "", [], [], false);
        var same = a.Text == b.Text && a.Ids.AsSpan().SequenceEqual(b.Ids);
        if (same && a.Trained.AsSpan().SequenceEqual(b.Trained))
            return null;
        if (same)
            return new(name, -1, Trained(a), Trained(b), [], [], true);
        var at = a.Text.AsSpan().CommonPrefixLength(b.Text);
        var from = Math.Max(at - 16, 0);
        var head = a.Ids.AsSpan().CommonPrefixLength(b.Ids);
        var tail = 0;
        while (tail < a.Ids.Length - head && tail < b.Ids.Length - head && a.Ids[^(tail + 1)] == b.Ids[^(tail + 1)])
            tail++;
        return new(name, at, Cut(a.Text, from), Cut(b.Text, from), a.Ids[head..^tail], b.Ids[head..^tail], false);
    }

    private static string Trained(Rendered r) => FormattableString.Invariant($"{r.Trained.Count(t => t)} of {r.Trained.Length} trained");

    private static string Cut(string text, int from) => text[from..Math.Min(text.Length, from + 60)];
}
