using System.Text.Json.Nodes;
using Attune.App.Alignment;
using Attune.App.Cli;
using Xunit;

namespace Attune.App.Tests;

/// <summary>
/// Every part of the comparison of alignment methods, trained for real at the smallest size, once for a class: killed on
/// the way, started again and interrupted, started again and run to its end, and once more when nothing is left to do.
/// </summary>
public sealed class SmallComparison : IAsyncLifetime
{
    private const int StagesBetween = 4;

    private readonly string _out = Directory.CreateTempSubdirectory("attune-comparison-").FullName;

    /// <summary>Stages that were finished after each of the four runs: the folder of each → when its result was written.</summary>
    internal List<Dictionary<string, DateTime>> Finished { get; } = [];

    /// <summary>The report of the whole run.</summary>
    internal JsonObject Report { get; private set; } = [];

    /// <summary>The report of the run that had nothing left to do.</summary>
    internal JsonObject Again { get; private set; } = [];

    /// <summary>The page.</summary>
    internal string Page { get; private set; } = "";

    internal CompareAlignmentOptions Options => new()
    {
        World = MicroWorld.World,
        Store = MicroWorld.Store,
        Scale = PlanScale.Tiny,
        Rows = 24,
        PpoSteps = 2,
        Items = 2,
        Prompts = 7,
        MaxTokens = 6,
        Threads = 1,
        Out = _out,
    };

    public async ValueTask InitializeAsync()
    {
        using (var command = AttuneCommand.Start(_out, "compare-alignment", "--world", MicroWorld.World, "--store", MicroWorld.Store, "--scale", "tiny", "--rows", "24", "--ppo-steps", "2", "--items", "2", "--prompts", "7", "--max-tokens", "6", "--threads", "1", "--out", _out))
        {
            await StagesAsync(StagesBetween, () => command.HasExited);
            command.Kill();
            await command.ResultAsync();
        }
        Finished.Add(Stages());

        using (var interrupt = new CancellationTokenSource())
        {
            var run = Task.Run(() => new CompareAlignment(Options).Run(interrupt.Token));
            await StagesAsync(Finished[0].Count + StagesBetween, () => run.IsCompleted);
            await interrupt.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        }
        Finished.Add(Stages());

        Report = RunToTheEnd();
        Again = RunToTheEnd();
        Page = await File.ReadAllTextAsync(Path.Combine(_out, "alignment.html"));
        if (Environment.GetEnvironmentVariable("ATTUNE_KEEP_PAGE") is { Length: > 0 } kept)
            await File.WriteAllTextAsync(kept, Page);
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_out, recursive: true);
        return ValueTask.CompletedTask;
    }

    private JsonObject RunToTheEnd()
    {
        Assert.Equal(ExitCode.Done, new CompareAlignment(Options).Run(CancellationToken.None));
        Finished.Add(Stages());
        return JsonNode.Parse(File.ReadAllText(Path.Combine(_out, "alignment.json")))!.AsObject();
    }

    private async Task StagesAsync(int count, Func<bool> ended)
    {
        while (Stages().Count < count && !ended())
            await Task.Delay(20);
    }

    private Dictionary<string, DateTime> Stages() => Directory.Exists(Path.Combine(_out, "runs"))
        ? Directory.EnumerateFiles(Path.Combine(_out, "runs"), "result.json", SearchOption.AllDirectories).ToDictionary(f => f, File.GetLastWriteTimeUtc)
        : [];
}
