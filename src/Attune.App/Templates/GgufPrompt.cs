using System.Text.Json.Nodes;
using Attune.Core.Checkpoints.Gguf;
using Attune.Core.Tokens;
using Attune.Prompts;

namespace Attune.App.Templates;

/// <summary>The template, special tokens and vocabulary that a GGUF file carries in its keys.</summary>
internal static class GgufPrompt
{
    /// <summary>Reads the keys; the tensors are not looked at.</summary>
    /// <exception cref="AttuneException">It is no GGUF file, or it holds no template (ATT1303).</exception>
    public static PromptSubject Open(string path, Tokenizer? given)
    {
        using var file = GgufFile.Open(path);
        var keys = file.Metadata;
        var template = keys.Text("tokenizer.chat_template") ?? throw new PromptException("ATT1303", "There is no chat template in it.")
        {
            File = path,
            Field = "tokenizer.chat_template",
            Hint = "Whoever made the file left it out: look at the model that it was made from.",
        };
        var vocabulary = GgufTokenizerKeys.Read(keys);
        var config = new JsonObject();
        foreach (var (name, key) in ((string, string)[])[("bos_token", "bos"), ("eos_token", "eos"), ("unk_token", "unknown"), ("pad_token", "padding")])
        {
            if (keys.Int($"tokenizer.ggml.{key}_token_id") is { } id && id >= 0 && id < vocabulary.Tokens.Count)
                config[name] = vocabulary.Tokens[id];
        }
        return PromptSubject.OfTexts(path, config.ToJsonString(), template, given ?? vocabulary.ToTokenizer(path));
    }
}
