using System.Text.Json.Nodes;
using Attune.Core.Checkpoints;
using Attune.Core.Checkpoints.Adapters;
using Attune.Core.Checkpoints.Gguf;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Prompts;

namespace Attune.Core.Exchange;

/// <summary>
/// A model of somebody else's as a version: checked (config against weights, tokenizer against embedding, template against
/// tokenizer), its files as they are, and in its lineage what it was, from where, and the digest of each file.
/// </summary>
public static class ModelImport
{
    /// <summary>What a version keeps of a folder beside weights and config: text files that say something of the model.</summary>
    private static readonly string[] Kept =
    [
        ModelFiles.Config, ModelFiles.GenerationConfig, ModelFiles.Tokenizer, ModelFiles.TokenizerConfig, "special_tokens_map.json", ModelFiles.ChatTemplate,
        ModelFiles.PromptContract, ModelFiles.Card, WeightFiles.Index, "adapter_config.json",
        AdapterFiles.InVersion + AdapterConfig.FileName,
    ];

    /// <summary>The name of the folder that transformers keeps further templates in.</summary>
    public const string MoreTemplates = "additional_chat_templates";

    /// <summary>Whether a file of a model's folder is one that a version keeps.</summary>
    public static bool Keeps(string name) => Kept.Contains(name, StringComparer.Ordinal)
        || name.EndsWith(".safetensors", StringComparison.Ordinal)
        || name.EndsWith(".jinja", StringComparison.Ordinal)
        || IsLicence(name);

    /// <summary>Whether a file holds a licence or a notice that must go where the model goes.</summary>
    public static bool IsLicence(string name) =>
        name.StartsWith("LICENSE", StringComparison.OrdinalIgnoreCase) || name.StartsWith("LICENCE", StringComparison.OrdinalIgnoreCase)
        || name.StartsWith("NOTICE", StringComparison.OrdinalIgnoreCase) || name.StartsWith("USE_POLICY", StringComparison.OrdinalIgnoreCase);

    /// <summary>Copies the licences and notices of a model into a folder, where they must go with it.</summary>
    public static void CopyLicences(ModelFiles model, string folder)
    {
        foreach (var (name, path) in model.Paths.Where(f => IsLicence(f.Key)))
            File.Copy(path, Path.Combine(folder, name), overwrite: true);
    }

    /// <summary>Whether a file of a version is a chat template beside the default one (tool_use, rag…).</summary>
    public static bool IsFurtherTemplate(string name) => name.EndsWith(".jinja", StringComparison.Ordinal) && name != ModelFiles.ChatTemplate;

