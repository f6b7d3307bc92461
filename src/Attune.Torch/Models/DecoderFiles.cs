using System.Runtime.InteropServices;
using Attune.Core.Checkpoints;
using Attune.Core.Versions;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>Decoders from and to Hugging Face folders.</summary>
public static class DecoderFiles
{
    /// <summary>Reads config.json and the weights of a model.</summary>
    /// <param name="model">A folder or a version.</param>
    /// <param name="device">Where to put the weights; null is the CPU.</param>
    /// <param name="dtype">Their type there; float32 unless asked otherwise.</param>
    /// <exception cref="CheckpointException">A missing, broken or unsupported file, a tensor missing or of another shape.</exception>
    public static Decoder Load(ModelFiles model, Device? device = null, ScalarType dtype = ScalarType.Float32)
    {
        var config = HuggingFaceConfig.Read(model.Require(ModelFiles.Config));
        using var weights = WeightFiles.Open(model);
        LlamaNames.Check(config, weights);
        var decoder = new Decoder(config);
        decoder.Load(weights);
        decoder.to(dtype);
        decoder.to(device ?? CPU);
        return decoder;
    }

    /// <summary>Reads a reward model as transformers saves a <c>…ForSequenceClassification</c> with one label.</summary>
    /// <inheritdoc cref="Load(ModelFiles, Device?, ScalarType)" path="/*[not(self::summary)]"/>
    public static RewardModel LoadReward(ModelFiles model, Device? device = null, ScalarType dtype = ScalarType.Float32)
    {
        var path = model.Require(ModelFiles.Config);
        var config = HuggingFaceConfig.Read(path, DecoderFeatures.ScoreHead);
        if (config.Head != DecoderHead.Score)
            throw new UnsupportedCheckpointException($"Not supported: a {config.Architecture} as a reward model; it has no score.") { File = path, Field = "architectures" };
        using var weights = WeightFiles.Open(model);
        LlamaNames.Check(config, weights);
        var reward = new RewardModel(config);
        reward.Load(weights);
        reward.to(dtype);
        reward.to(device ?? CPU);
        return reward;
    }

    /// <summary>A reward model with the body of a language model and a score drawn from <paramref name="seed"/>.</summary>
    /// <param name="model">The language model.</param>
    /// <param name="seed">What the new score is drawn from.</param>
    /// <param name="device">Where to put the weights; null is the CPU.</param>
    /// <param name="dtype">Their type there.</param>
    /// <exception cref="CheckpointException">A missing, broken or unsupported file, a tensor missing or of another shape.</exception>
    public static RewardModel NewReward(ModelFiles model, long seed, Device? device = null, ScalarType dtype = ScalarType.Float32)
    {
        var config = HuggingFaceConfig.Read(model.Require(ModelFiles.Config));
        using var weights = WeightFiles.Open(model);
        LlamaNames.Check(config, weights);
        var reward = new RewardModel(config.WithScore());
        reward.Load(weights, except: LlamaNames.Score);
        reward.InitialiseScore(seed);
        reward.to(dtype);
        reward.to(device ?? CPU);
        return reward;
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
            var values = empty(parameter.shape, dtype: float32);
            weights.ReadFloats(name, MemoryMarshal.Cast<byte, float>(values.bytes));
            parameter.copy_(values);
        }
    }

    /// <summary>Writes the parameters as safetensors, float32 or, where they are, bfloat16; atomically. Equal weights give equal bytes.</summary>
    /// <exception cref="CheckpointException">ATT2030: the disk refused.</exception>
    public static void Save(this nn.Module module, string path) =>
        SafetensorsWriter.Write(path, module.named_parameters().Select(p => Source(p.name, p.parameter)));

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
