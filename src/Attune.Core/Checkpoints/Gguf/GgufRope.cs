namespace Attune.Core.Checkpoints.Gguf;

/// <summary>
/// Stretched rotary frequencies. linear and yarn are keys; llama3 is a tensor of divisors, rope_freqs; longrope two of
/// them, rope_factors_short and rope_factors_long. Source: llama.cpp's conversion/{base,llama,phi}.py, llama-context.cpp.
/// </summary>
internal static class GgufRope
{
    public const string Divisors = "rope_freqs.weight";
    public const string Short = "rope_factors_short.weight";
    public const string Long = "rope_factors_long.weight";

    /// <summary>The keys of a scaling, without the architecture before them.</summary>
    /// <exception cref="GgufException">ATT3305: llama.cpp has no place for it.</exception>
    public static IEnumerable<(string Key, GgufValue Value)> Write(RopeScaling scaling, DecoderConfig config)
    {
        switch (scaling.Kind)
        {
            case "linear":
                return [("rope.scaling.type", GgufValue.Of("linear")), ("rope.scaling.factor", GgufValue.Of(scaling.Factor!.Value))];
            case "yarn":
                // llama.cpp computes the usual factor itself, and rounds the bounds of the ramp.
                var usual = 0.1 * Math.Log(scaling.Factor!.Value) + 1;
                if (scaling.MScale is not null || scaling.MScaleAllDimensions is not null || !scaling.Truncate || Math.Abs((scaling.AttentionFactor ?? usual) - usual) > 1e-6)
                    throw GgufException.NoPlace("rope_parameters", "llama.cpp's yarn has neither another attention factor nor unrounded bounds.");
                return
                [
                    ("rope.scaling.type", GgufValue.Of("yarn")),
                    ("rope.scaling.factor", GgufValue.Of(scaling.Factor.Value)),
                    ("rope.scaling.original_context_length", GgufValue.Of(scaling.OriginalContext ?? config.ContextLength)),
                    ("rope.scaling.yarn_beta_fast", GgufValue.Of(scaling.BetaFast ?? 32)),
                    ("rope.scaling.yarn_beta_slow", GgufValue.Of(scaling.BetaSlow ?? 1)),
                ];
            case "longrope":
                var original = scaling.OriginalContext!.Value;
                var stretch = scaling.Factor ?? (double)config.ContextLength / original;
                var attention = scaling.AttentionFactor ?? (stretch <= 1 ? 1 : Math.Sqrt(1 + Math.Log(stretch) / Math.Log(original)));
                return
                [
                    ("rope.scaling.type", GgufValue.Of("longrope")),
                    ("rope.scaling.original_context_length", GgufValue.Of(original)),
                    ("rope.scaling.attn_factor", GgufValue.Of(attention)),
                ];
            default:
                return [];
        }
    }

    /// <summary>The tensors of a scaling: name → values.</summary>
    public static IEnumerable<(string Name, float[] Values)> Tensors(DecoderConfig config) => config.RopeScaling switch
    {
        { Kind: "llama3" } scaling => [(Divisors, Llama3(scaling, config.RopeTheta, config.HeadSize))],
        { Kind: "longrope" } scaling => [(Long, Floats(scaling.LongFactors!)), (Short, Floats(scaling.ShortFactors!))],
        _ => [],
    };

    /// <summary>What a file says of its scaling.</summary>
    /// <exception cref="CheckpointException">ATT3304: an impossible value; ATT2022: divisors that are those of no scaling of transformers'.</exception>
    public static RopeScaling? Read(GgufFile file, GgufArchitecture architecture, int headSize)
    {
        var metadata = file.Metadata;
        var theta = metadata.Number($"{architecture.Name}.rope.freq_base") ?? 10_000;
        if (file.Find(Divisors) is { } divisors)
            return OfDivisors(Values(file, divisors, headSize / 2), theta, headSize, file.Path);
        var kind = metadata.Text($"{architecture.Name}.rope.scaling.type");
        var original = metadata.Int($"{architecture.Name}.rope.scaling.original_context_length");
        if (file.Find(Long) is { } late && file.Find(Short) is { } early)
        {
            return new RopeScaling("longrope")
            {
                OriginalContext = original ?? throw metadata.Missing($"{architecture.Name}.rope.scaling.original_context_length"),
                AttentionFactor = metadata.Number($"{architecture.Name}.rope.scaling.attn_factor"),
                LongFactors = [.. Values(file, late, null).Select(v => (double)v)],
                ShortFactors = [.. Values(file, early, null).Select(v => (double)v)],
            };
        }
        if (kind is null or "none" or "longrope")
            return null;
        var factor = metadata.Number($"{architecture.Name}.rope.scaling.factor") ?? throw metadata.Missing($"{architecture.Name}.rope.scaling.factor");
        return kind switch
        {
            _ when factor <= 0 => throw metadata.Impossible($"{architecture.Name}.rope.scaling.factor", "Must be greater than 0."),
            "linear" => new RopeScaling("linear") { Factor = factor },
            "yarn" => new RopeScaling("yarn")
            {
                Factor = factor,
                OriginalContext = original,
                BetaFast = metadata.Number($"{architecture.Name}.rope.scaling.yarn_beta_fast"),
                BetaSlow = metadata.Number($"{architecture.Name}.rope.scaling.yarn_beta_slow"),
            },
            _ => throw new UnsupportedCheckpointException($"Not supported: the rotary scaling {kind}.") { File = file.Path, Field = $"{architecture.Name}.rope.scaling.type" },
        };
    }

