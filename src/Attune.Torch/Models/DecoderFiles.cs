using System.Runtime.InteropServices;
using Attune.Core.Checkpoints;
using Attune.Core.Versions;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>Decoders from and to Hugging Face folders.</summary>
public static class DecoderFiles
{
    /// <summary>Reads config.json and the weights of a model, each tensor straight from the mapped file into its place.</summary>
    /// <param name="model">A folder or a version.</param>
    /// <param name="device">Where to put the weights; null is the CPU.</param>
    /// <param name="dtype">Their type there; float32 unless asked otherwise.</param>
    /// <param name="hold">How to hold the matrix of a module that stays frozen; null holds none in fewer bits.</param>
    /// <exception cref="CheckpointException">A missing, broken or unsupported file, a tensor missing or of another shape.</exception>
    public static Decoder Load(ModelFiles model, Device? device = null, ScalarType dtype = ScalarType.Float32, Func<string, BaseWeights>? hold = null)
    {
        var config = HuggingFaceConfig.Read(model.Require(ModelFiles.Config));
        using var weights = WeightFiles.Open(model);
        LlamaNames.Check(config, weights);
        var decoder = new Decoder(config);
        decoder.Fill(model, weights, device ?? CPU, dtype, hold);
        return decoder;
    }

    /// <summary>Reads a reward model as transformers saves a <c>…ForSequenceClassification</c> with one label.</summary>
    /// <param name="model">A folder or a version.</param>
    /// <param name="device">Where to put the weights; null is the CPU.</param>
    /// <param name="dtype">Their type there; float32 unless asked otherwise.</param>
    /// <param name="hold">How to hold the matrix of a module that stays frozen; null holds none in fewer bits.</param>
    /// <exception cref="CheckpointException">A missing, broken or unsupported file, a tensor missing or of another shape.</exception>
    public static RewardModel LoadReward(ModelFiles model, Device? device = null, ScalarType dtype = ScalarType.Float32, Func<string, BaseWeights>? hold = null)
    {
        var path = model.Require(ModelFiles.Config);
        var config = HuggingFaceConfig.Read(path, DecoderFeatures.ScoreHead);
        if (config.Head != DecoderHead.Score)
            throw new UnsupportedCheckpointException($"Not supported: a {config.Architecture} as a reward model; it has no score.") { File = path, Field = "architectures" };
        using var weights = WeightFiles.Open(model);
        LlamaNames.Check(config, weights);
        var reward = new RewardModel(config);
        reward.Fill(model, weights, device ?? CPU, dtype, hold);
        return reward;
    }

    /// <summary>A reward model with the body of a language model and a score drawn from <paramref name="seed"/>.</summary>
    /// <param name="model">The language model.</param>
    /// <param name="seed">What the new score is drawn from.</param>
    /// <param name="device">Where to put the weights; null is the CPU.</param>
    /// <param name="dtype">Their type there.</param>
    /// <param name="hold">How to hold the matrix of a module that stays frozen.</param>
    /// <exception cref="CheckpointException">A missing, broken or unsupported file, a tensor missing or of another shape.</exception>
    public static RewardModel NewReward(ModelFiles model, long seed, Device? device = null, ScalarType dtype = ScalarType.Float32, Func<string, BaseWeights>? hold = null)
    {
        var config = HuggingFaceConfig.Read(model.Require(ModelFiles.Config));
        using var weights = WeightFiles.Open(model);
        LlamaNames.Check(config, weights);
        var reward = new RewardModel(config.WithScore());
        reward.InitialiseScore(seed);
        reward.Fill(model, weights, device ?? CPU, dtype, hold, except: LlamaNames.Score);
        return reward;
    }

    /// <summary>Puts weights into a new model: matrices that are held first, for their empty places are then given back.</summary>
    private static void Fill<T>(this T module, ModelFiles model, WeightFiles weights, Device device, ScalarType dtype, Func<string, BaseWeights>? hold, string? except = null)
        where T : nn.Module, ITunable
    {
        module.Source = model;
        foreach (var (name, layer) in hold is null ? [] : Lora.Modules(module).Where(m => $"{m.Module}.weight" != except).ToArray())
        {
            if (hold!(name) is var format && format != BaseWeights.F32)
                layer.Hold(HeldMatrix.Read((first, values) => weights.ReadFloats($"{name}.weight", first, values.Span), format, layer.Rows, layer.Columns, device));
            weights.LetGo($"{name}.weight");
        }
        // Before it is filled: an empty matrix is converted for nothing, and is never there in both types.
        module.to(dtype);
        module.Load(weights, except);
        module.to(device);
    }

