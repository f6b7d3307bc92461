namespace Attune.Prompts;

/// <summary>
/// Contracts written by us after the published formats. Base, ChatMl and Llama3 use the tokens that Attune's own
/// tokenizer reserves from the start; the others want a tokenizer that has theirs.
/// </summary>
public static class BuiltInContracts
{
    private const string EndOfText = "<|endoftext|>";

    /// <summary>Every built-in contract by name.</summary>
    public static IReadOnlyDictionary<string, Func<ITokenEncoder, PromptContract>> All { get; } = new Dictionary<string, Func<ITokenEncoder, PromptContract>>(StringComparer.Ordinal)
    {
        ["base"] = Base,
        ["completion"] = Completion,
        ["chatml"] = ChatMl,
        ["llama3"] = Llama3,
        ["llama2"] = Llama2,
        ["mistral"] = Mistral,
        ["gemma"] = Gemma,
        ["zephyr"] = Zephyr,
        ["alpaca"] = Alpaca,
        ["vicuna"] = Vicuna,
    };

    /// <summary>No template: texts as they are, the assistant's ended by the end of text.</summary>
    public static PromptContract Base(ITokenEncoder encoder) => Make("base", BuiltInTemplates.Base, encoder, null, null, []);

    /// <summary>Question and Answer lines with few-shot separators, for Base models. It stops at the end of text; callers stop at an empty line.</summary>
    public static PromptContract Completion(ITokenEncoder encoder) => Make("completion", BuiltInTemplates.Completion, encoder, null, null, []);

    /// <summary>ChatML, without BOS; turns end with &lt;|im_end|&gt;.</summary>
    public static PromptContract ChatMl(ITokenEncoder encoder) => Make("chatml", BuiltInTemplates.ChatMl, encoder, null, null, ["<|im_end|>"]);

    /// <summary>Llama 3; turns end with &lt;|eot_id|&gt;.</summary>
    public static PromptContract Llama3(ITokenEncoder encoder) => Make("llama3", BuiltInTemplates.Llama3, encoder, "<|begin_of_text|>", null, ["<|eot_id|>"]);

    /// <summary>Llama 2.</summary>
    public static PromptContract Llama2(ITokenEncoder encoder) => Make("llama2", BuiltInTemplates.Llama2, encoder, "<s>", "</s>", []);

    /// <summary>Mistral.</summary>
    public static PromptContract Mistral(ITokenEncoder encoder) => Make("mistral", BuiltInTemplates.Mistral, encoder, "<s>", "</s>", []);

    /// <summary>Gemma.</summary>
    public static PromptContract Gemma(ITokenEncoder encoder) => Make("gemma", BuiltInTemplates.Gemma, encoder, "<bos>", "<eos>", ["<end_of_turn>"]);

    /// <summary>Zephyr.</summary>
    public static PromptContract Zephyr(ITokenEncoder encoder) => Make("zephyr", BuiltInTemplates.Zephyr, encoder, "<s>", "</s>", []);

    /// <summary>Alpaca.</summary>
    public static PromptContract Alpaca(ITokenEncoder encoder) => Make("alpaca", BuiltInTemplates.Alpaca, encoder, "<s>", "</s>", []);

    /// <summary>Vicuna.</summary>
    public static PromptContract Vicuna(ITokenEncoder encoder) => Make("vicuna", BuiltInTemplates.Vicuna, encoder, "<s>", "</s>", []);

    /// <summary>A built-in contract by name.</summary>
    /// <exception cref="PromptException">ATT1105: there is none of that name.</exception>
    public static PromptContract ByName(string name, ITokenEncoder encoder) => All.TryGetValue(name, out var make) ? make(encoder)
        : throw new PromptException("ATT1105", $"There is no built-in prompt contract '{name}'.") { Hint = "There are: " + string.Join(", ", All.Keys) + "." };

    private static PromptContract Make(string name, string template, ITokenEncoder encoder, string? bos, string? eos, IReadOnlyList<string> stops)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        // Our own tokenizer has one end of text for all; others have what their format names.
        eos = eos is not null && encoder.AddedTokens.ContainsKey(eos) ? eos : encoder.AddedTokens.ContainsKey(EndOfText) ? EndOfText : eos ?? EndOfText;
        if (bos is not null && !encoder.AddedTokens.ContainsKey(bos))
            bos = encoder.AddedTokens.ContainsKey("<|begin_of_text|>") ? "<|begin_of_text|>" : bos;
        var tokens = new Dictionary<string, string>(StringComparer.Ordinal) { ["eos_token"] = eos };
        if (bos is not null)
            tokens["bos_token"] = bos;
        if (encoder.AddedTokens.ContainsKey("<|pad|>"))
            tokens["pad_token"] = "<|pad|>";
        foreach (var (role, text) in tokens)
        {
            if (encoder.AddedTokens.ContainsKey(text))
                continue;
            throw new PromptException("ATT1102", $"The tokenizer has no token {text}, the {role} of the {name} contract.")
            {
                Field = role,
                Hint = "Use a tokenizer that reserves it, a contract whose tokens it has, or let SFT add it (--new-tokens).",
            };
        }
        return ContractBuilder.Build(name, template, tokens, stops, encoder, null);
    }
}
