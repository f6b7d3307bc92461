using Attune.Core.Versions;
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
}
