using System.Text.Json.Nodes;
using Attune.Core.Checkpoints;
using Attune.Core.Tokens;
using Attune.Core.Versions;

namespace Attune.Core.Exchange;

/// <summary>
/// Completes a plain folder to what transformers writes with save_pretrained: special_tokens_map.json,
/// generation_config.json, tokenizer_config.json, additional_chat_templates/.
/// </summary>
public static class HuggingFaceFolder
{
    /// <summary>Writes what is missing; what is there stays as it is.</summary>
    /// <exception cref="CheckpointException">A file cannot be read or written.</exception>
    public static void Complete(string folder)
    {
        var model = ModelFiles.OfFolder(folder);
        if (model.Find(ModelFiles.Config) is not { } configPath || model.Find(ModelFiles.Tokenizer) is not { } tokenizerPath)
            return;
        var config = HuggingFaceConfig.Read(configPath, DecoderFeatures.All);
        var tokenizer = Tokenizer.Load(tokenizerPath);
        var tokens = SpecialTokens(model, config, tokenizer);
        if (model.Find(ModelFiles.GenerationConfig) is null)
            GenerationConfig.Write(Path.Combine(folder, ModelFiles.GenerationConfig), new() { BosTokenId = config.BosTokenId, EosTokenIds = config.EosTokenIds, PadTokenId = config.PadTokenId });
        if (model.Find(ModelFiles.TokenizerConfig) is null)
            Atomic.WriteAllText(Path.Combine(folder, ModelFiles.TokenizerConfig), HuggingFaceJson.Format(TokenizerConfig(config, tokens)));
        if (model.Find("special_tokens_map.json") is null && tokens.Count > 0)
            Atomic.WriteAllText(Path.Combine(folder, "special_tokens_map.json"), HuggingFaceJson.Format(tokens));
        foreach (var (name, path) in model.Paths.Where(f => ModelImport.IsFurtherTemplate(f.Key)))
        {
            Directory.CreateDirectory(Path.Combine(folder, ModelImport.MoreTemplates));
            File.Move(path, Path.Combine(folder, ModelImport.MoreTemplates, name));
        }
    }

    /// <summary>bos_token, eos_token, pad_token, unk_token: as tokenizer_config.json says, else by the config's ids.</summary>
    private static JsonObject SpecialTokens(ModelFiles model, DecoderConfig config, Tokenizer tokenizer)
    {
        var said = model.Find(ModelFiles.TokenizerConfig) is { } path ? HuggingFaceJson.Read(path) : [];
        var tokens = new JsonObject();
        foreach (var (name, id) in ((string, int?)[])[("bos_token", config.BosTokenId), ("eos_token", config.EosTokenIds.Count > 0 ? config.EosTokenIds[0] : null), ("pad_token", config.PadTokenId), ("unk_token", null)])
        {
            var text = said[name] switch
            {
                JsonValue value when value.TryGetValue<string>(out var token) => token,
                JsonObject added => (string?)added["content"],
                _ => id is { } known && tokenizer.HasId(known) ? tokenizer.TokenText(known) : null,
            };
            if (text is not null)
                tokens[name] = text;
        }
        return tokens;
    }

    private static JsonObject TokenizerConfig(DecoderConfig config, JsonObject tokens)
    {
        var json = tokens.DeepClone().AsObject();
        json["clean_up_tokenization_spaces"] = false;
        json["model_max_length"] = config.ContextLength;
        json["tokenizer_class"] = "PreTrainedTokenizerFast";
        return json;
    }
}
