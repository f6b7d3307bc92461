using Attune.Core.Versions;
using Attune.Inference;
using Attune.Prompts;

namespace Attune.App.Runs;

/// <summary>Opens what a user names.</summary>
internal static class Running
{
    /// <summary>A store that must be there.</summary>
    /// <exception cref="AttuneException">ATT4101: there is none.</exception>
    public static ModelStore OpenStore(string folder) => Directory.Exists(folder)
        ? ModelStore.Open(folder)
        : throw new AttuneException("ATT4101", $"There is no store of versions at '{folder}'.")
        {
            File = folder,
            Hint = "./attune quickstart makes the first versions; --store names another folder.",
        };

    /// <summary>A model: a folder where there is one of that name, else a version of the store.</summary>
    public static (ModelFiles Files, ModelVersion? Version) Open(string store, string reference)
    {
        if (Directory.Exists(reference))
            return (ModelFiles.OfFolder(reference), null);
        var version = OpenStore(store).Resolve(reference);
        return (version.Files, version);
    }

    /// <summary>Opens a version under its own contract, or under one that the user names.</summary>
    public static LocalModelOptions Contract(string? named, bool allowMismatch) => new()
    {
        Contract = named is null ? null : tokenizer => ModelContract.Named(named, tokenizer) ?? throw NoContract(named),
        AllowContractMismatch = allowMismatch,
    };

    /// <summary>ATT1301: what was named is no contract, and nothing that holds one.</summary>
    public static PromptException NoContract(string named) => new("ATT1301", $"There is no prompt contract '{named}'.")
    {
        Field = named,
        Hint = $"Give a version, a model folder, a file (prompt_contract.json, tokenizer_config.json, a template, a GGUF file) or a built-in name: {string.Join(", ", BuiltInContracts.All.Keys)}.",
    };
}
