using System.Text.Json.Nodes;
using Attune.App.Alignment;
using Attune.Core.Versions;

namespace Attune.App.Tests;

/// <summary>Aligns versions of the micro world in a folder of its own, and reads what came of it.</summary>
internal sealed class AlignRun : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("attune-align-").FullName;

    /// <summary>The least that runs: one round, no world, no sweep, a rate at which a tiny model moves.</summary>
    public AlignOptions Options => new()
    {
        Version = "world:instruct",
        Store = MicroWorld.Store,
        Items = 60,
        MaxTokens = 6,
        Rounds = 1,
        SweepShare = 0,
        HeldOut = 0.3,
        KlBound = 1e6,
        LearningRate = 1e-3,
        Threads = 1,
        Out = Path.Combine(_folder, "out"),
    };

    /// <summary>The exit code of the last run.</summary>
    public int Code { get; private set; }

    /// <summary>The report of the last run.</summary>
    public JsonNode Report { get; private set; } = new JsonObject();

    /// <summary>Writes a file of rows.</summary>
    public string Write(string name, IEnumerable<JsonObject> rows)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllLines(path, rows.Select(r => r.ToJsonString()));
        return path;
    }

    /// <summary>Runs, and reads the report.</summary>
    public AlignRun Run(AlignOptions options, CancellationToken cancel = default)
    {
        Code = Align.Run(options, cancel);
        Report = JsonNode.Parse(File.ReadAllText(Path.Combine(options.Out!, "align.json")))!;
        return this;
    }

    /// <summary>The notes of a kind.</summary>
    public IReadOnlyList<JsonNode> Notes(string what) => [.. Report["log"]!.AsArray().Where(n => (string)n!["what"]! == what).Select(n => n!)];

    /// <summary>The names of the doubts.</summary>
    public IReadOnlyList<string> Doubts => [.. Report["doubts"]!.AsArray().Select(d => (string)d!["name"]!)];

    /// <summary>The version of a round, from 1.</summary>
    public ModelVersion Version(int round) => ModelStore.Open(MicroWorld.Store).Resolve((string)Notes("round")[round - 1]["version"]!);

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
