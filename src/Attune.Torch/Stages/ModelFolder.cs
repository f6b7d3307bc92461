using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Core.Checkpoints;
using Attune.Core.Checkpoints.Adapters;
using Attune.Core.Exchange;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Torch.Models;

namespace Attune.Torch.Stages;

/// <summary>Writes a finished model as an ordinary Hugging Face folder, each file atomically.</summary>
public static class ModelFolder
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>config.json, model.safetensors, tokenizer.json, tokenizer_config.json, generation_config.json; of adapters the merged model and, beside it, the adapters.</summary>
    /// <param name="folder">Made where it is missing.</param>
    /// <param name="module">The weights.</param>
    /// <param name="config">The shape, with the special tokens of the new version.</param>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="parent">What it was trained from, whose tokenizer_config.json, sampling and licences it keeps; null for a model from nothing.</param>
    public static void Write(string folder, TorchSharp.torch.nn.Module module, DecoderConfig config, Tokenizer tokenizer, ModelFiles? parent)
    {
        // A 16-bit parent is trained in 32 bits: the config says what is stored now.
        WriteBeside(folder, config with { Dtype = DecoderFiles.SavedDtype(module, config) }, tokenizer, parent);
        if (parent is not null)
            ModelImport.CopyLicences(parent, folder);
        module.Save(Path.Combine(folder, ModelFiles.Weights));
        (module as ITunable)?.Lora?.Save(folder, prefix: AdapterFiles.InVersion);
    }

    /// <summary>All of it but the weights.</summary>
    internal static void WriteBeside(string folder, DecoderConfig config, Tokenizer tokenizer, ModelFiles? parent)
    {
        Directory.CreateDirectory(folder);
        HuggingFaceConfig.Write(Path.Combine(folder, ModelFiles.Config), config);
        Atomic.WriteAllBytes(Path.Combine(folder, ModelFiles.Tokenizer), tokenizer.ToJson().Span);
        GenerationConfig.Write(Path.Combine(folder, ModelFiles.GenerationConfig), config, parent?.Find(ModelFiles.GenerationConfig));
        Atomic.WriteAllText(Path.Combine(folder, ModelFiles.TokenizerConfig), TokenizerConfig(config, tokenizer, parent is null ? null : TokenizerConfigOf(parent)).ToJsonString(Indented) + "\n");
    }

    /// <summary>The prompt_contract.json of a model folder, or null where it has none.</summary>
    public static JsonObject? ContractOf(string folder) =>
        Path.Combine(folder, ModelFiles.PromptContract) is var path && File.Exists(path) ? HuggingFaceJson.Read(path) : null;

    /// <summary>The tokenizer_config.json of a model, or null where it has none.</summary>
    public static JsonObject? TokenizerConfigOf(ModelFiles model) =>
        model.Find(ModelFiles.TokenizerConfig) is { } path ? HuggingFaceJson.Read(path) : null;

    private static JsonObject TokenizerConfig(DecoderConfig config, Tokenizer tokenizer, JsonObject? parent)
    {
        var json = parent?.DeepClone().AsObject() ?? new JsonObject
        {
            ["tokenizer_class"] = "PreTrainedTokenizerFast",
            ["clean_up_tokenization_spaces"] = false,
            // Every document was trained behind its boundary, so a raw text begins with it too.
            ["add_bos_token"] = true,
        };
        json["model_max_length"] = config.ContextLength;
        Name("bos_token", config.BosTokenId);
        Name("eos_token", config.EosTokenIds.Count > 0 ? config.EosTokenIds[0] : null);
        Name("pad_token", config.PadTokenId);
        return json;

        void Name(string key, int? id)
        {
            if (id is { } known)
                json[key] = tokenizer.TokenText(known);
        }
    }
}
