using System.Text.Json.Nodes;
using Attune.Core.Tokens;
using Attune.Prompts;

namespace Attune.App.Templates;

/// <summary>The template, special tokens and vocabulary that a GGUF file carries in its keys.</summary>
internal static class GgufPrompt
{
    private const string Prefix = "tokenizer.ggml.";

    /// <summary>Reads the keys; the tensors are not looked at.</summary>
    /// <exception cref="AttuneException">It is no GGUF file, or it holds no template (ATT1303), or a vocabulary that Attune does not know (ATT2503).</exception>
    public static PromptSubject Open(string path, Tokenizer? given)
    {
        var keys = GgufKeys.Read(path);
        var template = keys.TextOf("tokenizer.chat_template") ?? throw new PromptException("ATT1303", "There is no chat template in it.")
        {
            File = path,
            Field = "tokenizer.chat_template",
            Hint = "Whoever made the file left it out: look at the model that it was made from.",
        };
        var tokens = keys.Texts(Prefix + "tokens");
        var config = new JsonObject();
        foreach (var (name, key) in ((string, string)[])[("bos_token", "bos"), ("eos_token", "eos"), ("unk_token", "unknown"), ("pad_token", "padding")])
        {
            if (keys.Number($"{Prefix}{key}_token_id") is { } id && id >= 0 && id < tokens.Count)
                config[name] = tokens[id];
        }
        return PromptSubject.OfTexts(path, config.ToJsonString(), template, given ?? Vocabulary(keys, tokens)?.ToTokenizer(path));
    }

    private static GgufVocabulary? Vocabulary(GgufKeys keys, IReadOnlyList<string> tokens) => keys.TextOf(Prefix + "model") is not { } model || tokens.Count == 0 ? null : new()
    {
        Model = model,
        Pre = keys.TextOf(Prefix + "pre") ?? "default",
        Tokens = tokens,
        Types = [.. keys.Numbers(Prefix + "token_type").Select(t => (int)t)],
        Merges = keys.Texts(Prefix + "merges"),
        Scores = [.. keys.Numbers(Prefix + "scores").Select(s => (float)s)],
        Unknown = keys.Number(Prefix + "unknown_token_id"),
        AddSpacePrefix = keys.Flag(Prefix + "add_space_prefix") ?? true,
    };
}
