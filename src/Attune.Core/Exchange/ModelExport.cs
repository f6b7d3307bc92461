using System.ComponentModel;
using Attune.Core.Checkpoints;
using Attune.Core.Checkpoints.Adapters;
using Attune.Core.Checkpoints.Gguf;
using Attune.Core.Versions;
using Attune.Prompts;

namespace Attune.Core.Exchange;

/// <summary>The form that a model is given away in.</summary>
public enum ExportFormat
{
    /// <summary>A Hugging Face folder.</summary>
    Hf,

    /// <summary>One GGUF file for llama.cpp.</summary>
    Gguf,

    /// <summary>A GGUF file with an Ollama Modelfile.</summary>
    Ollama,

    /// <summary>A PEFT adapter.</summary>
    Peft,
}

/// <summary>What the matrices of a GGUF file are stored as.</summary>
public enum GgufStorage
{
    /// <summary>As the model's own weights are.</summary>
    Same,

    /// <summary>Float.</summary>
    F32,

    /// <summary>Half.</summary>
    F16,

    /// <summary>bfloat16.</summary>
    Bf16,

    /// <summary>8 bits and a scale for each 32.</summary>
    Q8,
}

/// <summary>How a version is exported.</summary>
public sealed record ExportOptions
{
    /// <summary>The form.</summary>
    [Description("hf: a Hugging Face folder; gguf: one file for llama.cpp; ollama: the same with a Modelfile; peft: an adapter.")]
    public ExportFormat Format { get; init; } = ExportFormat.Hf;

    /// <summary>GGUF's weights.</summary>
    [Description("gguf and ollama: what matrices are stored as.")]
    public GgufStorage Weights { get; init; } = GgufStorage.Same;
}

/// <summary>A version or folder laid out for other programs.</summary>
public static class ModelExport
{
    /// <summary>Writes GGUF (and a Modelfile) into a folder; returns the names of the files.</summary>
    /// <param name="model">The model.</param>
    /// <param name="name">What the file is called, without .gguf; characters that no file has become dashes.</param>
    /// <param name="folder">The folder; it must be empty or missing.</param>
    /// <param name="options">How.</param>
    /// <exception cref="AttuneException">ATT2060: the folder is not empty; otherwise as <see cref="GgufExport.Write"/> says.</exception>
    public static IReadOnlyList<string> ToGguf(ModelFiles model, string name, string folder, ExportOptions options)
    {
        PlainFolder.RequireEmpty(folder);
        var file = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' ? c : '-')) + ".gguf";
        GgufExport.Write(model, Path.Combine(folder, file), TypeOf(options.Weights, model), name);
        foreach (var (licence, path) in model.Paths.Where(f => ModelImport.IsLicence(f.Key)))
            File.Copy(path, Path.Combine(folder, licence));
        if (options.Format == ExportFormat.Ollama)
            OllamaModelfile.Write(folder, file, model);
        return [.. Directory.EnumerateFiles(folder).Select(p => Path.GetFileName(p)!).Order(StringComparer.Ordinal)];
    }

    /// <summary>Lays a version out as a Hugging Face folder or, of one that adapters were trained for, as a PEFT adapter.</summary>
    /// <exception cref="AttuneException">ATT2060: the folder is not empty; ATT3403: it has no adapter.</exception>
    public static void ToFolder(ModelStore store, string reference, string folder, ExportOptions options, CancellationToken cancel)
    {
        if (options.Format == ExportFormat.Peft)
        {
            WriteAdapter(store.Resolve(reference).Files, reference, folder);
            return;
        }
        store.Export(reference, folder, cancel);
        HuggingFaceFolder.Complete(folder);
    }

    /// <summary>The same of a model folder, whose files go as they are.</summary>
    /// <exception cref="AttuneException">ATT2002, ATT2003, ATT2014: it is no model, or a pickle; ATT2060: the target is not empty; ATT3403: there is no adapter.</exception>
    public static void ToFolder(ModelFiles model, string folder, ExportOptions options, CancellationToken cancel)
    {
        if (options.Format == ExportFormat.Peft)
        {
            WriteAdapter(model, model.Description, folder);
            return;
        }
        _ = model.Require(ModelFiles.Config);
        using (WeightFiles.Open(model))
        {
            // Weights that nobody could read are refused here, as import refuses them.
        }
        PlainFolder.Write(model, folder, (path, stream) =>
        {
            cancel.ThrowIfCancellationRequested();
            using var source = File.OpenRead(path);
            source.CopyTo(stream);
        });
        HuggingFaceFolder.Complete(folder);
    }

    // A merged version keeps its adapter beside the weights under a name that transformers does not look for: by PEFT's own
    // names it would lay the adapter on weights that have it already.
    private static void WriteAdapter(ModelFiles files, string reference, string folder)
    {
        if (files.Find(AdapterFiles.InVersion + AdapterConfig.FileName) is null)
        {
            throw new ExchangeException("ATT3403", "The version is a whole model without an adapter.")
            {
                File = reference,
                Field = "format",
                Hint = "Export it whole: --format hf.",
            };
        }
        PlainFolder.RequireEmpty(folder);
        AdapterFiles.Export(files, folder);
    }

    private static GgufType TypeOf(GgufStorage storage, ModelFiles model) => storage switch
    {
        GgufStorage.F32 => GgufType.F32,
        GgufStorage.F16 => GgufType.F16,
        GgufStorage.Bf16 => GgufType.BF16,
        GgufStorage.Q8 => GgufType.Q8_0,
        _ => Stored(model),
    };

    // What the matrices are, not what config.json says: a fine-tune of a 16-bit model may be stored in 32.
    private static GgufType Stored(ModelFiles model)
    {
        using var weights = WeightFiles.Open(model);
        return weights.Tensors.Where(t => t.Shape.Count > 1).Select(t => t.Type).Distinct().ToArray() switch
        {
            [TensorType.BF16] => GgufType.BF16,
            [TensorType.F16] => GgufType.F16,
            _ => GgufType.F32,
        };
    }
}
