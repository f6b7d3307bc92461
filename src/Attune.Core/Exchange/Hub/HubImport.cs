namespace Attune.Core.Exchange.Hub;

/// <summary>Which files of a hub's model an import needs, and where they come to lie.</summary>
public static class HubImport
{
    /// <summary>Fetches what a version keeps of a model, or one GGUF file of it.</summary>
    /// <param name="hub">The hub.</param>
    /// <param name="model">The model.</param>
    /// <param name="cache">The cache's folder.</param>
    /// <param name="ggufFile">A .gguf file in place of the folder, or null.</param>
    /// <param name="progress">Hears of every block, or null.</param>
    /// <param name="cancel">Stops; the next call goes on.</param>
    /// <returns>The folder or the file, and what lineage says of it.</returns>
    /// <exception cref="ExchangeException">ATT3404: the model has no such file, or none that can be opened; otherwise as <see cref="HubClient.DownloadAsync"/> says.</exception>
    public static async Task<(string Path, string Origin)> FetchAsync(HubClient hub, HubModel model, string cache, string? ggufFile, IProgress<HubProgress>? progress, CancellationToken cancel)
    {
        var names = model.Files.Select(f => f.Name).ToList();
        if (ggufFile is not null)
        {
            if (!names.Contains(ggufFile, StringComparer.Ordinal))
                throw Lacks(model, ggufFile, names);
            var place = await hub.DownloadAsync(model, cache, name => name == ggufFile, progress, cancel);
            return (Path.Combine(place, ggufFile), $"{model.Origin}/{ggufFile}");
        }
        if (!names.Exists(n => n.EndsWith(".safetensors", StringComparison.Ordinal) && !n.Contains('/', StringComparison.Ordinal)))
            throw Lacks(model, "model.safetensors", names);
        // Only the folder itself (and its further templates): weights in other folders are other formats of the same model.
        var folder = await hub.DownloadAsync(model, cache, name => ModelImport.Keeps(Leaf(name)), progress, cancel);
        return (folder, model.Origin);
    }

    private static string Leaf(string name) =>
        name.StartsWith(ModelImport.MoreTemplates + "/", StringComparison.Ordinal) && name.EndsWith(".jinja", StringComparison.Ordinal) ? name[(ModelImport.MoreTemplates.Length + 1)..]
        : name.Contains('/', StringComparison.Ordinal) ? ""
        : name;

    private static ExchangeException Lacks(HubModel model, string wanted, List<string> names)
    {
        var gguf = names.Where(n => n.EndsWith(".gguf", StringComparison.Ordinal)).ToList();
        return new("ATT3404", $"The model has no {wanted}.")
        {
            File = model.Origin,
            Field = wanted,
            Hint = gguf.Count > 0 ? $"It has GGUF files: --file {gguf[0]}"
                : names.Exists(n => Checkpoints.Pickle.IsPickleName(n)) ? "It has pickles only, which run a program when they are opened; ask for safetensors, or convert it where you trust it."
                : "Choose another model or revision.",
        };
    }
}
