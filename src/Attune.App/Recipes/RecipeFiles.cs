using Attune.Core.Options;
using Attune.Prompts;

namespace Attune.App.Recipes;

/// <summary>Finds recipes: a YAML file by its path, or one of the repository's by its name.</summary>
internal static class RecipeFiles
{
    /// <summary>The path of a recipe.</summary>
    /// <exception cref="AttuneException">ATT4104: there is no such recipe.</exception>
    public static string Find(string nameOrPath)
    {
        if (File.Exists(nameOrPath))
            return nameOrPath;
        var folder = Path.Combine(Environment.GetEnvironmentVariable("ATTUNE_ROOT") ?? Directory.GetCurrentDirectory(), "recipes");
        var named = Path.Combine(folder, nameOrPath + ".yaml");
        if (File.Exists(named))
            return named;
        string[] known = Directory.Exists(folder) ? [.. Directory.GetFiles(folder, "*.yaml").Select(p => Path.GetFileNameWithoutExtension(p)!).Order(StringComparer.Ordinal)] : [];
        throw new AttuneException("ATT4104", $"There is no recipe '{nameOrPath}'.")
        {
            Field = "recipe",
            Hint = $"{Nearest.Hint(nameOrPath, known)} Recipes are {string.Join(", ", known)}, or any YAML file.".TrimStart(),
        };
    }
}
