using System.Text.Json.Nodes;
using Attune.Core.Checkpoints;
using Attune.Core.Checkpoints.Gguf;
using Attune.Core.Tokens;
using Attune.Core.Versions;

namespace Attune.Core.Exchange;

/// <summary>
/// A GGUF file as an ordinary Hugging Face folder. F32, F16 and BF16 stay what they are; packed weights unfold to
/// float32: what was lost when they were packed stays lost.
/// </summary>
public static class GgufImport
{
    /// <summary>What the keys of further templates begin with.</summary>
    internal const string NamedTemplate = "tokenizer.chat_template.";

    /// <summary>Writes config.json, the weights, and what the file says of tokens and prompts.</summary>
    /// <param name="path">The file.</param>
    /// <param name="folder">Made where it is missing.</param>
    /// <exception cref="CheckpointException">The file is broken (ATT33..), or asks for what Attune has not (ATT2022).</exception>
    /// <exception cref="TokenException">A tokenizer that Attune has not.</exception>
    public static void ToFolder(string path, string folder)
    {
        using var file = GgufFile.Open(path);
        var config = GgufConfig.Read(file);
        var tensors = GgufWeights.FromGguf(config, file);
        Directory.CreateDirectory(folder);
        HuggingFaceConfig.Write(Path.Combine(folder, ModelFiles.Config), config);
        SafetensorsWriter.Write(Path.Combine(folder, ModelFiles.Weights), tensors);
        GenerationConfig.Write(Path.Combine(folder, ModelFiles.GenerationConfig), new() { BosTokenId = config.BosTokenId, EosTokenIds = config.EosTokenIds, PadTokenId = config.PadTokenId });
        if (file.Metadata.Text("tokenizer.ggml.model") is null or "none" or "no_vocab")
            return;

        var tokenizer = GgufTokenizerKeys.Read(file.Metadata).ToTokenizer(path);
        Atomic.WriteAllBytes(Path.Combine(folder, ModelFiles.Tokenizer), tokenizer.ToJson().Span);
        Atomic.WriteAllText(Path.Combine(folder, ModelFiles.TokenizerConfig), HuggingFaceJson.Format(TokenizerConfig(config, tokenizer, file.Metadata)));
        if (file.Metadata.Text("tokenizer.chat_template") is { } template)
            Atomic.WriteAllText(Path.Combine(folder, ModelFiles.ChatTemplate), template);
        WriteNamed(file.Metadata, Path.Combine(folder, ModelImport.MoreTemplates));
    }

    /// <summary>Further templates (tool_use, rag…), where transformers keeps them.</summary>
    private static void WriteNamed(GgufMetadata metadata, string folder)
    {
        foreach (var key in metadata.Select(pair => pair.Key).Where(k => k.StartsWith(NamedTemplate, StringComparison.Ordinal)))
        {
            // The name is the file's word: it may not lead out of the folder.
            var name = key[NamedTemplate.Length..];
            if (name.Length == 0 || name.Any(c => c is '/' or '\\' or ':' || char.IsControl(c)))
                throw metadata.Impossible(key, "A template's name must be one that a file can have.");
            Directory.CreateDirectory(folder);
            Atomic.WriteAllText(Path.Combine(folder, name + ".jinja"), metadata.RequiredText(key));
        }
    }

    private static JsonObject TokenizerConfig(DecoderConfig config, Tokenizer tokenizer, GgufMetadata metadata)
    {
        var json = new JsonObject
        {
            // llama.cpp's default is yes for SentencePiece, no for the rest.
            ["add_bos_token"] = metadata.Flag("tokenizer.ggml.add_bos_token") ?? metadata.Text("tokenizer.ggml.model") == "llama",
            ["add_eos_token"] = metadata.Flag("tokenizer.ggml.add_eos_token") ?? false,
            ["clean_up_tokenization_spaces"] = false,
            ["model_max_length"] = config.ContextLength,
            ["tokenizer_class"] = "PreTrainedTokenizerFast",
        };
        Name("bos_token", config.BosTokenId);
        Name("eos_token", config.EosTokenIds.Count > 0 ? config.EosTokenIds[0] : null);
        Name("pad_token", config.PadTokenId);
        Name("unk_token", metadata.Int("tokenizer.ggml.unknown_token_id"));
        return json;

        void Name(string key, int? id)
        {
            if (id is { } known && tokenizer.HasId(known))
                json[key] = tokenizer.TokenText(known);
        }
    }
}
