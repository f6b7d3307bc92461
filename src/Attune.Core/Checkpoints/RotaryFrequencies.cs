namespace Attune.Core.Checkpoints;

/// <summary>
/// The rotary frequencies of a model (Su et al. 2021), one for each rotated pair, stretched as its config says:
/// position interpolation (Chen et al. 2023), YaRN (Peng et al. 2023), Llama 3's, or longrope (Ding et al. 2024).
/// Formulas and their float32 steps are those of transformers' modeling_rope_utils, so that long positions agree too.
/// </summary>
public sealed class RotaryFrequencies
{
    private readonly float[] _usual;
    private readonly float[]? _long;

    private RotaryFrequencies(float[] usual, float[]? beyond = null, int? original = null, double factor = 1) =>
        (_usual, _long, LongBeyond, Factor) = (usual, beyond, original, (float)factor);

    /// <summary>Multiplies cosines and sines: YaRN's and longrope's attention factor.</summary>
    public float Factor { get; }

    /// <summary>longrope: texts longer than this turn by other frequencies, from their first token on; null: all alike.</summary>
    public int? LongBeyond { get; }

    /// <summary>Pairs, R/2.</summary>
    public int Pairs => _usual.Length;

    /// <summary>The frequencies of a config's layers, or null where they rotate nothing.</summary>
    public static RotaryFrequencies? Of(DecoderConfig config, LayerRotation rotation) => rotation switch
    {
        LayerRotation.None => null,
        LayerRotation.Local => new(Plain(config.LocalRopeTheta!.Value, config.RotatedSize)),
        _ => Scaled(config),
    };

    /// <summary>Radians for each position, R/2 numbers, in a text of <paramref name="length"/> tokens.</summary>
    public ReadOnlySpan<float> For(int length) => IsLong(length) ? _long : _usual;

    /// <summary>Whether a text of that length turns by the other frequencies.</summary>
    public bool IsLong(int length) => length > LongBeyond;

    // θ^(−2i/R)
    private static float[] Plain(double theta, int size) => [.. Enumerable.Range(0, size / 2).Select(i => 1f / (float)Math.Pow(theta, (float)(2 * i) / size))];

    private static RotaryFrequencies Scaled(DecoderConfig config)
    {
        var plain = Plain(config.RopeTheta, config.RotatedSize);
        return config.RopeScaling switch
        {
            null => new(plain),
            { Kind: "linear", Factor: var factor } => new(Array.ConvertAll(plain, f => (float)(f / factor!.Value))),
            { Kind: "llama3" } scaling => new(Array.ConvertAll(plain, f => Llama3(f, scaling))),
            { Kind: "yarn" } scaling => Yarn(plain, scaling, config),
            { Kind: "longrope" } scaling => LongRope(scaling, config),
            var other => throw new UnsupportedCheckpointException($"Not supported: the rotary scaling {other.Kind}.") { Field = "rope_parameters" },
        };
    }

    // Wavelengths beyond the original window are stretched, short ones stay, and between the two a line leads over.
    private static float Llama3(float frequency, RopeScaling scaling)
    {
        var (factor, low, high) = ((float)scaling.Factor!.Value, (float)scaling.LowFrequencyFactor!.Value, (float)scaling.HighFrequencyFactor!.Value);
        float original = scaling.OriginalContext!.Value, wavelength = 2 * MathF.PI / frequency;
        if (wavelength > original / low)
            return frequency / factor;
        if (wavelength < original / high)
            return frequency;
        var smooth = (original / wavelength - low) / (high - low);
        return (1 - smooth) * frequency / factor + smooth * frequency;
    }

    // A ramp over the dimensions between β_fast and β_slow turns in the original window.
    private static RotaryFrequencies Yarn(float[] plain, RopeScaling scaling, DecoderConfig config)
    {
        var (size, original) = (config.RotatedSize, scaling.OriginalContext ?? config.ContextLength);
        var factor = scaling.Factor ?? (double)config.ContextLength / original;
        var (low, high) = (Dimension(scaling.BetaFast is { } fast and not 0 ? fast : 32), Dimension(scaling.BetaSlow is { } slow and not 0 ? slow : 1));
        if (scaling.Truncate)
            (low, high) = (Math.Floor(low), Math.Ceiling(high));
        (low, high) = (Math.Max(low, 0), Math.Min(high, size - 1));
        if (low == high)
            high += 0.001;
        var frequencies = plain.Select((f, i) =>
        {
            var stretched = (float)Math.Clamp((i - low) / (high - low), 0, 1);
            return f / (float)factor * stretched + f * (1 - stretched);
        });
        return new([.. frequencies], factor: scaling.AttentionFactor ?? (scaling is { MScale: { } m and not 0, MScaleAllDimensions: { } all and not 0 } ? Scale(m) / Scale(all) : Scale(1)));

        double Dimension(double turns) => size * Math.Log(original / (turns * 2 * Math.PI)) / (2 * Math.Log(config.RopeTheta));
        double Scale(double m) => factor <= 1 ? 1 : 0.1 * m * Math.Log(factor) + 1;
    }

    private static RotaryFrequencies LongRope(RopeScaling scaling, DecoderConfig config)
    {
        var original = scaling.OriginalContext!.Value;
        var factor = scaling.Factor ?? (double)config.ContextLength / original;
        return new(Divided(scaling.ShortFactors!), Divided(scaling.LongFactors!), original,
            scaling.AttentionFactor ?? (factor <= 1 ? 1 : Math.Sqrt(1 + Math.Log(factor) / Math.Log(original))));

        float[] Divided(IReadOnlyList<double> factors) =>
            [.. factors.Select((by, i) => 1f / ((float)by * (float)Math.Pow(config.RopeTheta, (float)(2 * i) / config.RotatedSize)))];
    }
}
