using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Attune.App.Runs;

/// <summary>Where a stage works: what it starts from, what the new version is called, where things lie. None of it decides the result.</summary>
internal sealed record Place
{
    [Description("Version (world:base) or model folder to start from.")]
    public string? Parent { get; init; }

    [Description("Name of the new version, as in my:instruct.")]
    public string? SaveAs { get; init; }

    [Description("Also write the adapters of a LoRA run into this folder, as PEFT reads them.")]
    public string? SaveAdapter { get; init; }

    [Description("Folder of the versions; the environment variable ATTUNE_STORE changes the default.")]
    public string Store { get; init; } = DefaultStore;

    [Description("Folder of this run: checkpoints, metrics, the finished model. The same folder resumes. [runs/STAGE-NAME]")]
    public string? Run { get; init; }

    [Description("Throw away what the run's folder holds of an earlier run.")]
    public bool Restart { get; init; }

    [Description("Show the preflight (loss mask, counts, memory, time) and stop.")]
    public bool PreflightOnly { get; init; }

    [Description("Threads of the arithmetic; 0 takes every core. Results are bit-exact for equal numbers."), Range(0, 1024)]
    public int Threads { get; init; }

    /// <summary>The folder of versions that every verb looks in.</summary>
    public static string DefaultStore { get; } = Environment.GetEnvironmentVariable("ATTUNE_STORE") is { Length: > 0 } given ? given : "models";
}
