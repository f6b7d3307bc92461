using Attune.Core.Checkpoints;
using Attune.Core.Versions;
using Attune.Torch.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>
/// Decoders from and to Hugging Face folders. Weights are converted on the way from the mapped file into the memory that
/// they are trained in, a piece at a time, so that loading takes little more than the model itself.
/// </summary>
public static class DecoderFiles
{
    // Elements at a time: what is converted stays in the caches' reach, and spans stay within an int.
    private const long Piece = 1 << 22;

    /// <summary>Reads config.json and the weights of a language model.</summary>
    /// <param name="model">A folder or a version.</param>
    /// <param name="device">Where to put the weights; null is the CPU.</param>
    /// <param name="dtype">Their type there; float32 unless asked otherwise.</param>
    /// <param name="hold">How to hold the matrix of a module that stays frozen; null holds none in fewer bits.</param>
    /// <exception cref="CheckpointException">A missing, broken or unsupported file, a tensor missing or of another shape.</exception>
    public static Decoder Load(ModelFiles model, Device? device = null, ScalarType dtype = ScalarType.Float32, Func<string, BaseWeights>? hold = null)
    {
        var path = model.Require(ModelFiles.Config);
        var config = HuggingFaceConfig.Read(path);
        if (config.Head != DecoderHead.Language)
            throw new UnsupportedCheckpointException($"Not supported: a {config.Architecture} as a language model; it has a score in place of a vocabulary.") { File = path, Field = "architectures" };
        using var weights = Open(model, config);
        using var loading = NativeHeap.Loading(config);
        return Fill(new Decoder(config), model, weights, device ?? CPU, dtype, hold);
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
        var config = HuggingFaceConfig.Read(path);
        if (config.Head != DecoderHead.Score)
            throw new UnsupportedCheckpointException($"Not supported: a {config.Architecture} as a reward model; it has no score.") { File = path, Field = "architectures" };
        using var weights = Open(model, config);
        using var loading = NativeHeap.Loading(config);
        return Fill(new RewardModel(config), model, weights, device ?? CPU, dtype, hold);
    }

    /// <summary>A reward model with the body of a language model and a score drawn from <paramref name="seed"/>.</summary>
    /// <param name="model">The language model.</param>
    /// <param name="seed">What the new score is drawn from.</param>
    /// <param name="device">Where to put the weights; null is the CPU.</param>
    /// <param name="dtype">Their type there.</param>
    /// <param name="hold">How to hold the matrix of a module that stays frozen; null holds none in fewer bits.</param>
    /// <exception cref="CheckpointException">A missing, broken or unsupported file, a tensor missing or of another shape.</exception>
    public static RewardModel NewReward(ModelFiles model, long seed, Device? device = null, ScalarType dtype = ScalarType.Float32, Func<string, BaseWeights>? hold = null)
    {
        var path = model.Require(ModelFiles.Config);
        var config = HuggingFaceConfig.Read(path);
        if (config.Head != DecoderHead.Language)
            throw new UnsupportedCheckpointException($"Not supported: a {config.Architecture} as the start of a reward model; it has a score already.") { File = path, Field = "architectures" };
        using var weights = Open(model, config);
        using var loading = NativeHeap.Loading(config);
        var reward = new RewardModel(config.WithScore());
        reward.InitialiseScore(seed);
        return Fill(reward, model, weights, device ?? CPU, dtype, hold, except: reward.ScoreName);
    }

