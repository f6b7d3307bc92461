using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
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

/// <summary>What weights are stored as.</summary>
public enum WeightStorage
{
    /// <summary>As the model's own weights are.</summary>
    Same,

    /// <summary>Float.</summary>
    F32,

    /// <summary>Half.</summary>
    F16,

    /// <summary>bfloat16.</summary>
    Bf16,

    /// <summary>8 bits and a scale for each 32: GGUF only.</summary>
    Q8,
}

/// <summary>How a version is exported.</summary>
public sealed record ExportOptions
{
    /// <summary>The form.</summary>
    [Description("hf: a Hugging Face folder; gguf: one file for llama.cpp; ollama: the same with a Modelfile; peft: an adapter.")]
    public ExportFormat Format { get; init; } = ExportFormat.Hf;

    /// <summary>The type of the weights: all of them in a Hugging Face folder, the matrices in GGUF.</summary>
    [Description("What weights are stored as: same, f32, f16, bf16; q8 in gguf and ollama.")]
    public WeightStorage Weights { get; init; } = WeightStorage.Same;

    /// <summary>Largest weights file of a Hugging Face folder.</summary>
    [Description("hf: gigabytes that one weights file may take; beyond it they go into numbered shards."), Range(0, 1e6, MinimumIsExclusive = true)]
    public double ShardGigabytes { get; init; } = WeightFiles.UsualShard / 1e9;
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
        ModelImport.CopyLicences(model, folder);
        if (options.Format == ExportFormat.Ollama)
            OllamaModelfile.Write(folder, file, model);
        return [.. Directory.EnumerateFiles(folder).Select(p => Path.GetFileName(p)!).Order(StringComparer.Ordinal)];
    }

    /// <summary>Lays a version out as a Hugging Face folder or, of one that adapters were trained for, as a PEFT adapter.</summary>
    /// <exception cref="AttuneException">ATT2060: the folder is not empty; ATT3403: it has no adapter; ATT3408: weights of a type that the form has not.</exception>
    public static void ToFolder(ModelStore store, string reference, string folder, ExportOptions options, CancellationToken cancel)
    {
        if (options.Format == ExportFormat.Peft)
        {
            WriteAdapter(store.Resolve(reference).Files, reference, folder);
            return;
        }
        RefuseQ8(options);
        store.Export(reference, folder, cancel);
        Finish(folder, options);
    }

    /// <summary>The same of a model folder, whose files go as they are.</summary>
    /// <exception cref="AttuneException">ATT2002, ATT2003, ATT2014: it is no model, or a pickle; ATT2060: the target is not empty; ATT3403: there is no adapter; ATT3408: weights of a type that the form has not.</exception>
    public static void ToFolder(ModelFiles model, string folder, ExportOptions options, CancellationToken cancel)
    {
        if (options.Format == ExportFormat.Peft)
        {
            WriteAdapter(model, model.Description, folder);
            return;
        }
        RefuseQ8(options);
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
        Finish(folder, options);
    }

    private static void RefuseQ8(ExportOptions options)
    {
        if (options.Weights == WeightStorage.Q8)
            throw new ExchangeException("ATT3408", "A Hugging Face folder has no Q8_0 weights.") { Field = "weights", Hint = "Give f32, f16 or bf16, or --format gguf." };
    }

    // What transformers writes beside, and weights of the type and in the shards that are asked for.
    private static void Finish(string folder, ExportOptions options)
    {
        HuggingFaceFolder.Complete(folder);
        var shard = (long)(options.ShardGigabytes * 1e9);
        if (options.Weights != WeightStorage.Same || Directory.EnumerateFiles(folder, "*.safetensors").Any(f => new FileInfo(f).Length > shard))
            HuggingFaceWeights.Rewrite(folder, options.Weights switch { WeightStorage.F32 => TensorType.F32, WeightStorage.F16 => TensorType.F16, WeightStorage.Bf16 => TensorType.BF16, _ => null }, shard);
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

    private static GgufType TypeOf(WeightStorage storage, ModelFiles model) => storage switch
    {
        WeightStorage.F32 => GgufType.F32,
        WeightStorage.F16 => GgufType.F16,
        WeightStorage.Bf16 => GgufType.BF16,
        WeightStorage.Q8 => GgufType.Q8_0,
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
