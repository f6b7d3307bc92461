using Attune.Core.Checkpoints;
using Attune.Core.Versions;

namespace Attune.Core.Exchange;

/// <summary>The weights of a Hugging Face folder in another type, or in other shards: what save_pretrained calls dtype and max_shard_size.</summary>
public static class HuggingFaceWeights
{
    // Tensors are converted a piece at a time: a model of any size passes through this much memory.
    private const int Piece = 1 << 20;

    /// <summary>Writes them anew, and the type into config.json; the folder is as it was until all of them are written.</summary>
    /// <param name="folder">A folder with config.json and weights.</param>
    /// <param name="type">F32, F16 or BF16; null leaves each tensor in the type that it has.</param>
    /// <param name="shardBytes">What one file may take; a tensor that is larger by itself has a file of its own.</param>
    /// <exception cref="CheckpointException">A file is broken; ATT2022: a tensor is no float; ATT2030: the disk refused.</exception>
    public static void Rewrite(string folder, TensorType? type, long shardBytes)
    {
        var fresh = Directory.CreateDirectory(Path.Combine(folder, "weights.partial")).FullName;
        using (var weights = WeightFiles.Open(ModelFiles.OfFolder(folder)))
            WeightFiles.Write(fresh, weights.Tensors.Select(t => Source(weights, t, type ?? t.Type)), shardBytes);
        foreach (var old in Directory.EnumerateFiles(folder).Where(p => WeightFiles.IsOne(Path.GetFileName(p)) && Path.GetFileName(p).StartsWith("model", StringComparison.Ordinal)).ToArray())
            File.Delete(old);
        foreach (var file in Directory.EnumerateFiles(fresh).ToArray())
            File.Move(file, Path.Combine(folder, Path.GetFileName(file)));
        Directory.Delete(fresh);
        if (type is { } asked)
            NameType(Path.Combine(folder, ModelFiles.Config), asked);
    }

    private static TensorSource Source(WeightFiles weights, TensorInfo tensor, TensorType type) => new(tensor.Name, type, tensor.Shape, stream =>
    {
        var bytes = type.Bits() / 8;
        var buffer = new byte[(int)Math.Min(tensor.Count, Piece) * bytes];
        for (var first = 0L; first < tensor.Count; first += Piece)
        {
            var piece = buffer.AsSpan(0, (int)Math.Min(Piece, tensor.Count - first) * bytes);
            weights.Read(tensor.Name, first, type, piece);
            stream.Write(piece);
        }
        weights.LetGo(tensor.Name);
    });

    // transformers 4 calls it torch_dtype.
    private static void NameType(string path, TensorType type)
    {
        var json = HuggingFaceJson.Read(path);
        json[json.ContainsKey("torch_dtype") ? "torch_dtype" : "dtype"] = type.ConfigName();
        Atomic.WriteAllText(path, HuggingFaceJson.Format(json));
    }
}