    /// <summary>Fills the parameters with the tensors of their names.</summary>
    /// <param name="module">What to fill.</param>
    /// <param name="weights">The tensors.</param>
    /// <param name="except">A parameter that is left as it is.</param>
    /// <exception cref="CheckpointException">ATT2013: one is missing; ATT2016: one has another shape.</exception>
    public static void Load(this nn.Module module, WeightFiles weights, string? except = null)
    {
        using var guard = no_grad();
        foreach (var (name, parameter) in module.named_parameters())
        {
            if (name == except)
                continue;
            var info = weights[name];
            if (!info.Shape.SequenceEqual(parameter.shape))
                throw new CheckpointException("ATT2016", $"Its shape is {info.ShapeText}; the model asks for [{string.Join(", ", parameter.shape)}].") { Field = name };
            using var scope = NewDisposeScope();
            var flat = parameter.view(-1);
            for (var first = 0L; first < info.Count; first += Part)
            {
                var values = empty(Math.Min(Part, info.Count - first), dtype: float32);
                weights.ReadFloats(name, first, MemoryMarshal.Cast<byte, float>(values.bytes));
                flat.narrow(0, first, values.numel()).copy_(values);
                values.Dispose();
            }
            weights.LetGo(name);
        }
    }

    /// <summary>
    /// Writes a model as safetensors, atomically: its parameters, float32 or, where they are, bfloat16. Equal weights give
    /// equal bytes. With adapters, the merged model: every tensor that one changes is read again as it was stored, merged
    /// in float32 and written in the type that it had; every other tensor keeps its bytes.
    /// </summary>
    /// <exception cref="CheckpointException">ATT2030: the disk refused.</exception>
    public static void Save(this nn.Module module, string path)
    {
        if (module is ITunable { Lora: { } lora } tunable)
            SaveMerged(tunable, lora, path);
        else
            SafetensorsWriter.Write(path, module.named_parameters().Select(p => Source(p.name, p.parameter)));
    }

    private static void SaveMerged(ITunable model, Lora lora, string path)
    {
        using var stored = WeightFiles.Open(model.Source ?? throw new InvalidOperationException("A model that was not read from files has nothing to merge into."));
        SafetensorsWriter.Write(path, TensorNames.All(model.Config).Select(t => stored.Find(t.Name) is not { } info
            ? Source(t.Name, lora.Find(t.Name)!.Parameters[0].Value) // a new head, trained whole
            : new TensorSource(info.Name, info.Type, info.Shape, stream =>
            {
                if (lora.Find(info.Name) is { } adapter)
                    Merge(stored, info, adapter, stream);
                else
                    Copy(stored, info, stream);
                stored.LetGo(info.Name);
            })));
    }

    /// <summary>Writes config.json and model.safetensors into a folder.</summary>
    public static void SaveFolder(this Decoder decoder, string folder)
    {
        Directory.CreateDirectory(folder);
        HuggingFaceConfig.Write(Path.Combine(folder, ModelFiles.Config), decoder.Config);
        decoder.Save(Path.Combine(folder, ModelFiles.Weights));
    }

    /// <inheritdoc cref="SaveFolder(Decoder, string)"/>
    public static void SaveFolder(this RewardModel reward, string folder)
    {
        Directory.CreateDirectory(folder);
        HuggingFaceConfig.Write(Path.Combine(folder, ModelFiles.Config), reward.Config);
        reward.Save(Path.Combine(folder, ModelFiles.Weights));
    }

    // Numbers of one read: what is converted at a time.
    private const long Part = 1 << 24;

    private static void Merge(WeightFiles stored, TensorInfo tensor, MatrixAdapter adapter, Stream stream)
    {
        using var scope = NewDisposeScope();
        var values = empty([.. tensor.Shape], dtype: float32);
        var flat = values.view(-1);
        for (var first = 0L; first < tensor.Count; first += Part)
            stored.ReadFloats(tensor.Name, first, MemoryMarshal.Cast<byte, float>(flat.narrow(0, first, Math.Min(Part, tensor.Count - first)).bytes));
        var merged = adapter.Merged(values.to(adapter.Parameters[0].Value.device)).cpu().view(-1);
        var narrow = tensor.Type switch
        {
            TensorType.BF16 => merged.to(bfloat16),
            TensorType.F16 => merged.to(float16),
            TensorType.F64 => merged.to(float64),
            _ => merged,
        };
        for (var first = 0L; first < tensor.Count; first += Part)
            stream.Write(narrow.narrow(0, first, Math.Min(Part, tensor.Count - first)).bytes);
    }

    private static void Copy(WeightFiles stored, TensorInfo tensor, Stream stream)
    {
        for (var offset = 0L; offset < tensor.Length; offset += Part)
            stream.Write(stored.Bytes(tensor.Name, offset, (int)Math.Min(Part, tensor.Length - offset)));
    }

    private static TensorSource Source(string name, Tensor parameter)
    {
        var half = parameter.dtype == ScalarType.BFloat16;
        return new(name, half ? TensorType.BF16 : TensorType.F32, parameter.shape, stream =>
        {
            using var scope = NewDisposeScope();
            stream.Write(parameter.detach().to(half ? bfloat16 : float32).cpu().contiguous().bytes);
        });
    }
}