    /// <summary>Checks a folder or file and makes the draft of its version.</summary>
    /// <param name="path">A Hugging Face folder or a GGUF file.</param>
    /// <param name="origin">What lineage says of where it came from: a name without the folders of this machine, or hf:OWNER/NAME@COMMIT.</param>
    /// <param name="options">What else is said of it.</param>
    /// <param name="staging">An empty folder for what has to be made anew; it must live until the version is stored.</param>
    /// <param name="codeVersion">The version of Attune.</param>
    /// <exception cref="AttuneException">The files are broken, not supported, or do not belong together; ATT3401: neither folder nor GGUF; ATT3407: an adapter.</exception>
    public static VersionDraft Draft(string path, string origin, ImportOptions options, string staging, string codeVersion)
    {
        var gguf = File.Exists(path);
        if (!gguf && !Directory.Exists(path))
        {
            throw new ExchangeException("ATT3401", $"There is no model at '{path}'.")
            {
                File = path,
                Hint = "Give a folder with config.json, a .gguf file, or hf:OWNER/NAME.",
            };
        }
        if (!gguf && File.Exists(Path.Combine(path, AdapterConfig.FileName)) && !File.Exists(Path.Combine(path, ModelFiles.Config)))
        {
            throw new ExchangeException("ATT3407", "The folder holds an adapter, which is no model by itself.")
            {
                File = path,
                Hint = "Put it into the model that it was trained on: attune merge MODEL " + Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))) + " --save-as NAME.",
            };
        }
        var digests = new JsonArray();
        if (gguf)
        {
            GgufImport.ToFolder(path, staging);
            digests.Add(Digest(Path.GetFileName(path), path));
        }
        var files = Folder(gguf ? staging : path);
        var config = HuggingFaceConfig.Read(files.Require(ModelFiles.Config), DecoderFeatures.All);
        using (var weights = WeightFiles.Open(files))
            TensorNames.Check(config, weights);
        var tokenizer = Tokenizer.Load(files.Require(ModelFiles.Tokenizer));
        if (tokenizer.VocabularySize > config.VocabularySize)
            throw MoreTokensThanRows(tokenizer, config, files);
        var contract = PromptFiles.ContractOf(files, tokenizer);
        var kind = options.Kind ?? (config.Head == DecoderHead.Score ? VersionKind.Reward : Guess(contract, origin));
        if (!gguf)
        {
            foreach (var (name, file) in files.Paths.OrderBy(f => f.Key, StringComparer.Ordinal))
                digests.Add(Digest(name, file));
        }

        var paths = files.Paths.ToDictionary(StringComparer.Ordinal);
        if (contract is not null && files.Find(ModelFiles.PromptContract) is null)
        {
            paths[ModelFiles.PromptContract] = Path.Combine(staging, ModelFiles.PromptContract);
            Atomic.WriteAllText(paths[ModelFiles.PromptContract], contract.ToJson());
        }
        var lineage = new Lineage
        {
            Stage = "import",
            Options = new JsonObject { ["source"] = origin, ["kind"] = kind.ToString().ToLowerInvariant() },
            CodeVersion = codeVersion,
            Contract = contract?.Hash,
            Facts = new JsonObject
            {
                ["source"] = origin,
                ["format"] = gguf ? "gguf" : "huggingface",
                ["architecture"] = config.Architecture,
                ["parameters"] = config.Parameters,
                ["dtype"] = config.Dtype,
                ["license"] = options.License ?? Licence(path, files, gguf),
                ["license_files"] = new JsonArray([.. files.Paths.Keys.Where(IsLicence).Order(StringComparer.Ordinal).Select(n => (JsonNode)n)]),
                ["files"] = digests,
            },
        };
        if (files.Find(ModelFiles.Card) is null)
        {
            paths[ModelFiles.Card] = Path.Combine(staging, ModelFiles.Card);
            ModelCard.Write(paths[ModelFiles.Card], kind, lineage, config, contract is null ? null : JsonNode.Parse(contract.ToJson())!.AsObject());
        }
        return new(kind, new(paths, origin), lineage);
    }

    internal static ExchangeException MoreTokensThanRows(Tokenizer tokenizer, DecoderConfig config, ModelFiles model) =>
        new("ATT3402", FormattableString.Invariant($"The tokenizer has {tokenizer.VocabularySize} tokens, the embedding {config.VocabularySize} rows."))
        {
            File = model.Description,
            Field = ModelFiles.Tokenizer,
            Hint = "Tokenizer and weights come from different models.",
        };

    /// <summary>The files of a model's folder that a version keeps. A version is flat: further templates lie beside the default one.</summary>
    /// <exception cref="AttuneException">ATT2001: there is no such folder.</exception>
    public static ModelFiles Folder(string folder)
    {
        var all = ModelFiles.OfFolder(folder);
        var more = Path.Combine(folder, MoreTemplates);
        var extra = Directory.Exists(more) ? ModelFiles.OfFolder(more).Paths : new Dictionary<string, string>(StringComparer.Ordinal);
        var kept = all.Paths.Where(f => Keeps(f.Key)).Concat(extra.Where(f => f.Key.EndsWith(".jinja", StringComparison.Ordinal)))
            .GroupBy(f => f.Key, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.First().Value, StringComparer.Ordinal);
        // Weights that are refused are opened all the same, for the refusal says what to do.
        return kept.Keys.Any(k => k.EndsWith(".safetensors", StringComparison.Ordinal)) ? new(kept, folder) : all;
    }

    /// <summary>Without a template it continues text; with one it talks, unless its name says that it takes instructions.</summary>
    private static VersionKind Guess(PromptContract? contract, string origin) =>
        contract is null ? VersionKind.Base
        : origin.Contains("instruct", StringComparison.OrdinalIgnoreCase) || origin.Contains("-it", StringComparison.OrdinalIgnoreCase) ? VersionKind.Instruct
        : VersionKind.Chat;

    private static JsonObject Digest(string name, string path) => new()
    {
        ["name"] = name,
        ["sha256"] = Digests.Sha256Of(path),
        ["bytes"] = new FileInfo(path).Length,
    };

    // The model card's front matter, or GGUF's own key.
    private static string? Licence(string path, ModelFiles files, bool gguf)
    {
        if (gguf)
        {
            using var file = GgufFile.Open(path);
            return file.Metadata.Text("general.license");
        }
        return ModelCard.LicenceOf(files);
    }
}
