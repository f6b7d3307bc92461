using Attune.Prompts;

namespace Attune.Core.Versions;

/// <summary>
/// The files of a model, by the names that a Hugging Face folder gives them, each with its path on disk.
/// A plain folder and a version in the store look the same through it, so a stage, an evaluation and the
/// engine open either.
/// </summary>
public sealed class ModelFiles(IReadOnlyDictionary<string, string> paths, string description)
{
    /// <summary>config.json.</summary>
    public const string Config = "config.json";

    /// <summary>model.safetensors.</summary>
    public const string Weights = "model.safetensors";

    /// <summary>tokenizer.json.</summary>
    public const string Tokenizer = "tokenizer.json";

    /// <summary>tokenizer_config.json.</summary>
    public const string TokenizerConfig = "tokenizer_config.json";

    /// <summary>chat_template.jinja.</summary>
    public const string ChatTemplate = "chat_template.jinja";

    /// <summary>generation_config.json.</summary>
    public const string GenerationConfig = "generation_config.json";

    /// <summary>prompt_contract.json: Attune's own, beside what Hugging Face writes.</summary>
    public const string PromptContract = "prompt_contract.json";

    /// <summary>README.md, the model card.</summary>
    public const string Card = "README.md";

    /// <summary>File name → path on disk.</summary>
    public IReadOnlyDictionary<string, string> Paths => paths;

    /// <summary>What the user called it: a folder or a version's reference.</summary>
    public string Description => description;

    /// <summary>The files of a plain folder (not of its sub-folders).</summary>
    /// <exception cref="AttuneException">ATT2001: there is no such folder.</exception>
    public static ModelFiles OfFolder(string folder) => Directory.Exists(folder)
        ? new(Directory.EnumerateFiles(folder).ToDictionary(p => Path.GetFileName(p)!, p => p), folder)
        : throw new AttuneException("ATT2001", $"There is no model folder '{folder}'.")
        {
            File = folder,
            Hint = "Give a folder that holds config.json, or the name of a version (see: attune versions list).",
        };

    /// <summary>The path of a file, or null where the model has none of that name.</summary>
    public string? Find(string name) => paths.GetValueOrDefault(name);

    /// <summary>The path of a file that must be there.</summary>
    /// <exception cref="AttuneException">ATT2002: the model lacks it.</exception>
    public string Require(string name) => Find(name) ?? throw new AttuneException("ATT2002", $"The model has no {name}.")
    {
        File = description,
        Field = name,
        Hint = $"A model needs {Config}, {Weights} and {Tokenizer}.",
    };
}
