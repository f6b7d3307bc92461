namespace Attune.Core.Checkpoints.Gguf;

/// <summary>A model's weights between safetensors and GGUF, one tensor in memory at a time.</summary>
internal static class GgufWeights
{
    /// <summary>The tensors of a model as GGUF wants them.</summary>
    /// <param name="config">Its shape.</param>
    /// <param name="weights">Its weights, by Hugging Face's names; open until everything is written.</param>
    /// <param name="architecture">llama.cpp's architecture.</param>
    /// <param name="type">What matrices are stored as; norms and biases are always F32, as llama.cpp wants them.</param>
    public static List<GgufSource> ToGguf(DecoderConfig config, WeightFiles weights, GgufArchitecture architecture, GgufType type)
    {
        var sources = new List<GgufSource>();
        foreach (var pair in GgufNames.Of(config, architecture))
            sources.Add(Source(pair, pair.Gguf));
        // Tied matrices are one file's embedding; where the graph insists on an output it is written twice.
        if (architecture.NeedsOutput && config.TiedEmbeddings)
            sources.Add(Source(GgufNames.Of(config, architecture).First(p => p.Gguf == "token_embd.weight"), "output.weight"));
        foreach (var (name, values) in GgufRope.Tensors(config))
            sources.Add(new(name, GgufType.F32, [values.Length], stream => GgufEncoding.Write(stream, GgufType.F32, values)));
        return sources;

        GgufSource Source(GgufPair pair, string name) => new(name, TypeFor(pair, type), pair.GgufShape, stream =>
        {
            var values = new float[weights[pair.HuggingFace].Count];
            weights.ReadFloats(pair.HuggingFace, values);
            GgufEncoding.Write(stream, TypeFor(pair, type), GgufTurns.ToGguf(pair, values));
        });
    }

    /// <summary>The tensors of a GGUF file as safetensors wants them.</summary>
    /// <exception cref="CheckpointException">ATT2013: a tensor is missing; ATT2016: one has another shape, or no place.</exception>
    public static List<TensorSource> FromGguf(DecoderConfig config, GgufFile file)
    {
        var architecture = GgufArchitecture.Named(file.Metadata.RequiredText("general.architecture"), file.Path);
        var known = new HashSet<string>(StringComparer.Ordinal) { GgufRope.Divisors, GgufRope.Long, GgufRope.Short };
        var sources = new List<TensorSource>();
        var stored = config.Dtype switch { "bfloat16" => TensorType.BF16, "float16" => TensorType.F16, _ => TensorType.F32 };
        foreach (var pair in GgufNames.Of(config, architecture))
        {
            known.Add(pair.Gguf);
            var tensor = file[pair.Gguf];
            if (!tensor.Shape.SequenceEqual(pair.GgufShape))
                throw new CheckpointException("ATT2016", $"Its shape is {tensor.ShapeText}; the metadata ask for [{string.Join(", ", pair.GgufShape)}].") { File = file.Path, Field = pair.Gguf };
            sources.Add(new(pair.HuggingFace, stored, pair.Shape, stream =>
            {
                var values = new float[tensor.Count];
                file.ReadFloats(tensor, 0, values);
                values = GgufTurns.FromGguf(pair, values);
                GgufEncoding.Write(stream, stored switch { TensorType.BF16 => GgufType.BF16, TensorType.F16 => GgufType.F16, _ => GgufType.F32 }, values);
            }));
        }
        if (file.Tensors.FirstOrDefault(t => !known.Contains(t.Name)) is { } extra)
            throw new CheckpointException("ATT2016", $"The file holds a tensor that Attune's {architecture.Name} has no place for.") { File = file.Path, Field = extra.Name };
        return sources;
    }

    /// <summary>What the weights become in Hugging Face's form: 16-bit floats stay, everything packed unfolds to float32.</summary>
    public static string DtypeOf(GgufFile file)
    {
        var matrices = file.Tensors.Where(t => t.Shape.Count >= 2 && t.Name != "position_embd.weight").Select(t => t.Type).Distinct().ToArray();
        return matrices switch
        {
            [GgufType.BF16] => "bfloat16",
            [GgufType.F16] => "float16",
            _ => "float32",
        };
    }

    // Rows that are no whole number of blocks stay as they are, as llama-quantize leaves them.
    private static GgufType TypeFor(GgufPair pair, GgufType type) =>
        pair.Shape.Length < 2 || pair.Gguf == "position_embd.weight" ? GgufType.F32
        : pair.GgufShape[^1] % GgufBlock.Of(type).Elements != 0 ? GgufType.F16
        : type;
}
