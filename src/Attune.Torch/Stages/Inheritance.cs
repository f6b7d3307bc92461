using System.Text.Json.Nodes;
using Attune.Core.Exchange;
using Attune.Core.Versions;

namespace Attune.Torch.Stages;

/// <summary>
/// What a trained version keeps of its parent beside weights, tokenizer and contract: licences and notices, which must go
/// where the model goes, and the further templates of a contract that stays.
/// </summary>
internal static class Inheritance
{
    private const string License = "license";

    /// <summary>Copies the licences and notices of a model into the folder of its child.</summary>
    public static void CopyLicences(ModelFiles parent, string folder)
    {
        foreach (var (name, path) in parent.Paths.Where(f => ModelImport.IsLicence(f.Key)))
            File.Copy(path, Path.Combine(folder, name), overwrite: true);
    }

    /// <summary>Copies further chat templates (tool_use, rag…): they are those of the parent's contract.</summary>
    public static void CopyTemplates(ModelFiles parent, string folder)
    {
        foreach (var (name, path) in parent.Paths.Where(f => f.Key.EndsWith(".jinja", StringComparison.Ordinal) && f.Key != ModelFiles.ChatTemplate))
            File.Copy(path, Path.Combine(folder, name), overwrite: true);
    }

    /// <summary>Facts of a run with the licence that the parent's card names.</summary>
    public static JsonObject WithLicence(this JsonObject facts, ModelFiles? parent)
    {
        if (parent is not null && ModelCard.LicenceOf(parent) is { } licence)
            facts[License] = licence;
        return facts;
    }
}
