using System.CommandLine;
using System.ComponentModel;
using System.Globalization;
using System.Text.Json.Nodes;
using Attune.App.Cli;
using Attune.App.Runs;
using Attune.Core.Exchange;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Spectre.Console;

namespace Attune.App.Commands;

/// <summary><c>attune versions list | show | tree | diff | tag | untag | verify | gc</c>, and <c>attune export</c>.</summary>
internal static class VersionsCommand
{
    internal sealed record StoreOptions
    {
        [Description("Folder of the versions.")]
        public string Store { get; init; } = Place.DefaultStore;

        [Description("Print JSON.")]
        public bool Json { get; init; }
    }

    internal sealed record OneOptions
    {
        [Description("A name (world:chat), a digest, or the beginning of one.")]
        public required string Version { get; init; }
    }

    internal sealed record TwoOptions
    {
        [Description("The version on the left.")]
        public required string Left { get; init; }

        [Description("The version on the right.")]
        public required string Right { get; init; }
    }

    internal sealed record TagOptions
    {
        [Description("The new name, as in my:best.")]
        public required string Name { get; init; }

        [Description("The version that gets it.")]
        public required string Version { get; init; }
    }

    internal sealed record ExportPlace
    {
        [Description("A name, a digest, the beginning of one, or a model folder.")]
        public required string Version { get; init; }

        [Description("The folder to write; it must be empty or missing.")]
        public required string Folder { get; init; }

        [Description("Folder of the versions.")]
        public string Store { get; init; } = Place.DefaultStore;
    }

    public static Command Create() => new("versions", "List, inspect, compare and look after the stored versions.")
    {
        Verb.Create<StoreOptions>("list", "Every version: name, kind, stage, size.", (at, _) => List(at)),
        Verb.Create<StoreOptions, OneOptions>("show", "One version: files, lineage, reports.", (at, one, _) => Show(at, one.Version), nameof(OneOptions.Version)),
        Verb.Create<StoreOptions>("tree", "Which version came from which.", (at, _) => Tree(at)),
        Verb.Create<StoreOptions, TwoOptions>("diff", "What differs between two versions: files, config, lineage, contract, tensors.", Diff, nameof(TwoOptions.Left), nameof(TwoOptions.Right)),
        Verb.Create<StoreOptions, TagOptions>("tag", "Give a version a name.", (at, tag, _) => Tag(at, tag), nameof(TagOptions.Name), nameof(TagOptions.Version)),
        Verb.Create<StoreOptions, OneOptions>("untag", "Take a name away.", (at, one, _) => Untag(at, one.Version), nameof(OneOptions.Version)),
        Verb.Create<StoreOptions>("verify", "Read every byte of the store and check it against its digest.", Verify),
        Verb.Create<StoreOptions>("gc", "Take away what no name leads to.", (at, _) => CollectGarbage(at)),
    };

