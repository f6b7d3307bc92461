using Attune.Prompts.Jinja;

namespace Attune.Prompts;

/// <summary>Makes contracts: finds ids, stops, the generation prompt and the features, and renders the golden set.</summary>
internal static class ContractBuilder
{
    public static PromptContract Build(string name, string template, IReadOnlyDictionary<string, string> specialTokens, IReadOnlyList<string> stops, ITokenEncoder encoder, DateTime? clock)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        var parsed = ChatTemplate.Parse(template);
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (token, text) in specialTokens)
        {
            if (encoder.AddedTokens.TryGetValue(text, out var id))
                ids[token] = id;
        }
        var settings = new TemplateSettings { SpecialTokens = specialTokens, Now = clock, AddGenerationPrompt = false };
        var usesClock = UsesClock(parsed);
        var contract = new PromptContract(new()
        {
            Name = name,
            Template = template,
            SpecialTokens = specialTokens,
            SpecialTokenIds = ids,
            StopTexts = stops,
            StopIds = StopIds(stops, ids, encoder),
            GenerationPrompt = GenerationPrompt(parsed, settings),
            Clock = new(usesClock, usesClock ? clock : null),
            Features = PromptFeatures.Of(parsed, settings),
            TokenizerDigest = encoder.Digest,
            Golden = [],
        });
        return new PromptContract(contract.Parts with
        {
            Golden = usesClock && clock is null ? [] : [.. GoldenConversations.All.Select(g => RenderGolden(contract, g.Name, encoder))],
        });
    }

    public static GoldenRender RenderGolden(PromptContract contract, string name, ITokenEncoder encoder)
    {
        var (_, conversation, add) = GoldenConversations.All.FirstOrDefault(g => g.Name == name);
        if (conversation is null)
            return new(name, null, null, "no such conversation");
        try
        {
            var prompt = contract.Render(conversation, encoder, add);
            return new(name, prompt.Text, prompt.Ids, null);
        }
        catch (TemplateException e)
        {
            return new(name, null, null, $"{e.ErrorType}: {e.Message}");
        }
    }

    /// <summary>Stop tokens that the tokenizer has, and the end of sequence.</summary>
    private static List<int> StopIds(IReadOnlyList<string> stops, Dictionary<string, int> ids, ITokenEncoder encoder)
    {
        var found = new List<int>();
        foreach (var stop in stops)
        {
            if (!encoder.AddedTokens.TryGetValue(stop, out var id))
            {
                throw new PromptException("ATT1102", $"The tokenizer has no token {stop}, which ends a turn of this contract.")
                {
                    Field = "stop_tokens",
                    Hint = "Use a tokenizer that reserves it, a contract whose tokens it has, or let SFT add it (--new-tokens).",
                };
            }
            found.Add(id);
        }
        if (ids.TryGetValue("eos_token", out var eos) && !found.Contains(eos))
            found.Add(eos);
        return found;
    }

    private static string GenerationPrompt(ChatTemplate template, TemplateSettings settings)
    {
        foreach (var content in (ReadOnlySpan<string>)["Hi", "Hello"])
        {
            try
            {
                var conversation = PreparedConversation.From(new([new("user", content)]));
                var without = template.Render(conversation, settings with { AddGenerationPrompt = false }).Text;
                var with = template.Render(conversation, settings with { AddGenerationPrompt = true }).Text;
                if (with.StartsWith(without, StringComparison.Ordinal))
                    return with[without.Length..];
            }
            catch (TemplateException)
            {
                // A template that refuses a lone question has no generation prompt that could be told.
            }
        }
        return "";
    }

    public static bool UsesClock(ChatTemplate template)
    {
        var uses = false;
        Tree.Walk(template.Program.Body, _ => { }, e => uses |= e is Name { Id: "strftime_now" });
        return uses;
    }
}