    /// <summary>
    /// What llama3 divides each frequency by: nothing where it turns more than <c>high</c> times in the original window,
    /// the factor where it turns less than <c>low</c> times, a blend between.
    /// Source: transformers' modeling_rope_utils, <c>_compute_llama3_parameters</c>.
    /// </summary>
    private static float[] Llama3(RopeScaling scaling, double theta, int headSize)
    {
        var (factor, low, high) = (scaling.Factor!.Value, scaling.LowFrequencyFactor!.Value, scaling.HighFrequencyFactor!.Value);
        return [.. Enumerable.Range(0, headSize / 2).Select(i =>
        {
            var turns = Turns(theta, headSize, i) * scaling.OriginalContext!.Value;
            var blend = (turns - low) / (high - low);
            return (float)(turns > high ? 1 : turns < low ? factor : 1 / ((1 - blend) / factor + blend));
        })];
    }

    // Turns of pair i in one token.
    private static double Turns(double theta, int headSize, int i) => Math.Pow(theta, -2.0 * i / headSize) / (2 * Math.PI);

    /// <summary>
    /// A llama3 scaling that gives these divisors. The file does not name it, but the blend between the factor and one is a
    /// straight line over the turns, a·turns + b with a = original/(high − low) and b = −low/(high − low): only these two
    /// matter, so low is taken as close to one as a whole number of tokens allows.
    /// </summary>
    private static RopeScaling OfDivisors(float[] divisors, double theta, int headSize, string path)
    {
        var factor = Math.Round((double)divisors.Max(), 4);
        var candidates = new List<RopeScaling> { Scaling(8192, 1, 4) };
        if (Line(divisors, theta, headSize) is { } line && line.B < 0)
        {
            var original = (int)Math.Clamp(Math.Round(-line.A / line.B), 1, int.MaxValue);
            var low = -line.B * original / line.A;
            var high = low + original / line.A;
            candidates.Add(Scaling(original, Math.Round(low, 4), Math.Round(high, 4)));
            candidates.Add(Scaling(original, low, high));
        }
        return candidates.FirstOrDefault(c => Llama3(c, theta, headSize).Zip(divisors).All(d => Math.Abs(d.First - d.Second) <= 1e-4 * d.Second))
            ?? throw new UnsupportedCheckpointException("Not supported: rotary frequencies divided otherwise than llama3 divides them.") { File = path, Field = Divisors };

        RopeScaling Scaling(int original, double low, double high) => new("llama3") { Factor = factor, OriginalContext = original, LowFrequencyFactor = low, HighFrequencyFactor = high };
    }

    /// <summary>
    /// The line of the blend, 1/divisor = (1 − blend)/factor + blend: through the two ends of what lies between; with one
    /// point there, the flattest that leaves its neighbours whole; with none, between the neighbours.
    /// </summary>
    private static (double A, double B)? Line(float[] divisors, double theta, int headSize)
    {
        var factor = (double)divisors.Max();
        var points = divisors.Select((d, i) => (Turns: Turns(theta, headSize, i), Blend: (1 / (double)d - 1 / factor) / (1 - 1 / factor))).ToArray();
        var between = points.Where(p => p.Blend is > 1e-6 and < 1 - 1e-6).ToArray();
        var (above, below) = (points.LastOrDefault(p => p.Blend >= 1 - 1e-6), points.FirstOrDefault(p => p.Blend <= 1e-6));
        if (between.Length < 2 && (above.Turns == 0 || below.Turns == 0))
            return null;
        var slope = between switch
        {
            [] => 1 / (above.Turns - below.Turns),
            [var one] => Math.Max((1 - one.Blend) / (above.Turns - one.Turns), one.Blend / (one.Turns - below.Turns)),
            [var first, .., var last] => (first.Blend - last.Blend) / (first.Turns - last.Turns),
        };
        return between is [var point, ..] ? (slope, point.Blend - slope * point.Turns) : (slope, -slope * below.Turns);
    }

    private static float[] Values(GgufFile file, GgufTensor tensor, int? wanted)
    {
        if (tensor.Shape.Count != 1 || tensor.Count is 0 or > 1 << 16 || (wanted is { } count && tensor.Count != count))
            throw GgufException.Metadata(file.Path, tensor.Name, $"Its shape is {tensor.ShapeText}; it must have one divisor for each rotated pair.");
        var values = new float[tensor.Count];
        file.ReadFloats(tensor, 0, values);
        return values.All(v => float.IsFinite(v) && v > 0) ? values : throw GgufException.Metadata(file.Path, tensor.Name, "A divisor is not a number greater than 0.");
    }

    private static float[] Floats(IReadOnlyList<double> values) => [.. values.Select(v => (float)v)];
}
