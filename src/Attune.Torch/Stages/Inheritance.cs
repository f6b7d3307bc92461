using System.Text.Json.Nodes;
using Attune.Core.Exchange;
using Attune.Core.Versions;

namespace Attune.Torch.Stages;

/// <summary>What a trained version keeps of its parent beside weights and tokenizer: the further templates of a contract that stays, and the licence's name.</summary>
internal static class Inheritance
{
    private const string License = "license";

    /// <summary>Copies further chat templates (tool_use, rag…): they are those of the parent's contract.</summary>
    public static void CopyTemplates(ModelFiles parent, string folder)
    {
        foreach (var (name, path) in parent.Paths.Where(f => ModelImport.IsFurtherTemplate(f.Key)))
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
