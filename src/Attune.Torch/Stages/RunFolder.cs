using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Core.Checkpoints;
using Attune.Core.Versions;
using Attune.Torch.Native;
using Attune.Torch.Optimisers;

namespace Attune.Torch.Stages;

/// <summary>
/// The folder of one run: <c>run.json</c> (what it is a run of), <c>checkpoints/</c>, <c>metrics.jsonl</c>,
/// <c>model/</c> (the finished files) and, last of all, <c>result.json</c>, which says that the rest is complete.
/// One process at a time may hold it.
/// </summary>
public sealed class RunFolder : IDisposable
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };
    private readonly FileStream _lock;

    private RunFolder(string path, FileStream held) => (Path, _lock) = (path, held);

    /// <summary>The folder itself.</summary>
    public string Path { get; }

    /// <summary>Where checkpoints lie.</summary>
    public string Checkpoints => System.IO.Path.Combine(Path, "checkpoints");

    /// <summary>Where the finished model lies.</summary>
    public string Model => System.IO.Path.Combine(Path, "model");

    /// <summary>Where the parent lies with the rows of its new tokens, as long as the run goes on.</summary>
    public string Grown => System.IO.Path.Combine(Path, "grown");

    private string ResultPath => System.IO.Path.Combine(Path, "result.json");

    private bool HasBegun => File.Exists(ResultPath) || RolloutFile.Any(Path) || (Directory.Exists(Checkpoints) && Directory.EnumerateFiles(Checkpoints, "*.safetensors").Any());

    /// <summary>Opens the folder for a run, new or resumed.</summary>
    /// <param name="context">Folder, restart, progress.</param>
    /// <param name="identity">All that decides the result: stage, options, data digests, parent. A run resumes only as what it was.</param>
    /// <exception cref="TrainingException">ATT5130: the folder holds another run; ATT5131: another process is at it.</exception>
    public static RunFolder Open(StageContext context, JsonObject identity)
    {
        Directory.CreateDirectory(context.RunFolder);
        var run = new RunFolder(context.RunFolder, Lock(context.RunFolder));
        try
        {
            var path = System.IO.Path.Combine(run.Path, "run.json");
            if (context.Restart)
                run.Clear(path);
            var machine = new JsonObject { ["kernels"] = RunIdentity.Kernels, ["threads"] = TorchRuntime.Threads };
            var was = File.Exists(path) ? JsonNode.Parse(File.ReadAllText(path))!.AsObject() : null;
            // A look (--preflight-only) or a start that was refused has learnt nothing: it binds nobody.
            if (was is not null && !run.HasBegun && Differences("", was["run"], identity).Any())
            {
                run.Clear(path);
                was = null;
            }
            if (was is not null)
                Compare(context, was, identity, machine, path);
            else
                Atomic.WriteAllText(path, new JsonObject { ["run"] = identity.DeepClone(), ["machine"] = machine }.ToJsonString(Indented));
            foreach (var leftover in Directory.EnumerateFiles(run.Path, "*" + Atomic.TemporarySuffix, SearchOption.AllDirectories))
                File.Delete(leftover);
            return run;
        }
        catch
        {
            run.Dispose();
            throw;
        }
    }

    /// <summary>Copies the newest checkpoint into the optimiser and what it trains.</summary>
    /// <returns>Its state; a new one where there is no checkpoint.</returns>
    public RunState Resume(Optimiser optimiser) => Checkpoint.Load(Checkpoints, optimiser) ?? new RunState();

    /// <summary>Saves a checkpoint, once the metrics up to it are on disk.</summary>
    public void Save(RunState state, MetricsLog log, Optimiser optimiser, int keep) =>
        Checkpoint.Save(Checkpoints, log.Mark(state), optimiser, keep);

    /// <summary>Puts the weights of the best validation aside, where the state says that they are the ones of now.</summary>
    public void KeepBest(RunState state, Optimiser optimiser)
    {
        if (state.BestStep == state.Step)
            Checkpoint.SaveWeights(Checkpoint.BestPath(Checkpoints, state.Step), optimiser);
    }

    /// <summary>Puts the best weights back, where they are not those of the last step.</summary>
    public void RestoreBest(RunState state, Optimiser optimiser)
    {
        if (state.BestStep == state.Step)
            return;
        Checkpoint.LoadWeights(Checkpoint.BestPath(Checkpoints, state.BestStep), optimiser);
    }

    /// <summary>The result of a run that was finished before, or null.</summary>
    public StageResult? Finished() => File.Exists(ResultPath) && JsonSerializer.Deserialize<Result>(File.ReadAllText(ResultPath), Indented) is { } result
        ? new StageResult(new VersionDraft(result.Kind, ModelFiles.OfFolder(Model), result.Lineage), result.Facts)
        : null;

    /// <summary>Declares the run finished: everything under <see cref="Model"/> is written. The checkpoints have done their duty.</summary>
    public StageResult Finish(VersionKind kind, Lineage lineage, RunFacts facts)
    {
        Atomic.WriteAllText(ResultPath, JsonSerializer.Serialize(new Result(kind, lineage, facts), Indented));
        RolloutFile.Forget(Path, long.MaxValue);
        foreach (var folder in new[] { Checkpoints, Grown }.Where(Directory.Exists))
            Directory.Delete(folder, recursive: true);
        return new StageResult(new VersionDraft(kind, ModelFiles.OfFolder(Model), lineage), facts);
    }

    /// <summary>Lets others at it.</summary>
    public void Dispose() => _lock.Dispose();

    private void Clear(string identityPath)
    {
        File.Delete(identityPath);
        foreach (var name in new[] { "result.json", ModelFiles.Tokenizer, MetricsLog.FileName, MetricsLog.EventsName })
            File.Delete(System.IO.Path.Combine(Path, name));
        RolloutFile.Forget(Path, long.MaxValue);
        foreach (var folder in new[] { Checkpoints, Grown, Model }.Where(Directory.Exists))
            Directory.Delete(folder, recursive: true);
    }

    private static FileStream Lock(string folder)
    {
        var path = System.IO.Path.Combine(folder, "run.lock");
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new TrainingException("ATT5131", "Another process is running in this folder.", e) { File = folder, Hint = "Wait for it, stop it, or give another folder." };
        }
    }

    // What a run is must agree. The machine may differ, but then the last bits may, too, and that is said.
    private static void Compare(StageContext context, JsonObject was, JsonObject identity, JsonObject machine, string path)
    {
        if (Differences("", was["run"], identity).ToArray() is { Length: > 0 } differences)
            throw new TrainingException("ATT5130", $"The folder holds a run that differs: {string.Join("; ", differences)}.")
            {
                File = path,
                Hint = "Give what it was started with to resume it, --restart to throw it away, or another folder.",
            };
        if (Differences("", was["machine"], machine).ToArray() is { Length: > 0 } changes)
            context.Tell(identity["stage"]!.GetValue<string>(), new RunState(), 0, $"The run goes on with other arithmetic, so its last bits may differ from an uninterrupted run's: {string.Join("; ", changes)}.");
    }

    private static IEnumerable<string> Differences(string path, JsonNode? was, JsonNode? now)
    {
        if (was is JsonObject before && now is JsonObject after)
            return before.Select(p => p.Key).Union(after.Select(p => p.Key)).SelectMany(key => Differences(path.Length == 0 ? key : $"{path}.{key}", before[key], after[key]));
        return JsonNode.DeepEquals(was, now) ? [] : [$"{path} was {was?.ToJsonString() ?? "none"}, is {now?.ToJsonString() ?? "none"}"];
    }

    private sealed record Result(VersionKind Kind, Lineage Lineage, RunFacts Facts);
}
