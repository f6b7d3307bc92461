using System.Text.Json.Nodes;

namespace Attune.Core.Checkpoints.Adapters;

/// <summary>
/// adapter_config.json of a LoRA adapter as PEFT 0.21 reads and writes it: what is adapted, and by how much. Keys that
/// would make another model and are not built are refused by name.
/// </summary>
public sealed record AdapterConfig
{
    /// <summary>adapter_config.json.</summary>
    public const string FileName = "adapter_config.json";

    /// <summary>r: rank of the modules that <see cref="RankPattern"/> does not name.</summary>
    public required int Rank { get; init; }

    /// <summary>α of the modules that <see cref="AlphaPattern"/> does not name.</summary>
    public required double Alpha { get; init; }

    /// <summary>Which modules get a low-rank adapter.</summary>
    public required AdapterTargets Targets { get; init; }

    /// <summary>Pattern → rank; the first that fits a module's name decides.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> RankPattern { get; init; } = [];

    /// <summary>Pattern → α; the first that fits a module's name decides.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> AlphaPattern { get; init; } = [];

    /// <summary>Scale α/√r (Kalajdzievski, arXiv 2312.03732) in place of α/r.</summary>
    public bool RankStabilised { get; init; }

    /// <summary>Magnitude and direction apart (Liu et al., arXiv 2402.09353).</summary>
    public bool Dora { get; init; }

    /// <summary>lora_dropout: of training alone; a finished adapter computes without it.</summary>
    public double Dropout { get; init; }

    /// <summary>What the adapter was trained on, as its author names it.</summary>
    public string? BaseModel { get; init; }

    /// <summary>The kind of model that PEFT wraps around it: <c>CAUSAL_LM</c>, <c>SEQ_CLS</c>.</summary>
    public string? TaskType { get; init; } = "CAUSAL_LM";

    /// <summary>Modules of another shape than the rest: PEFT says so of GPT-2's transposed matrices.</summary>
    public bool FanInFanOut { get; init; }

    /// <summary>ensure_weight_tying: what changes an embedding changes the head that is tied to it.</summary>
    public bool TiedToo { get; init; }

    /// <summary>r of a module.</summary>
    /// <param name="module">Its full name, <c>model.layers.0.self_attn.q_proj</c>.</param>
    public int RankOf(string module) => (int)(AdapterTargets.FirstFit(RankPattern, module) ?? Rank);

    /// <summary>The factor on B·A of a module: α/r, or α/√r.</summary>
    public double ScaleOf(string module)
    {
        var (rank, alpha) = (RankOf(module), AdapterTargets.FirstFit(AlphaPattern, module) ?? Alpha);
        return RankStabilised ? alpha / Math.Sqrt(rank) : alpha / rank;
    }

    /// <summary>Reads adapter_config.json.</summary>
    /// <exception cref="CheckpointException">ATT2003, ATT2020, ATT2021: no file, not JSON, a missing or impossible value.</exception>
    /// <exception cref="UnsupportedCheckpointException">ATT2022: not LoRA, or a variant that is not built.</exception>
    public static AdapterConfig Read(string path)
    {
        var reader = new ConfigReader(HuggingFaceJson.Read(path), path);
        reader.Only("peft_type", "only LoRA adapters are read", "LORA");
        reader.Only("bias", "adapters do not train biases", "none");
        // What these three start from is another base than the stored one; the rest only say how A and B began.
        reader.Only("init_lora_weights", "the base weights that it belongs to are not the stored ones", true, false, "gaussian", "orthogonal", "eva");
        foreach (var flag in (string[])["lora_bias", "use_qalora", "use_bdlora", "runtime_config"])
            reader.Only(flag, "this variant of LoRA is not built", false);
        foreach (var variant in (string[])["target_parameters", "trainable_token_indices", "layer_replication", "alora_invocation_tokens", "arrow_config", "kasa_config", "monteclora_config", "velora_config", "lora_ga_config", "megatron_config"])
            reader.Only(variant, "this variant of LoRA is not built");
        var config = new AdapterConfig
        {
            Rank = reader.Int("r", whenAbsent: 8),
            Alpha = reader.Number("lora_alpha") ?? 8,
            Dropout = reader.Number("lora_dropout") ?? 0,
            RankPattern = [.. reader.NumbersByName("rank_pattern")],
            AlphaPattern = [.. reader.NumbersByName("alpha_pattern")],
            RankStabilised = reader.Flag("use_rslora"),
            Dora = reader.Flag("use_dora"),
            BaseModel = reader.Text("base_model_name_or_path"),
            TaskType = reader.Text("task_type"),
            FanInFanOut = reader.Flag("fan_in_fan_out"),
            TiedToo = reader.Flag("ensure_weight_tying"),
            Targets = new AdapterTargets
            {
                Modules = reader.TextsOrText("target_modules"),
                Excluded = reader.TextsOrText("exclude_modules"),
                Saved = reader.Texts("modules_to_save") ?? [],
                Layers = reader.Ints("layers_to_transform"),
                LayersPatterns = reader.TextsOrText("layers_pattern") is var layers && layers.Expression is { } one ? [one] : layers.Names,
            },
        };
        if (config.RankPattern.FirstOrDefault(p => p.Value < 1 || p.Value != Math.Floor(p.Value)) is { Key: { } pattern })
            throw reader.Impossible($"rank_pattern.{pattern}", "A rank is a whole number of at least 1.");
        config.Targets.Check(path, config.RankPattern.Concat(config.AlphaPattern).Select(p => p.Key));
        reader.RefuseTheRest(ChangeNothing);
        return config;
    }