    public static Command Export() => Verb.Create<ExportPlace, ExportOptions>(
        "export", "Lay a version out for other programs: a Hugging Face folder, a GGUF file, Ollama, a PEFT adapter.", (place, options, cancel) =>
        {
            var (files, version) = Running.Open(place.Store, place.Version);
            if (version is null)
                files = ModelImport.Folder(place.Version);
            var name = version?.Name ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(place.Version)));
            // What leaves the store speaks as its contract says, or does not leave.
            if (files.Find(ModelFiles.Tokenizer) is { } tokenizer)
                _ = ModelContract.Of(files, Tokenizer.Load(tokenizer));
            IReadOnlyList<string> written;
            switch (options.Format)
            {
                case ExportFormat.Gguf or ExportFormat.Ollama:
                    written = ModelExport.ToGguf(files, name, place.Folder, options);
                    break;
                default:
                    if (version is null)
                        ModelExport.ToFolder(files, place.Folder, options, cancel);
                    else
                        ModelExport.ToFolder(Running.OpenStore(place.Store), place.Version, place.Folder, options, cancel);
                    written = [.. Directory.EnumerateFileSystemEntries(place.Folder).Select(p => Path.GetFileName(p)!).Order(StringComparer.Ordinal)];
                    break;
            }
            Terminal.Out.Line($"{name} → {place.Folder}: {string.Join(", ", written)}");
            if (options.Format == ExportFormat.Ollama)
                Terminal.Out.Line($"Next: cd {place.Folder} && ollama create {name.Replace(':', '-')} -f Modelfile");
            return Task.FromResult(ExitCode.Done);
        }, nameof(ExportPlace.Version), nameof(ExportPlace.Folder));

    private static ModelStore Open(StoreOptions at) => Running.OpenStore(at.Store);

    private static Task<int> List(StoreOptions at)
    {
        var versions = Open(at).List();
        if (at.Json)
        {
            Terminal.WriteJson(new JsonArray([.. versions.Select(Summary)]));
            return Task.FromResult(ExitCode.Done);
        }
        var table = Terminal.TableOf("name", "kind", "stage", "digest", "size", "parent");
        foreach (var version in versions)
        {
            var parent = versions.FirstOrDefault(v => v.Digest == version.Lineage.Parent)?.Name ?? version.Lineage.Parent ?? "";
            table.AddPlainRow(string.Join(" ", version.Tags), version.Kind.ToString(), version.Lineage.Stage, version.ShortDigest, Size(version.Size), parent);
        }
        Terminal.Out.Write(table);
        return Task.FromResult(ExitCode.Done);
    }

    private static Task<int> Show(StoreOptions at, string reference)
    {
        var store = Open(at);
        var version = store.Resolve(reference);
        var reports = store.Reports(version.Digest);
        if (at.Json)
        {
            var json = Summary(version);
            json["files"] = Texts(version.Files.Paths.Keys.Order(StringComparer.Ordinal));
            json["lineage"] = LineageJson.ToJson(version.Lineage);
            json["reports"] = new JsonArray([.. reports.Select(r => JsonNode.Parse(File.ReadAllText(r.Path)))]);
            Terminal.WriteJson(json);
            return Task.FromResult(ExitCode.Done);
        }
        var console = Terminal.Out;
        console.Line($"[bold]{version.Name}[/]  {version.Kind}  {version.Digest}");
        console.Line($"  names    {string.Join(", ", version.Tags)}");
        console.Line($"  stage    {version.Lineage.Stage}, seed {version.Lineage.Seed}, Attune {version.Lineage.CodeVersion}, {version.Lineage.Kernels}");
        console.Line($"  parent   {version.Lineage.Parent ?? "none: made from nothing"}");
        console.Line($"  contract {version.Lineage.Contract ?? "none"}");
        foreach (var data in version.Lineage.Data)
            console.Line($"  data     {data.Name}, {data.Rows:N0} rows, {data.Digest[..12]}");
        foreach (var (name, path) in version.Files.Paths.OrderBy(f => f.Key, StringComparer.Ordinal))
            console.Line($"  file     {name}, {Size(new FileInfo(path).Length)}");
        foreach (var report in reports)
            console.Line($"  report   {report.Kind}, {report.Digest[7..19]}");
        console.Line($"  options  {version.Lineage.Options.ToJsonString()}");
        console.Line($"  facts    {version.Lineage.Facts.ToJsonString()}");
        return Task.FromResult(ExitCode.Done);
    }

    private static Task<int> Tree(StoreOptions at)
    {
        var roots = Open(at).Tree();
        if (at.Json)
            Terminal.WriteJson(new JsonArray([.. roots.Select(Branch)]));
        else
            Console.Out.WriteLine(LineageTree.Render(roots).TrimEnd());
        return Task.FromResult(ExitCode.Done);
    }

    private static Task<int> Diff(StoreOptions at, TwoOptions two, CancellationToken cancel)
    {
        var diff = Open(at).Diff(two.Left, two.Right, cancel);
        if (at.Json)
        {
            Terminal.WriteJson(new JsonObject
            {
                ["left"] = diff.Left.Digest,
                ["right"] = diff.Right.Digest,
                ["files"] = Changes(diff.Files),
                ["config"] = Changes(diff.Config),
                ["lineage"] = Changes(diff.Lineage),
                ["contract"] = Changes(diff.Contract),
                ["tensors"] = new JsonArray([.. diff.Tensors.Select(t => (JsonNode)new JsonObject
                {
                    ["name"] = t.Name,
                    ["left"] = t.Left,
                    ["right"] = t.Right,
                    ["relative"] = t.Relative is { } r && double.IsFinite(r) ? r : null,
                })]),
            });
            return Task.FromResult(ExitCode.Done);
        }
        foreach (var (title, changes) in new[] { ("files", diff.Files), ("config", diff.Config), ("lineage", diff.Lineage), ("contract", diff.Contract) })
        {
            if (changes.Count == 0)
                continue;
            var table = Terminal.TableOf(title, diff.Left.Name, diff.Right.Name);
            foreach (var change in changes)
                table.AddPlainRow(change.Key, change.Left ?? "", change.Right ?? "");
            Terminal.Out.Write(table);
        }
        if (diff.Tensors.Count > 0)
        {
            var table = Terminal.TableOf("tensor", "relative change");
            foreach (var tensor in diff.Tensors)
                table.AddPlainRow(tensor.Name, tensor.Relative?.ToString("P2", CultureInfo.InvariantCulture) ?? $"{tensor.Left ?? "none"} → {tensor.Right ?? "none"}");
            Terminal.Out.Write(table);
        }
        return Task.FromResult(ExitCode.Done);
    }

    private static Task<int> Tag(StoreOptions at, TagOptions tag)
    {
        var store = Open(at);
        store.Tag(tag.Name, tag.Version);
        return Named(at, tag.Name, store.Resolve(tag.Name).Digest, $"{tag.Name} → {tag.Version}");
    }

    private static Task<int> Untag(StoreOptions at, string name)
    {
        var store = Open(at);
        var digest = store.List().FirstOrDefault(v => v.Tags.Contains(name))?.Digest;
        store.Untag(name);
        return Named(at, name, digest, $"{name} is no name any more");
    }

    private static Task<int> Named(StoreOptions at, string name, string? digest, string said)
    {
        if (at.Json)
            Terminal.WriteJson(new JsonObject { ["name"] = name, ["digest"] = digest });
        else
            Terminal.Out.Line($"{said}");
        return Task.FromResult(ExitCode.Done);
    }

    private static Task<int> Verify(StoreOptions at, CancellationToken cancel)
    {
        var store = Open(at);
        var faults = store.Verify(cancel);
        if (at.Json)
        {
            Terminal.WriteJson(new JsonObject
            {
                ["versions"] = store.List().Count,
                ["faults"] = new JsonArray([.. faults.Select(f => (JsonNode)new JsonObject
                {
                    ["blob"] = f.Blob,
                    ["file"] = f.File,
                    ["versions"] = Texts(f.Versions),
                    ["problem"] = f.Problem,
                })]),
            });
        }
        else
        {
            foreach (var fault in faults)
                Console.Error.WriteLine(fault);
            Terminal.Out.Line($"{store.List().Count} versions, {(faults.Count == 0 ? "every byte as it was written" : $"{faults.Count} faults")}");
        }
        return Task.FromResult(faults.Count == 0 ? ExitCode.Done : ExitCode.Failed);
    }

    private static Task<int> CollectGarbage(StoreOptions at)
    {
        var gone = Open(at).CollectGarbage();
        if (at.Json)
            Terminal.WriteJson(new JsonObject { ["versions"] = Texts(gone.Versions), ["blobs"] = gone.Blobs, ["leftovers"] = gone.Leftovers, ["bytes"] = gone.Bytes });
        else
            Terminal.Out.Line($"{gone.Versions.Count} versions, {gone.Blobs} blobs and {gone.Leftovers} leftovers taken away: {Size(gone.Bytes)}");
        return Task.FromResult(ExitCode.Done);
    }

    private static JsonObject Branch(LineageNode node)
    {
        var json = node.Version is { } version ? Summary(version) : new JsonObject { ["name"] = null, ["digest"] = node.Digest };
        json["children"] = new JsonArray([.. node.Children.Select(c => (JsonNode)Branch(c))]);
        return json;
    }

    private static JsonObject Summary(ModelVersion version) => new()
    {
        ["name"] = version.Name,
        ["tags"] = Texts(version.Tags),
        ["digest"] = version.Digest,
        ["kind"] = version.Kind.ToString(),
        ["stage"] = version.Lineage.Stage,
        ["parent"] = version.Lineage.Parent,
        ["size"] = version.Size,
    };

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(t => (JsonNode)JsonValue.Create(t)!)]);

    private static JsonArray Changes(IEnumerable<ValueChange> changes) =>
        [.. changes.Select(c => (JsonNode)new JsonObject { ["key"] = c.Key, ["left"] = c.Left, ["right"] = c.Right })];

    private static string Size(long bytes) => bytes switch
    {
        >= 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:F1} GB"),
        >= 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:F1} MB"),
        >= 1_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:F1} kB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
    };
}
