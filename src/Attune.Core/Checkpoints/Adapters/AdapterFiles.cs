using Attune.Core.Versions;
using Attune.Prompts;

namespace Attune.Core.Checkpoints.Adapters;

/// <summary>
/// A folder with a LoRA adapter in PEFT's format: adapter_config.json and adapter_model.safetensors, whose tensors are
/// named after the modules that they change.
/// </summary>
public sealed class AdapterFiles : IDisposable
{
    /// <summary>adapter_model.safetensors.</summary>
    public const string WeightsName = "adapter_model.safetensors";

    /// <summary>
    /// How the adapter's files are called among the files of a merged version: PEFT's own names would make transformers
    /// lay the adapter on weights that have it already.
    /// </summary>
    public const string InVersion = "attune.";

    private const string Prefix = "base_model.model.";

    private AdapterFiles(AdapterConfig config, SafetensorsFile weights) => (Config, Weights) = (config, weights);

    /// <summary>adapter_config.json.</summary>
    public AdapterConfig Config { get; }

    /// <summary>adapter_model.safetensors.</summary>
    public SafetensorsFile Weights { get; }

    /// <summary>A, [r, I], of a linear layer; of an embedding (which PEFT names otherwise) [r, V].</summary>
    public static string A(string module, bool embedding) => embedding ? $"{Prefix}{module}.lora_embedding_A" : $"{Prefix}{module}.lora_A.weight";

    /// <summary>B, [O, r]; of an embedding [D, r].</summary>
    public static string B(string module, bool embedding) => embedding ? $"{Prefix}{module}.lora_embedding_B" : $"{Prefix}{module}.lora_B.weight";

    /// <summary>DoRA's magnitudes, [O].</summary>
    public static string Magnitude(string module) => $"{Prefix}{module}.lora_magnitude_vector";

    /// <summary>The matrix of a module that is stored whole.</summary>
    public static string Whole(string module) => $"{Prefix}{module}.weight";

    /// <summary>Opens a folder.</summary>
    /// <exception cref="CheckpointException">A file is missing, broken, or a pickle (ATT2003, ATT2010 to ATT2014, ATT2020, ATT2021).</exception>
    /// <exception cref="UnsupportedCheckpointException">ATT2022: a variant that is not built.</exception>
    public static AdapterFiles Open(string folder)
    {
        var config = AdapterConfig.Read(Path.Combine(folder, AdapterConfig.FileName));
        var path = Path.Combine(folder, WeightsName);
        if (!File.Exists(path) && Path.Combine(folder, "adapter_model.bin") is var pickle && File.Exists(pickle))
            throw Pickle.Refusal(pickle);
        return new(config, SafetensorsFile.Open(path));
    }

    /// <summary>Opens the adapter that lies beside the merged weights of a version.</summary>
    /// <exception cref="AttuneException">ATT2002: the version has none.</exception>
    public static AdapterFiles OfVersion(ModelFiles version) =>
        new(AdapterConfig.Read(version.Require(InVersion + AdapterConfig.FileName)), SafetensorsFile.Open(version.Require(InVersion + WeightsName)));

    /// <summary>Whether a version's weights are those of another with an adapter in them.</summary>
    public static bool IsIn(ModelFiles version) => version.Find(InVersion + AdapterConfig.FileName) is not null;

    /// <summary>Writes both files; each atomically.</summary>
    /// <param name="folder">Made where it is missing.</param>
    /// <param name="config">What is adapted.</param>
    /// <param name="tensors">By PEFT's names.</param>
    /// <param name="prefix">Before the files' names: <see cref="InVersion"/> beside merged weights.</param>
    /// <exception cref="CheckpointException">ATT2030: the disk refused.</exception>
    public static void Write(string folder, AdapterConfig config, IEnumerable<TensorSource> tensors, string prefix = "")
    {
        Directory.CreateDirectory(folder);
        SafetensorsWriter.Write(Path.Combine(folder, prefix + WeightsName), tensors);
        config.Write(Path.Combine(folder, prefix + AdapterConfig.FileName));
    }

    /// <summary>Lays the adapter of a merged version out as PEFT reads it.</summary>
    /// <param name="version">A version of a stage that trained adapters.</param>
    /// <param name="folder">Made where it is missing.</param>
    /// <param name="baseModel">What PEFT shall load beneath it: a folder or a name; null leaves what is there.</param>
    /// <exception cref="AttuneException">ATT2002: the version has no adapter.</exception>
    public static void Export(ModelFiles version, string folder, string? baseModel = null)
    {
        var config = AdapterConfig.Read(version.Require(InVersion + AdapterConfig.FileName));
        var weights = version.Require(InVersion + WeightsName);
        Directory.CreateDirectory(folder);
        Atomic.Write(Path.Combine(folder, WeightsName), stream =>
        {
            using var source = File.OpenRead(weights);
            source.CopyTo(stream);
        });
        (config with { BaseModel = baseModel ?? config.BaseModel }).Write(Path.Combine(folder, AdapterConfig.FileName));
    }

    /// <summary>Checks that the adapter has exactly these tensors.</summary>
    /// <exception cref="CheckpointException">ATT2013: one is missing; ATT2016: another shape, or one that belongs nowhere.</exception>
    public void Check(IReadOnlyDictionary<string, long[]> expected)
    {
        foreach (var (name, shape) in expected)
        {
            if (!Weights[name].Shape.SequenceEqual(shape))
                throw new CheckpointException("ATT2016", $"Its shape is {Weights[name].ShapeText}; the model and adapter_config.json ask for [{string.Join(", ", shape)}].") { File = Weights.Path, Field = name };
        }
        if (Weights.Tensors.FirstOrDefault(t => !expected.ContainsKey(t.Name)) is { } extra)
            throw new CheckpointException("ATT2016", "The adapter holds a tensor for a place that the model or adapter_config.json does not have.") { File = Weights.Path, Field = extra.Name };
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => Weights.Dispose();
}