    /// <summary>Fills the parameters, which lie on the CPU, with the tensors of their names.</summary>
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
            foreach (var (first, piece) in Pieces(parameter))
                weights.Read(name, first, TypeOf(parameter.dtype), piece.bytes);
            weights.LetGo(name);
        }
    }

    /// <summary>
    /// Writes a model as one safetensors file, atomically. Equal weights give equal bytes. With adapters, the merged model:
    /// every tensor that one changes is read again as it was stored, merged in float32 and written in the type that it had;
    /// every other tensor keeps its bytes.
    /// </summary>
    /// <param name="module">The model.</param>
    /// <param name="path">The file.</param>
    /// <param name="type">F32, F16 or BF16; null leaves the weights in the type that they have.</param>
    /// <exception cref="CheckpointException">ATT2030: the disk refused.</exception>
    public static void Save(this nn.Module module, string path, TensorType? type = null) =>
        Writing(module, type, sources => SafetensorsWriter.Write(path, sources));

    /// <summary>Writes config.json and the weights into a folder.</summary>
    /// <param name="decoder">The model.</param>
    /// <param name="folder">Made where it is missing.</param>
    /// <param name="type">F32, F16 or BF16; null leaves the weights in the type that they have.</param>
    /// <param name="shardBytes">What one file may take; beyond it the weights go into shards with a list.</param>
    public static void SaveFolder(this Decoder decoder, string folder, TensorType? type = null, long shardBytes = WeightFiles.UsualShard) =>
        SaveFolder(decoder, decoder.Config, folder, type, shardBytes);

    /// <summary>Writes config.json and the weights of a reward model into a folder.</summary>
    /// <param name="reward">The model.</param>
    /// <param name="folder">Made where it is missing.</param>
    /// <param name="type">F32, F16 or BF16; null leaves the weights in the type that they have.</param>
    /// <param name="shardBytes">What one file may take; beyond it the weights go into shards with a list.</param>
    public static void SaveFolder(this RewardModel reward, string folder, TensorType? type = null, long shardBytes = WeightFiles.UsualShard) =>
        SaveFolder(reward, reward.Config, folder, type, shardBytes);

    /// <summary>How config.json names the type of the weights.</summary>
    public static string DtypeName(ScalarType dtype) => TypeOf(dtype).ConfigName();

    /// <summary>How config.json names the type that <see cref="Save"/> gives the weights: their own, or with adapters that of the files they came from.</summary>
    public static string SavedDtype(nn.Module module, DecoderConfig config) => module is ITunable { Lora: not null } ? config.Dtype : DtypeName(module.parameters().First().dtype);

    private static void SaveFolder(nn.Module module, DecoderConfig config, string folder, TensorType? type, long shardBytes)
    {
        Directory.CreateDirectory(folder);
        HuggingFaceConfig.Write(Path.Combine(folder, ModelFiles.Config), config with { Dtype = type is { } asked ? asked.ConfigName() : SavedDtype(module, config) });
        Writing(module, type, sources => WeightFiles.Write(folder, sources, shardBytes));
    }

    private static WeightFiles Open(ModelFiles model, DecoderConfig config)
    {
        var weights = WeightFiles.Open(model);
        try
        {
            TensorNames.Check(config, weights);
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>Puts weights into a new model: matrices that are held first, for their empty places are then given back.</summary>
    private static T Fill<T>(T module, ModelFiles model, WeightFiles weights, Device device, ScalarType dtype, Func<string, BaseWeights>? hold, string? except = null)
        where T : nn.Module, ITunable
    {
        try
        {
            module.Source = model;
            foreach (var (name, layer) in hold is null ? [] : Lora.Modules(module).Where(m => $"{m.Module}.weight" != except).ToArray())
            {
                if (hold!(name) is var format && format != BaseWeights.F32)
                    layer.Hold(HeldMatrix.Read((first, values) => weights.ReadFloats($"{name}.weight", first, values.Span), format, layer.Rows, layer.Columns, device));
                weights.LetGo($"{name}.weight");
            }
            // Before they are filled, and anew: a conversion would hold the largest matrix in both types.
            foreach (var (_, layer) in module.named_modules().Where(m => $"{m.name}.weight" != except))
                (layer as MatrixLayer)?.Retype(dtype);
            module.to(dtype);
            module.Load(weights, except);
            module.to(device);
            return module;
        }
        catch
        {
            module.Dispose();
            throw;
        }
    }

    private static void Writing(nn.Module module, TensorType? type, Action<IEnumerable<TensorSource>> write)
    {
        if (module is not ITunable { Lora: { } lora } tunable)
        {
            write(module.named_parameters().Select(p => Source(p.name, p.parameter, type)));
            return;
        }
        using var stored = WeightFiles.Open(tunable.Source ?? throw new InvalidOperationException("A model that was not read from files has nothing to merge into."));
        write(TensorNames.All(tunable.Config).Select(t => stored.Find(t.Name) is not { } info
            ? Source(t.Name, (lora.Find(t.Name) ?? throw NoNewHead(t.Name)).Parameters[0].Value, type)
            : new TensorSource(info.Name, type ?? info.Type, info.Shape, stream =>
            {
                if (lora.Find(info.Name) is { } adapter)
                    Merge(stored, info, adapter, type ?? info.Type, stream);
                else
                    Copy(stored, info, type ?? info.Type, stream);
                stored.LetGo(info.Name);
            })));
    }

    // What the files lack is a new head, trained whole: without it there would be nothing but a random one.
    private static CheckpointException NoNewHead(string name) => new("ATT2013", "Neither the model nor the adapter holds this tensor.") { Field = name };

    private static void Merge(WeightFiles stored, TensorInfo tensor, MatrixAdapter adapter, TensorType type, Stream stream)
    {
        using var scope = NewDisposeScope();
        var values = empty([.. tensor.Shape], dtype: float32);
        foreach (var (first, piece) in Pieces(values))
            stored.Read(tensor.Name, first, TensorType.F32, piece.bytes);
        var merged = adapter.Merged(values.to(adapter.Parameters[0].Value.device)).cpu().to(DtypeOf(type));
        foreach (var (_, piece) in Pieces(merged))
            stream.Write(piece.bytes);
    }

    private static void Copy(WeightFiles stored, TensorInfo tensor, TensorType type, Stream stream)
    {
        var bytes = new byte[Math.Min(Piece, tensor.Count) * type.Bits() / 8];
        for (var first = 0L; first < tensor.Count; first += Piece)
        {
            var some = bytes.AsSpan(0, (int)(Math.Min(Piece, tensor.Count - first) * type.Bits() / 8));
            stored.Read(tensor.Name, first, type, some);
            stream.Write(some);
        }
    }

    private static TensorSource Source(string name, Tensor parameter, TensorType? type)
    {
        var target = type ?? TypeOf(parameter.dtype);
        return new(name, target, parameter.shape, stream =>
        {
            using var scope = NewDisposeScope();
            foreach (var (_, piece) in Pieces(parameter))
            {
                using var inner = NewDisposeScope();
                stream.Write(piece.to(DtypeOf(target)).cpu().contiguous().bytes);
            }
        });
    }

    /// <summary>The values of a parameter in their order, as flat views of at most <see cref="Piece"/>.</summary>
    private static IEnumerable<(long First, Tensor Values)> Pieces(Tensor parameter)
    {
        var flat = parameter.detach().view(-1);
        for (var first = 0L; first < flat.shape[0]; first += Piece)
            yield return (first, flat.narrow(0, first, Math.Min(Piece, flat.shape[0] - first)));
    }

    private static TensorType TypeOf(ScalarType dtype) => dtype switch
    {
        ScalarType.Float16 => TensorType.F16,
        ScalarType.BFloat16 => TensorType.BF16,
        ScalarType.Float64 => TensorType.F64,
        _ => TensorType.F32,
    };

    private static ScalarType DtypeOf(TensorType type) => type switch
    {
        TensorType.F16 => ScalarType.Float16,
        TensorType.BF16 => ScalarType.BFloat16,
        TensorType.F64 => ScalarType.Float64,
        _ => ScalarType.Float32,
    };
}
