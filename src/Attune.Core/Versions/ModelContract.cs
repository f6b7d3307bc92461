using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Prompts;

namespace Attune.Core.Versions;

/// <summary>The prompt contract of a model, from its files; and contracts that a user names.</summary>
public static class ModelContract
{
    /// <summary>
    /// The contract that belongs to these files: prompt_contract.json where there is one, else what tokenizer_config.json and
    /// chat_template.jinja say, which for a model without a template is the Base contract.
    /// </summary>
    /// <param name="files">The model.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="allowMismatch">
    /// On purpose: a contract of another tokenizer is made anew for this one, and a chat_template.jinja beside it that says something else is left aside.
    /// </param>
    /// <exception cref="PromptException">
    /// ATT1101: the contract is of another tokenizer. ATT1103, ATT1104: a file cannot be read. ATT1107: chat_template.jinja and the contract say different things.
    /// </exception>
    public static PromptContract Of(ModelFiles files, ITokenEncoder tokenizer, bool allowMismatch = false)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(tokenizer);
        var template = Text(files, ModelFiles.ChatTemplate);
        if (files.Find(ModelFiles.PromptContract) is not { } path)
            return PromptContract.FromFiles(Text(files, ModelFiles.TokenizerConfig), template, tokenizer);
        var kept = Read(path);
        if (kept.TokenizerDigest != tokenizer.Digest && allowMismatch)
            return kept.For(tokenizer);
        kept.RequireTokenizer(tokenizer);
        if (template is null || template == kept.Template.Source || allowMismatch)
            return kept;
        // Another program may have written the template anew, byte for byte different and the same in meaning.
        var beside = kept.WithTemplate(ModelFiles.ChatTemplate, template, tokenizer);
        if (ContractDiff.Of(kept, beside, tokenizer, tokenizer) is { IsEmpty: false })
            ContractGate.RequireSame(kept, beside);
        return kept;
    }

    /// <summary>A contract that a user names, made for a tokenizer: a built-in one, a model folder's, or a file's. Null where there is none of that name.</summary>
    /// <param name="named">chatml…, a folder, or a file: prompt_contract.json, tokenizer_config.json, a template.</param>
    /// <param name="tokenizer">The tokenizer that ids and golden renders are for.</param>
    /// <exception cref="PromptException">It cannot be read, or the tokenizer lacks its tokens.</exception>
    public static PromptContract? Named(string named, ITokenEncoder tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        return BuiltInContracts.All.TryGetValue(named, out var make) ? make(tokenizer)
            : Directory.Exists(named) ? Of(ModelFiles.OfFolder(named), tokenizer, allowMismatch: true)
            : File.Exists(named) ? OfFile(named, tokenizer)
            : null;
    }

    /// <summary>Reads prompt_contract.json, with the file's name in what goes wrong.</summary>
    /// <exception cref="PromptException">ATT1103: it is not one, or it was changed.</exception>
    public static PromptContract Read(string path)
    {
        try
        {
            return PromptContract.FromJson(File.ReadAllText(path));
        }
        catch (PromptException e)
        {
            throw new PromptException(e.Code, e.Message, e) { File = path, Field = e.Field, Hint = e.Hint };
        }
    }

    private static PromptContract OfFile(string path, ITokenEncoder tokenizer)
    {
        var text = File.ReadAllText(path);
        if (!path.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
            return PromptContract.FromFiles(Beside(path), text, tokenizer);
        if (!IsContract(text))
            return PromptContract.FromFiles(text, null, tokenizer);
        var contract = Read(path);
        return contract.TokenizerDigest == tokenizer.Digest ? contract : contract.For(tokenizer);
    }

    /// <summary>Whether a JSON text is a prompt contract rather than a tokenizer_config.json.</summary>
    public static bool IsContract(string json)
    {
        try
        {
            return JsonNode.Parse(json) is JsonObject found && found.ContainsKey("template") && found.ContainsKey("tokenizer_digest");
        }
        catch (JsonException)
        {
            return false;
        }
    }

    // The special tokens of a template are named beside it.
    private static string? Beside(string path) =>
        Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, ModelFiles.TokenizerConfig) is var config && File.Exists(config) ? File.ReadAllText(config) : null;

    private static string? Text(ModelFiles files, string name) => files.Find(name) is { } path ? File.ReadAllText(path) : null;
}
