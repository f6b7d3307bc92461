using Attune.Core.Versions;
using Attune.Prompts;

namespace Attune.App.Runs;

/// <summary>What a version is asked by, for reports: no score stands without its template.</summary>
internal static class PromptName
{
    private const int Shown = 12;

    /// <summary>Name and beginning of the hash of a model's prompt contract; empty where it has none.</summary>
    public static string Of(ModelFiles files)
    {
        if (files.Find(ModelFiles.PromptContract) is not { } path)
            return "";
        var contract = PromptContract.FromJson(File.ReadAllText(path));
        return $"{contract.Name} {contract.Hash[..Shown]}";
    }
}
