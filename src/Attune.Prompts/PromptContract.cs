using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Attune.Prompts;

/// <summary>A conversation of a contract's golden set with the text and the ids that it must give.</summary>
/// <param name="Name">Which conversation, of <see cref="GoldenConversations"/>.</param>
/// <param name="Text">Its render, or null where the template refuses it.</param>
/// <param name="Ids">Its token ids, or null where the template refuses it.</param>
/// <param name="Error">Why the template refuses it, or null.</param>
public sealed record GoldenRender(string Name, string? Text, IReadOnlyList<int>? Ids, string? Error);

/// <summary>
/// How a model is spoken to, as a formal part of a version: the template, its special tokens with their ids, where it
/// stops, what it can do, the tokenizer it belongs to, golden renders, and one hash over it all. Whoever trains, evaluates,
/// serves or exports a version takes the contract from it.
/// </summary>
public sealed class PromptContract
{
    private readonly TemplateSettings _with;
    private readonly TemplateSettings _without;

    internal PromptContract(ContractParts parts)
    {
        Parts = parts;
        Template = ChatTemplate.Parse(parts.Template);
        _without = new TemplateSettings { SpecialTokens = parts.SpecialTokens, Now = parts.Clock.Fixed };
        _with = _without with { AddGenerationPrompt = true };
        _without = _without with { AddGenerationPrompt = false };
        Hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(parts.ToJson().ToJsonString(Canonical))));
    }

    private static readonly JsonSerializerOptions Canonical = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonSerializerOptions Indented = new(Canonical) { WriteIndented = true };

    internal ContractParts Parts { get; }

    /// <summary>SHA-256 over everything in the contract, lower-case hex.</summary>
    public string Hash { get; }

    /// <summary>The template.</summary>
    public ChatTemplate Template { get; }

    /// <summary>What the contract is called: chatml, llama3, or where it came from.</summary>
    public string Name => Parts.Name;

    /// <summary>Special tokens by the names that templates know (bos_token…), with their texts.</summary>
    public IReadOnlyDictionary<string, string> SpecialTokens => Parts.SpecialTokens;

    /// <summary>Ids of the special tokens, by the same names, where the tokenizer has them.</summary>
    public IReadOnlyDictionary<string, int> SpecialTokenIds => Parts.SpecialTokenIds;

    /// <summary>Begin of sequence, or null.</summary>
    public int? BosId => Parts.SpecialTokenIds.TryGetValue("bos_token", out var id) ? id : null;

    /// <summary>End of sequence, or null.</summary>
    public int? EosId => Parts.SpecialTokenIds.TryGetValue("eos_token", out var id) ? id : null;

    /// <summary>Ids that end an answer.</summary>
    public IReadOnlyList<int> StopIds => Parts.StopIds;

    /// <summary>What add_generation_prompt adds: the opening of an assistant's turn. Empty where it adds nothing.</summary>
    public string GenerationPrompt => Parts.GenerationPrompt;

    /// <summary>What the template is told when it asks for the time.</summary>
    public ClockPolicy Clock => Parts.Clock;

    /// <summary>Roles and abilities.</summary>
    public PromptFeatures Features => Parts.Features;

    /// <summary>SHA-256 of the tokenizer's file.</summary>
    public string TokenizerDigest => Parts.TokenizerDigest;

    /// <summary>Conversations with the text and ids that they must give.</summary>
    public IReadOnlyList<GoldenRender> Golden => Parts.Golden;

    /// <summary>
    /// Renders a conversation to ids. What users, tools and documents brought never becomes a control token; the loss
    /// mask comes from the template's generation blocks; every id knows the message and field it came from.
    /// </summary>
    /// <exception cref="TemplateException">The template refuses the conversation or fails on it.</exception>
    /// <exception cref="PromptException">ATT1101: the encoder is not the contract's tokenizer.</exception>
    public RenderedPrompt Render(Conversation conversation, ITokenEncoder encoder, bool addGenerationPrompt = false)
    {
        RequireTokenizer(encoder);
        return PromptEncoding.Encode(RenderText(conversation, addGenerationPrompt), encoder, BosId);
    }

    /// <summary>Renders a conversation to text, with spans and sources.</summary>
    /// <exception cref="TemplateException">The template refuses the conversation or fails on it.</exception>
    public TemplateRender RenderText(Conversation conversation, bool addGenerationPrompt = false) =>
        Template.Render(conversation, addGenerationPrompt ? _with : _without);

    internal TemplateSettings Settings(bool addGenerationPrompt) => addGenerationPrompt ? _with : _without;

    /// <summary>Refuses an encoder that is not the tokenizer of this contract.</summary>
    /// <exception cref="PromptException">ATT1101: it is another.</exception>
    public void RequireTokenizer(ITokenEncoder encoder)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        if (!string.Equals(encoder.Digest, TokenizerDigest, StringComparison.Ordinal))
        {
            throw new PromptException("ATT1101", $"The prompt contract belongs to tokenizer {TokenizerDigest[..Math.Min(12, TokenizerDigest.Length)]}, this is {encoder.Digest[..Math.Min(12, encoder.Digest.Length)]}.")
            {
                Field = "tokenizer_digest",
                Hint = "Use the tokenizer of the version, or make a contract for this one with PromptContract.For(encoder).",
            };
        }
    }

    /// <summary>The same contract for another tokenizer: ids, stops and golden renders are made anew.</summary>
    /// <exception cref="PromptException">ATT1102: the tokenizer lacks a special token that the template prints.</exception>
    public PromptContract For(ITokenEncoder encoder) =>
        ContractBuilder.Build(Name, Parts.Template, Parts.SpecialTokens, Parts.StopTexts, encoder, Clock.Fixed);

    /// <summary>The same contract with the clock stopped at a moment, or running (null).</summary>
    public PromptContract WithClock(DateTime? at, ITokenEncoder encoder) =>
        ContractBuilder.Build(Name, Parts.Template, Parts.SpecialTokens, Parts.StopTexts, encoder, at);

    /// <summary>The same special tokens and stops with another template: to compare with, or to measure what it would do.</summary>
    /// <exception cref="TemplateException">The template is broken.</exception>
    public PromptContract WithTemplate(string name, string template, ITokenEncoder encoder) =>
        ContractBuilder.Build(name, template, Parts.SpecialTokens, Parts.StopTexts, encoder, Clock.Fixed);

    /// <summary>Renders the golden conversations anew and says which differ: none, if engine and tokenizer are as they were.</summary>
    public IReadOnlyList<string> VerifyGolden(ITokenEncoder encoder)
    {
        RequireTokenizer(encoder);
        return [.. Golden.Where(g => !Same(g, ContractBuilder.RenderGolden(this, g.Name, encoder))).Select(g => g.Name)];

        static bool Same(GoldenRender a, GoldenRender b) =>
            a.Text == b.Text && a.Error == b.Error && (a.Ids ?? []).SequenceEqual(b.Ids ?? []);
    }

    /// <summary>The contract as prompt_contract.json.</summary>
    public string ToJson()
    {
        var json = Parts.ToJson();
        json["hash"] = Hash;
        return json.ToJsonString(Indented) + "\n";
    }

    /// <summary>Reads prompt_contract.json.</summary>
    /// <exception cref="PromptException">ATT1103: it is not one, or its hash is not that of its contents.</exception>
    public static PromptContract FromJson(string json)
    {
        try
        {
            var node = JsonNode.Parse(json)!.AsObject();
            var contract = new PromptContract(ContractParts.FromJson(node));
            if (node["hash"]?.GetValue<string>() is { } hash && hash != contract.Hash)
            {
                throw new PromptException("ATT1103", $"The prompt contract says hash {hash[..Math.Min(12, hash.Length)]}, its contents have {contract.Hash[..12]}.")
                {
                    Field = "hash",
                    Hint = "It was changed by hand or damaged. Take it from the version again.",
                };
            }
            return contract;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException or FormatException or ArgumentException)
        {
            throw new PromptException("ATT1103", "This is not a prompt contract: " + e.Message, e) { Hint = "It must be a prompt_contract.json as PromptContract.ToJson writes it." };
        }
    }

    /// <summary>
    /// A contract from a Hugging Face folder's files: tokenizer_config.json for the special tokens (and the template, where it
    /// holds one), chat_template.jinja where there is one. Without any template it is the Base contract.
    /// </summary>
    /// <exception cref="PromptException">ATT1104: tokenizer_config.json cannot be read.</exception>
    /// <exception cref="TemplateException">The template is broken.</exception>
    public static PromptContract FromFiles(string? tokenizerConfigJson, string? chatTemplate, ITokenEncoder encoder) =>
        ContractFiles.Read(tokenizerConfigJson, chatTemplate, encoder);
}
