using System.Collections.Frozen;
using System.Text.Json.Nodes;

namespace Attune.Core.Checkpoints.Families;

/// <summary>What a config says about rotary positions, in either of its forms.</summary>
internal sealed record RopeConfig(double Theta, RopeScaling? Scaling, double Share, double? LocalTheta)
{
    /// <summary>
    /// transformers 5: <c>rope_parameters</c>, flat or one for each layer type; before: <c>rope_theta</c>,
    /// <c>rope_scaling</c>, <c>partial_rotary_factor</c>, <c>rope_local_base_freq</c>.
    /// </summary>
    internal static RopeConfig Read(ConfigReader reader, FamilyDefaults defaults)
    {
        var theta = reader.Positive("rope_theta", reader.Positive("rotary_emb_base", defaults.Theta));
        var local = defaults is { LocalRope: true, LocalTheta: { } usual } ? (double?)reader.Positive("rope_local_base_freq", usual) : null;
        var share = reader.Positive("partial_rotary_factor", reader.Positive("rotary_pct", defaults.RotaryShare ?? 1));
        RopeScaling? scaling = null;
        foreach (var key in (string[])["rope_scaling", "rope_parameters"])
        {
            if (reader.Object(key) is not { } rope)
                continue;
            if (defaults.LocalRope && rope.Object("sliding_attention") is { } sliding)
            {
                sliding.Only("rope_type", "scaled rotary positions in sliding layers", "default");
                local = sliding.Positive("rope_theta", local ?? theta);
                sliding.RefuseTheRest(FrozenSet<string>.Empty);
                var full = rope.Object("full_attention") ?? throw rope.Impossible("full_attention", "The config lacks this key.");
                // The flat form's defaults may stand beside the two; transformers reads neither.
                _ = (rope.Number("rope_theta"), rope.Text("rope_type"));
                rope.RefuseTheRest(FrozenSet<string>.Empty);
                rope = full;
            }
            theta = rope.Positive("rope_theta", theta);
            share = rope.Positive("partial_rotary_factor", share);
            scaling = ReadScaling(rope, reader) ?? scaling;
            rope.RefuseTheRest(FrozenSet<string>.Empty);
        }
        if (share > 1)
            throw reader.Impossible("partial_rotary_factor", "No more than all of a head can be rotated.");
        return new(theta, scaling, share, defaults.LocalRope ? local ?? theta : null);
    }

    /// <summary>The form that transformers 5 writes.</summary>
    internal static JsonObject ToJson(DecoderConfig config, FamilyDefaults defaults) => config.LocalRopeTheta is not { } local
        ? Flat(config, defaults)
        : new() { ["full_attention"] = Flat(config, defaults), ["sliding_attention"] = new JsonObject { ["rope_theta"] = local, ["rope_type"] = "default" } };

    private static JsonObject Flat(DecoderConfig config, FamilyDefaults defaults)
    {
        var json = new JsonObject { ["rope_theta"] = config.RopeTheta, ["rope_type"] = config.RopeScaling?.Kind ?? "default" };
        if (defaults.RotaryShare is not null)
            json["partial_rotary_factor"] = config.RotaryShare;
        if (config.RopeScaling is not { } scaling)
            return json;
        foreach (var (key, value) in ((string, JsonNode?)[])
        [
            ("factor", scaling.Factor), ("original_max_position_embeddings", scaling.OriginalContext), ("low_freq_factor", scaling.LowFrequencyFactor),
            ("high_freq_factor", scaling.HighFrequencyFactor), ("beta_fast", scaling.BetaFast), ("beta_slow", scaling.BetaSlow),
            ("attention_factor", scaling.AttentionFactor), ("mscale", scaling.MScale), ("mscale_all_dim", scaling.MScaleAllDimensions),
            ("truncate", scaling.Truncate ? null : false), ("short_factor", List(scaling.ShortFactors)), ("long_factor", List(scaling.LongFactors)),
        ])
        {
            if (value is not null)
                json[key] = value;
        }
        return json;
    }

    private static RopeScaling? ReadScaling(ConfigReader rope, ConfigReader config)
    {
        var (now, before) = (rope.Text("rope_type"), rope.Text("type"));
        var kind = now ?? before ?? "default";
        if (kind == "default")
            return null;
        var scaling = new RopeScaling(kind == "su" ? "longrope" : kind);
        if (scaling.Kind is not ("linear" or "yarn" or "llama3" or "longrope"))
            throw rope.Unsupported("rope_type", $"the rotary scaling {kind}");
        scaling = scaling with
        {
            Factor = scaling.Kind == "longrope" && !rope.Has("factor") ? null : rope.Positive("factor"),
            OriginalContext = rope.Has("original_max_position_embeddings") ? rope.Int("original_max_position_embeddings")
                : config.Has("original_max_position_embeddings") ? config.Int("original_max_position_embeddings") : null,
            AttentionFactor = rope.Has("attention_factor") ? rope.Positive("attention_factor") : null,
        };
        return scaling.Kind switch
        {
            "llama3" => scaling with
            {
                OriginalContext = scaling.OriginalContext ?? rope.Int("original_max_position_embeddings"),
                LowFrequencyFactor = rope.Positive("low_freq_factor"),
                HighFrequencyFactor = rope.Positive("high_freq_factor"),
            },
            "yarn" => scaling with
            {
                BetaFast = rope.Number("beta_fast"),
                BetaSlow = rope.Number("beta_slow"),
                MScale = rope.Number("mscale"),
                MScaleAllDimensions = rope.Number("mscale_all_dim"),
                Truncate = rope.Flag("truncate", whenAbsent: true),
            },
            "longrope" => scaling with
            {
                OriginalContext = scaling.OriginalContext ?? rope.Int("original_max_position_embeddings"),
                ShortFactors = rope.Numbers("short_factor") ?? throw rope.Impossible("short_factor", "longrope needs this key."),
                LongFactors = rope.Numbers("long_factor") ?? throw rope.Impossible("long_factor", "longrope needs this key."),
            },
            _ => scaling,
        };
    }

    private static JsonArray? List(IReadOnlyList<double>? values) => values is null ? null : new([.. values.Select(v => (JsonNode)v)]);
}
