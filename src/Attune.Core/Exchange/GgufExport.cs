using Attune.Core.Checkpoints;
using Attune.Core.Checkpoints.Gguf;
using Attune.Core.Tokens;
using Attune.Core.Versions;

namespace Attune.Core.Exchange;

/// <summary>A model as one GGUF file that llama.cpp and Ollama run: weights, tokenizer, special tokens, chat template.</summary>
public static class GgufExport
{
    /// <summary>Writes the file, atomically; the same model gives the same bytes.</summary>
    /// <param name="model">A version or folder. Without tokenizer.json the file takes ids only.</param>
    /// <param name="path">The file.</param>
    /// <param name="type">What matrices are stored as: F32, F16, BF16 or Q8_0; norms and biases are F32 always.</param>
    /// <param name="name">general.name.</param>
    /// <exception cref="CheckpointException">A file of the model is broken; ATT3305: llama.cpp has no place for a part of it.</exception>
    /// <exception cref="TokenException">ATT2503: llama.cpp has no name for the tokenizer's way to cut words.</exception>
    /// <exception cref="ExchangeException">ATT3402: more tokens than rows.</exception>
    public static void Write(ModelFiles model, string path, GgufType type, string name)
    {
        var config = HuggingFaceConfig.Read(model.Require(ModelFiles.Config), DecoderFeatures.All);
        var architecture = GgufArchitecture.Of(config);
        using var weights = WeightFiles.Open(model);
        TensorNames.Check(config, weights);
        List<KeyValuePair<string, GgufValue>> metadata =
        [
            new("general.architecture", GgufValue.Of(architecture.Name)),
            new("general.type", GgufValue.Of("model")),
            new("general.name", GgufValue.Of(name)),
            new("general.file_type", GgufValue.Of(FileType(type))),
            .. type == GgufType.Q8_0 ? [new("general.quantization_version", GgufValue.Of(2))] : Array.Empty<KeyValuePair<string, GgufValue>>(),
            .. GgufConfig.Write(config, architecture),
            .. Tokens(model, config),
        ];
        GgufWriter.Write(path, metadata, GgufWeights.ToGguf(config, weights, architecture, type));
    }

    // llama.cpp's enum llama_ftype.
    private static int FileType(GgufType type) => type switch
    {
        GgufType.F32 => 0,
        GgufType.F16 => 1,
        GgufType.Q8_0 => 7,
        GgufType.BF16 => 32,
        _ => throw new ArgumentException($"{type} is read, not written.", nameof(type)),
    };

    private static IEnumerable<KeyValuePair<string, GgufValue>> Tokens(ModelFiles model, DecoderConfig config)
    {
        if (model.Find(ModelFiles.Tokenizer) is not { } path)
            return [new("tokenizer.ggml.model", GgufValue.Of("none"))];
        var tokenizer = Tokenizer.Load(path);
        if (tokenizer.VocabularySize > config.VocabularySize)
            throw ModelImport.MoreTokensThanRows(tokenizer, config, model);
        var prompts = PromptFiles.Of(model, tokenizer);
        var keys = GgufTokenizerKeys.Write(GgufVocabulary.Of(tokenizer).PaddedTo(config.VocabularySize)).ToList();
        Id("bos", config.BosTokenId);
        Id("eos", config.EosTokenIds.Count > 0 ? config.EosTokenIds[0] : null);
        Id("eot", config.EosTokenIds.Count > 1 ? config.EosTokenIds[1] : null);
        Id("padding", config.PadTokenId);
        keys.Add(new("tokenizer.ggml.add_bos_token", GgufValue.Of(prompts.AddsBos)));
        keys.Add(new("tokenizer.ggml.add_eos_token", GgufValue.Of(prompts.AddsEos)));
        if (prompts.Template is { } template)
            keys.Add(new("tokenizer.chat_template", GgufValue.Of(template)));
        if (prompts.Named.Count > 0)
        {
            keys.Add(new("tokenizer.chat_templates", GgufValue.Of(prompts.Named.Keys.Order(StringComparer.Ordinal))));
            keys.AddRange(prompts.Named.OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => new KeyValuePair<string, GgufValue>(GgufImport.NamedTemplate + t.Key, GgufValue.Of(t.Value))));
        }
        return keys;

        void Id(string what, int? id)
        {
            if (id is { } known && known < config.VocabularySize)
                keys.Add(new($"tokenizer.ggml.{what}_token_id", GgufValue.Of(known)));
        }
    }
}
