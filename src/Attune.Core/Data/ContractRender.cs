using Attune.Prompts;

namespace Attune.Core.Data;

/// <summary>
/// Conversations to tokens by a prompt contract, with the edge between prompt and completion where inference has it.
/// A contract encodes a render as one text, so the last letter of the generation prompt and the first of the completion
/// may become one token ("assistant\n" and "\nYes" share a "\n\n"). Inference never sees that token: it encodes the prompt
/// first and lets the model say the rest. Where that happens, and only there, training encodes the two sides apart.
/// </summary>
public static class ContractRender
{
    /// <summary>Renders for training.</summary>
    public static RenderTokens ForTraining(PromptContract contract, ITokenEncoder encoder) =>
        conversation => Render(contract, encoder, conversation, addGenerationPrompt: false);

    /// <summary>Renders a prompt for generation. Earlier turns of the assistant stand in it as it said them, apart too.</summary>
    public static RenderTokens ForGeneration(PromptContract contract, ITokenEncoder encoder) =>
        conversation => Render(contract, encoder, conversation, addGenerationPrompt: true);

    private static RenderedTokens Render(PromptContract contract, ITokenEncoder encoder, Conversation conversation, bool addGenerationPrompt)
    {
        var whole = contract.Render(conversation, encoder, addGenerationPrompt);
        var render = contract.RenderText(conversation, addGenerationPrompt);
        var cuts = Edges(contract, conversation, render).Where(edge => whole.Spans.Any(t => t.Start < edge && edge < t.End)).ToList();
        return cuts.Count > 0 && Apart(contract, encoder, render, cuts) is { } apart && encoder.Decode(apart.Ids.ToArray()) == encoder.Decode(whole.Ids)
            ? apart
            : new RenderedTokens(whole.Ids, whole.Trained);
    }

    // Where each assistant turn's prompt ends. With a generation prompt that is what stands before the turn; a format
    // without one is asked what it renders up to there.
    private static IEnumerable<int> Edges(PromptContract contract, Conversation conversation, TemplateRender render)
    {
        if (contract.GenerationPrompt.Length > 0)
        {
            foreach (var span in render.GenerationSpans)
            {
                if (render.Text.AsSpan(0, span.Start).EndsWith(contract.GenerationPrompt, StringComparison.Ordinal))
                    yield return span.Start;
            }
            yield break;
        }
        for (var i = 1; i < conversation.Messages.Count; i++)
        {
            if (conversation.Messages[i].Role != Turns.Assistant)
                continue;
            var prompt = contract.RenderText(conversation with { Messages = [.. conversation.Messages.Take(i)] }, addGenerationPrompt: true).Text;
            if (prompt.Length > 0 && render.Text.StartsWith(prompt, StringComparison.Ordinal))
                yield return prompt.Length;
        }
    }

    private static RenderedTokens Apart(PromptContract contract, ITokenEncoder encoder, TemplateRender render, IReadOnlyList<int> cuts)
    {
        var (ids, trained) = (new List<int>(), new List<bool>());
        var (start, untrusted) = (0, render.UntrustedSpans());
        foreach (var end in cuts.Append(render.Text.Length))
        {
            var part = new List<EncodedToken>();
            encoder.Encode(render.Text[start..end], Within(untrusted, start, end), part);
            foreach (var token in part)
            {
                var from = start + token.Start;
                ids.Add(token.Id);
                trained.Add(render.GenerationSpans.Any(s => s.Start < from + token.Length && from < s.End));
            }
            start = end;
        }
        // As the contract does: a BOS of the template and one of the text do not add up.
        while (ids.Count > 1 && ids[0] == contract.BosId && ids[1] == contract.BosId)
        {
            ids.RemoveAt(1);
            trained.RemoveAt(1);
        }
        return new RenderedTokens(ids, trained);
    }

    private static List<TextSpan> Within(IReadOnlyList<TextSpan> spans, int start, int end)
    {
        var within = new List<TextSpan>();
        foreach (var span in spans)
        {
            var (from, to) = (Math.Max(span.Start, start), Math.Min(span.End, end));
            if (from < to)
                within.Add(new TextSpan(from - start, to - from));
        }
        return within;
    }
}