    /// <summary>Writes adapter_config.json with the keys that PEFT 0.21 writes, atomically.</summary>
    public void Write(string path) => Atomic.WriteAllText(path, HuggingFaceJson.Format(ToJson()).TrimEnd('\n'));

    /// <summary>The JSON of <see cref="Write"/>.</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject();
        foreach (var key in (string[])
        [
            "alora_invocation_tokens", "arrow_config", "auto_mapping", "corda_config", "eva_config", "kasa_config", "layer_replication", "lora_ga_config", "megatron_config",
            "monteclora_config", "revision", "target_parameters", "trainable_token_indices", "use_bdlora", "velora_config",
        ])
            json[key] = null;
        foreach (var flag in (string[])["lora_bias", "use_qalora"])
            json[flag] = false;
        json["alpha_pattern"] = Pattern(AlphaPattern);
        json["base_model_name_or_path"] = BaseModel;
        json["bias"] = "none";
        json["ensure_weight_tying"] = TiedToo;
        json["exclude_modules"] = Targets.Excluded.ToJson();
        json["fan_in_fan_out"] = FanInFanOut;
        json["inference_mode"] = true;
        json["init_lora_weights"] = true;
        json["layers_pattern"] = List(Targets.LayersPatterns);
        json["layers_to_transform"] = Targets.Layers is { } layers ? new JsonArray([.. layers.Select(l => (JsonNode)l)]) : null;
        json["loftq_config"] = new JsonObject();
        json["lora_alpha"] = Number(Alpha);
        json["lora_dropout"] = Dropout;
        json["megatron_core"] = "megatron.core";
        json["modules_to_save"] = List(Targets.Saved);
        json["peft_type"] = "LORA";
        json["peft_version"] = "0.21.2";
        json["qalora_group_size"] = 16;
        json["r"] = Rank;
        json["rank_pattern"] = Pattern(RankPattern);
        json["target_modules"] = Targets.Modules.ToJson();
        json["task_type"] = TaskType;
        json["use_dora"] = Dora;
        json["use_rslora"] = RankStabilised;
        return json;
    }

    // Where it comes from, who made it, and how A and B began: the numbers are in the weights.
    private static readonly HashSet<string> ChangeNothing = new(
    [
        "auto_mapping", "inference_mode", "peft_version", "revision", "megatron_core", "qalora_group_size", "loftq_config", "corda_config", "eva_config",
    ], StringComparer.Ordinal);

    private static JsonObject Pattern(IEnumerable<KeyValuePair<string, double>> pattern) => new(pattern.Select(p => KeyValuePair.Create(p.Key, (JsonNode?)Number(p.Value))));

    private static JsonArray? List(IReadOnlyList<string> texts) => texts.Count == 0 ? null : new JsonArray([.. texts.Select(t => (JsonNode)t)]);

    private static JsonValue Number(double value) => value == Math.Floor(value) && Math.Abs(value) < 1e15 ? JsonValue.Create((long)value) : JsonValue.Create(value);
}
