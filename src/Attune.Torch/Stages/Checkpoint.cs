using System.Globalization;
using System.Runtime.InteropServices;
using Attune.Core.Checkpoints;
using Attune.Torch.Optimisers;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Stages;

/// <summary>
/// A checkpoint is one safetensors file: what is trained, the optimiser's state, and the run's state in its header. One
/// file has one rename, so there is never half a checkpoint (pytorch-lightning#688), and its parts are of one step.
/// </summary>
public static class Checkpoint
{
    private const string StateKey = "attune.run_state";
    private const string WeightPrefix = "weight.";
    private const string OptimiserPrefix = "optimiser.";
    private const string StepName = "step-";
    private const string BestName = "best-";

    /// <summary>Writes the checkpoint of a step, atomically, then removes what the newest <paramref name="keep"/> do not need.</summary>
    /// <exception cref="CheckpointException">ATT2030: the disk refused; the checkpoints before are as they were.</exception>
    public static void Save(string folder, RunState state, Optimiser optimiser, int keep)
    {
        SafetensorsWriter.Write(PathOf(folder, StepName, state.Step), Sources(Weights(optimiser), WeightPrefix).Concat(Sources(optimiser.State, OptimiserPrefix)),
            new Dictionary<string, string>(StringComparer.Ordinal) { [StateKey] = state.ToJson() });
        foreach (var (_, path) in All(folder, StepName).SkipLast(keep))
            File.Delete(path);
        var oldestBest = StateOf(All(folder, StepName).First().Path).BestStep;
        foreach (var (_, path) in All(folder, BestName).TakeWhile(b => b.Step < oldestBest))
            File.Delete(path);
    }

    /// <summary>Copies the newest checkpoint of a folder into an optimiser and what it trains.</summary>
    /// <returns>Its state, or null where there is none.</returns>
    /// <exception cref="TrainingException">ATT5110: it is not of this model.</exception>
    public static RunState? Load(string folder, Optimiser optimiser)
    {
        if (All(folder, StepName).LastOrDefault().Path is not { } path)
            return null;
        using var file = SafetensorsFile.Open(path);
        Copy(file, Weights(optimiser), WeightPrefix);
        Copy(file, optimiser.State, OptimiserPrefix);
        return RunState.Parse(file.Metadata[StateKey]);
    }

    /// <summary>Writes what is trained, alone: the best so far.</summary>
    public static void SaveWeights(string path, Optimiser optimiser) => SafetensorsWriter.Write(path, Sources(Weights(optimiser), ""));

    /// <summary>Copies back what <see cref="SaveWeights"/> wrote.</summary>
    public static void LoadWeights(string path, Optimiser optimiser)
    {
        using var file = SafetensorsFile.Open(path);
        Copy(file, Weights(optimiser), "");
    }

    /// <summary>Where the best weights of a step lie.</summary>
    public static string BestPath(string folder, long step) => PathOf(folder, BestName, step);

    /// <summary>Tensors as a safetensors file takes them, straight from their memory.</summary>
    internal static IEnumerable<TensorSource> Sources(IEnumerable<(string Name, Tensor Value)> tensors, string prefix) =>
        tensors.Select(t => new TensorSource(prefix + t.Name, TensorType.F32, t.Value.shape, stream => Write(t.Value, stream)));

    private static IEnumerable<(string Name, Tensor Value)> Weights(Optimiser optimiser) => optimiser.Parameters.Select(p => (p.Name, p.Value));

    private static RunState StateOf(string path)
    {
        using var file = SafetensorsFile.Open(path);
        return RunState.Parse(file.Metadata[StateKey]);
    }

    // Oldest first. Files that a crash left unfinished have other names.
    private static IEnumerable<(long Step, string Path)> All(string folder, string kind) => !Directory.Exists(folder) ? [] :
        Directory.GetFiles(folder, kind + "*.safetensors")
            .Select(p => (Step: long.TryParse(Path.GetFileNameWithoutExtension(p.AsSpan())[kind.Length..], CultureInfo.InvariantCulture, out var step) ? step : -1, Path: p))
            .Where(c => c.Step >= 0)
            .OrderBy(c => c.Step);

    private static string PathOf(string folder, string kind, long step) => Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{kind}{step:D9}.safetensors"));

    private static void Write(Tensor value, Stream stream)
    {
        using var scope = NewDisposeScope();
        stream.Write(MemoryMarshal.AsBytes(value.detach().cpu().Floats()));
    }

    private static void Read(SafetensorsFile file, string name, Tensor value)
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        var near = value.device_type == DeviceType.CPU ? value : empty(value.shape);
        file.ReadFloats(name, near.Floats());
        if (!ReferenceEquals(near, value))
            value.copy_(near);
    }

    private static void Copy(SafetensorsFile file, IEnumerable<(string Name, Tensor Value)> tensors, string prefix)
    {
        foreach (var (name, value) in tensors)
        {
            if (!file[prefix + name].Shape.SequenceEqual(value.shape))
                throw new TrainingException("ATT5110", $"The checkpoint's {name} has shape {file[prefix + name].ShapeText}, the model's [{string.Join(", ", value.shape)}].") { File = file.Path, Field = name };
            Read(file, prefix + name, value);
        }
    }
}
