using System.CommandLine;
using System.ComponentModel;
using Attune.App.Cli;
using Attune.App.Runs;
using Attune.Core.Exchange;
using Attune.Core.Exchange.Hub;
using Attune.Core.Versions;
using Attune.Torch.Stages;

namespace Attune.App.Commands;

/// <summary><c>attune import FOLDER | FILE.gguf | hf:OWNER/NAME --save-as NAME</c>: somebody else's model as a version.</summary>
internal static class ImportCommand
{
    internal sealed record ImportPlace
    {
        [Description("Name of the new version, as in my:base.")]
        public required string SaveAs { get; init; }

        [Description("Folder of the versions.")]
        public string Store { get; init; } = Place.DefaultStore;

        [Description("hf: where downloads are kept.")]
        public string Cache { get; init; } = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "attune", "hub");
    }

    public static Command Create() => Verb.Create<ImportPlace, ImportOptions>(
        "import", "Store a model of somebody else's: a Hugging Face folder, a GGUF file, or a model of a hub.", RunAsync, nameof(ImportOptions.Source));

    private static async Task<int> RunAsync(ImportPlace place, ImportOptions options, CancellationToken cancel)
    {
        ModelStore.CheckName(place.SaveAs);
        var (path, origin) = HubReference.Is(options.Source)
            ? await FetchAsync(place, options, cancel)
            : (options.Source, Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(options.Source))));
        var staging = Directory.CreateTempSubdirectory("attune-import-");
        try
        {
            var draft = ModelImport.Draft(path, origin, options, staging.FullName, RunIdentity.CodeVersion);
            var version = ModelStore.Open(place.Store).Add(draft, place.SaveAs, cancel);
            var facts = version.Lineage.Facts;
            Terminal.Out.Line($"[green]stored[/] {version.Name} ({version.Kind}, {version.ShortDigest}) in {place.Store}: {(string?)facts["architecture"]}, {(long)facts["parameters"]!:N0} parameters, {(string?)facts["dtype"]}, licence {(string?)facts["license"] ?? "not said"}");
            Terminal.Out.Line($"Next: ./attune {version.Kind switch
            {
                VersionKind.Base => $"generate {version.Name} \"Once upon a time\"",
                VersionKind.Reward => $"ppo PROMPTS --parent VERSION --reward-model {version.Name}",
                _ => $"chat {version.Name}",
            }}");
            return ExitCode.Done;
        }
        finally
        {
            staging.Delete(recursive: true);
        }
    }

    private static async Task<(string Path, string Origin)> FetchAsync(ImportPlace place, ImportOptions options, CancellationToken cancel)
    {
        // A download may take hours; what hangs is noticed by the read, not by a limit on the whole.
        using var http = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
        var hub = new HubClient(http, HubClient.DefaultEndpoint, Environment.GetEnvironmentVariable("HF_TOKEN"));
        var model = await hub.FindAsync(HubReference.Parse(options.Source), options.Revision, cancel);
        var progress = new DownloadDisplay();
        var (path, origin) = await HubImport.FetchAsync(hub, model, place.Cache, options.File, progress, cancel);
        progress.Close();
        return (path, origin);
    }
}
