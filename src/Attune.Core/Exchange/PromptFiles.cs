using System.Text.Json.Nodes;
using Attune.Core.Checkpoints;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Prompts;

namespace Attune.Core.Exchange;

/// <summary>What a Hugging Face folder says of prompts: its chat templates, and whether a raw text gets BOS and EOS.</summary>
/// <param name="Template">The default chat template, or null.</param>
/// <param name="Named">Further templates by name (tool_use, rag…).</param>
/// <param name="AddsBos">Whether a raw text begins with BOS.</param>
/// <param name="AddsEos">Whether one ends with EOS.</param>
public sealed record PromptFiles(string? Template, IReadOnlyDictionary<string, string> Named, bool AddsBos, bool AddsEos)
{
    /// <summary>Reads chat_template.jinja, additional_chat_templates/* and tokenizer_config.json.</summary>
    /// <exception cref="CheckpointException">ATT2003, ATT2020: a file cannot be read.</exception>
    public static PromptFiles Of(ModelFiles model, Tokenizer tokenizer)
    {
        var config = model.Find(ModelFiles.TokenizerConfig) is { } path ? HuggingFaceJson.Read(path) : [];
        var named = new Dictionary<string, string>(StringComparer.Ordinal);
        string? template = null;
        switch (config["chat_template"])
        {
            case JsonValue value when value.TryGetValue<string>(out var text):
                template = text;
                break;
            case JsonArray list:
                foreach (var item in list.OfType<JsonObject>())
                {
                    if ((string?)item["name"] is { } name && (string?)item["template"] is { } text)
                        named[name] = text;
                }
                named.Remove("default", out template);
                break;
            default:
                break;
        }
        if (model.Find(ModelFiles.ChatTemplate) is { } file)
            template = File.ReadAllText(file);
        foreach (var (name, extra) in model.Paths.Where(p => ModelImport.IsFurtherTemplate(p.Key)))
            named[Path.GetFileNameWithoutExtension(name)] = File.ReadAllText(extra);

        var plain = tokenizer.Encode("a");
        var wrapped = tokenizer.Encode("a", addSpecialTokens: true);
        var before = wrapped.Length > plain.Length && (plain.Length == 0 || wrapped[0] != plain[0]);
        var after = wrapped.Length > plain.Length && (plain.Length == 0 || wrapped[^1] != plain[^1]);
        return new(template, named, Flag("add_bos_token") ?? before, Flag("add_eos_token") ?? after);

        bool? Flag(string key) => config[key] is JsonValue value && value.TryGetValue<bool>(out var flag) ? flag : null;
    }

    /// <summary>How a model is spoken to; null for a Base model, which has no format of its own.</summary>
    /// <exception cref="AttuneException">ATT1101, ATT1103: its contract is damaged or another tokenizer's; ATT1104: tokenizer_config.json cannot be read; a broken template.</exception>
    public static PromptContract? ContractOf(ModelFiles model, Tokenizer tokenizer)
    {
        if (model.Find(ModelFiles.PromptContract) is { } own)
        {
            var kept = PromptContract.FromJson(File.ReadAllText(own));
            kept.RequireTokenizer(tokenizer);
            return kept;
        }
        var contract = PromptContract.FromFiles(Text(ModelFiles.TokenizerConfig), Text(ModelFiles.ChatTemplate), tokenizer);
        return contract.Name == "base" ? null : contract;

        string? Text(string name) => model.Find(name) is { } path ? File.ReadAllText(path) : null;
    }
}
