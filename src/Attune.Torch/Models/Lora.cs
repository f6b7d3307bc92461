using Attune.Core.Checkpoints;
using Attune.Core.Checkpoints.Adapters;
using Attune.Core.Randomness;
using Attune.Torch.Optimisers;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>
/// The adapters of a decoder: low-rank changes (<see cref="LoraAdapter"/>) and modules that are trained whole, by PEFT's
/// names and rules. Everything else of the decoder is frozen. The decoder owns it.
/// </summary>
public sealed class Lora
{
    private readonly IReadOnlyList<(string Module, MatrixLayer Layer, MatrixAdapter Adapter)> _adapters;

    private Lora(AdapterConfig config, IReadOnlyList<(string, MatrixLayer, MatrixAdapter)> adapters) => (Config, _adapters) = (config, adapters);

    /// <summary>What is adapted, and by how much.</summary>
    public AdapterConfig Config { get; }

    /// <summary>What is trained, under PEFT's names: A and B, DoRA's magnitudes, whole modules.</summary>
    public IEnumerable<(string Name, Tensor Value)> Parameters => _adapters.SelectMany(a => a.Adapter.Parameters);

    /// <summary>Whether the adapters take part.</summary>
    public bool On
    {
        get => _adapters[0].Adapter.On;
        set
        {
            foreach (var (_, _, adapter) in _adapters)
                adapter.On = value;
        }
    }

    /// <summary>The model without its adapters until the result is disposed: the reference of DPO and PPO, for no memory.</summary>
    public IDisposable Off()
    {
        On = false;
        return new Back(this);
    }

    /// <summary>
    /// Puts new adapters on a decoder and freezes everything else. A starts uniform in ±1/√I (an embedding's B normal), the
    /// other factor at zero, magnitudes at the rows' norms: the model starts as it was.
    /// </summary>
    /// <param name="decoder">A language or reward model; has none yet.</param>
    /// <param name="config">What is adapted.</param>
    /// <param name="random">Where A is drawn from.</param>
    /// <exception cref="TrainingException">ATT5101: a name fits no module.</exception>
    public static Lora Attach<T>(T decoder, AdapterConfig config, RandomStream random)
        where T : nn.Module, ITunable
    {
        RequireKnown(decoder, config.Targets);
        return Put(decoder, config with { Targets = Named(decoder, config.Targets) }, (a, embedding, layer) =>
        {
            if (embedding)
                return;
            foreach (ref var value in a.Floats())
                value = (float)((2 * random.NextDouble() - 1) / Math.Sqrt(layer.Inputs));
        }, b =>
        {
            foreach (ref var value in b.Floats())
                value = (float)random.NextGaussian();
        });
    }

    /// <summary>Puts the adapters of a PEFT folder on a decoder.</summary>
    /// <exception cref="CheckpointException">A broken or unsupported adapter, or one of another model (ATT2013, ATT2016).</exception>
    public static Lora Load<T>(T decoder, string folder)
        where T : nn.Module, ITunable
    {
        using var files = AdapterFiles.Open(folder);
        return Load(decoder, files);
    }

    /// <summary>Puts adapters that are open on a decoder.</summary>
    /// <inheritdoc cref="Load{T}(T, string)"/>
    public static Lora Load<T>(T decoder, AdapterFiles files)
        where T : nn.Module, ITunable
    {
        if (decoder.Config.TiedEmbeddings && !files.Config.TiedToo && Modules(decoder).Any(m => m.Layer is TokenEmbedding && IsAdapted(files.Config, m)))
            throw new UnsupportedCheckpointException("Not supported: an adapter on an embedding that is tied to the head, which leaves the head as it was.")
            {
                File = files.Weights.Path,
                Field = "ensure_weight_tying",
                Hint = "Untie the model, or train the adapter with ensure_weight_tying.",
            };
        var lora = Put(decoder, files.Config, null, null);
        try
        {
            files.Check(lora.Parameters.ToDictionary(p => p.Name, p => p.Value.shape, StringComparer.Ordinal));
            using var guard = no_grad();
            foreach (var (name, value) in lora.Parameters)
                files.Weights.ReadFloats(name, value.Floats());
        }
        catch
        {
            foreach (var (_, layer, adapter) in lora._adapters)
            {
                layer.Adapter = null;
                adapter.Dispose();
            }
            decoder.Lora = null;
            throw;
        }
        return lora;
    }

    /// <summary>Writes the adapters as PEFT does: adapter_config.json and adapter_model.safetensors.</summary>
    /// <param name="folder">Made where it is missing.</param>
    /// <param name="baseModel">What PEFT shall load beneath it, or null to leave what <see cref="Config"/> says.</param>
    /// <param name="prefix">Before the files' names.</param>
    public void Save(string folder, string? baseModel = null, string prefix = "") => AdapterFiles.Write(folder, baseModel is null ? Config : Config with { BaseModel = baseModel },
        Parameters.Select(p => new TensorSource(p.Name, TensorType.F32, p.Value.shape, stream =>
        {
            using var scope = NewDisposeScope();
            stream.Write(p.Value.detach().cpu().contiguous().bytes);
        })), prefix);

    /// <summary>The low-rank adapters, in the model's order.</summary>
    internal IEnumerable<LoraAdapter> LowRanks => _adapters.Select(a => a.Adapter).OfType<LoraAdapter>();

    /// <summary>The adapter on a tensor of the model, or null: <c>model.layers.0.self_attn.q_proj.weight</c>.</summary>
    internal MatrixAdapter? Find(string weight) => _adapters.FirstOrDefault(a => weight.Length == a.Module.Length + ".weight".Length && weight.StartsWith(a.Module, StringComparison.Ordinal)).Adapter;

    /// <summary>
    /// Writes the adapters into the weights, in float32, so that the model runs without them; <see cref="Unmerge"/> undoes it.
    /// The stored weights are kept aside, for no arithmetic would give their bits back.
    /// </summary>
    public void Merge()
    {
        using var guard = no_grad();
        foreach (var (_, layer, adapter) in _adapters)
            layer.Swap(adapter);
    }

    /// <summary>Puts the stored weights back, bit for bit.</summary>
    public void Unmerge()
    {
        foreach (var (_, layer, _) in _adapters)
            layer.SwapBack();
    }

    /// <summary>Every matrix of a decoder that an adapter can be on, by its name.</summary>
    internal static IEnumerable<(string Module, MatrixLayer Layer)> Modules(nn.Module decoder) =>
        decoder.named_modules().Where(m => m.module is MatrixLayer).Select(m => (m.name, (MatrixLayer)m.module)).DistinctBy(m => m.name);

    private static bool IsAdapted(AdapterConfig config, (string Module, MatrixLayer Layer) m) =>
        config.Targets.IsSaved(m.Module) || config.Targets.IsTarget(m.Module, IsHidden(m));

    // What all-linear means: every linear layer, the head left out.
    private static bool IsHidden((string Module, MatrixLayer Layer) m) => m.Layer is Projection && m.Module.Contains('.', StringComparison.Ordinal);

    private static Lora Put<T>(T decoder, AdapterConfig config, Action<Tensor, bool, MatrixLayer>? fillA, Action<Tensor>? fillEmbeddingB)
        where T : nn.Module, ITunable
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var adapters = new List<(string, MatrixLayer, MatrixAdapter)>();
        foreach (var parameter in decoder.parameters())
            parameter.requires_grad_(false);
        foreach (var (module, layer) in Modules(decoder))
        {
            if (config.Targets.IsSaved(module))
                adapters.Add((module, layer, new WholeAdapter(AdapterFiles.Whole(module), layer)));
            else if (config.Targets.IsTarget(module, IsHidden((module, layer))))
                adapters.Add((module, layer, LowRank(module, layer, config, fillA, fillEmbeddingB)));
        }
        if (adapters.Count == 0)
            throw TrainingException.Unsupported("LoRA target", config.Targets.Modules.ToJson()?.ToJsonString() ?? "null", Endings(decoder));
        foreach (var (_, layer, adapter) in adapters)
            layer.Adapter = adapter;
        return decoder.Lora = new Lora(config with { FanInFanOut = adapters.Exists(a => a.Item2.Transposed) }, adapters);
    }

    private static LoraAdapter LowRank(string module, MatrixLayer layer, AdapterConfig config, Action<Tensor, bool, MatrixLayer>? fillA, Action<Tensor>? fillEmbeddingB)
    {
        var embedding = layer is TokenEmbedding;
        if (embedding && config.Dora)
            throw new UnsupportedCheckpointException("Not supported: DoRA on an embedding.") { Field = "use_dora", Hint = $"Leave {module} out of target_modules." };
        var (rank, place) = (config.RankOf(module), layer.Place);
        var (a, b) = embedding ? (zeros(rank, layer.Rows), zeros(layer.Columns, rank)) : (zeros(rank, layer.Inputs), zeros(layer.Outputs, rank));
        fillA?.Invoke(a, embedding, layer);
        if (embedding)
            fillEmbeddingB?.Invoke(b);
        var magnitude = config.Dora ? LoraAdapter.Norms(layer.Floats(), layer.Transposed).reshape(-1) : null;
        return new LoraAdapter((AdapterFiles.A(module, embedding), Own(a, place)), (AdapterFiles.B(module, embedding), Own(b, place)),
            magnitude is null ? null : (AdapterFiles.Magnitude(module), Own(magnitude, place)), config.ScaleOf(module), embedding, layer.Transposed);
    }

    // Every name of a list must mean something: a misspelt one would silently train less.
    private static void RequireKnown(nn.Module decoder, AdapterTargets targets)
    {
        var modules = Modules(decoder).Select(m => m.Module).ToArray();
        foreach (var name in targets.Modules.Names.Concat(targets.Saved).Where(n => n != AdapterTargets.AllLinear))
        {
            if (!Array.Exists(modules, new ModuleNames([name]).Fits))
                throw TrainingException.Unsupported("LoRA target", name, Endings(decoder));
        }
    }

    // PEFT knows all-linear as the one word: in a list, and in the adapter's files, stands what the word means in this model.
    private static AdapterTargets Named(nn.Module decoder, AdapterTargets targets) => !targets.Modules.Names.Contains(AdapterTargets.AllLinear) ? targets : targets with
    {
        Modules = new([.. targets.Modules.Names.Where(n => n != AdapterTargets.AllLinear).Union(Modules(decoder).Where(IsHidden).Select(m => Ending(m.Module)), StringComparer.Ordinal)]),
    };

    private static IEnumerable<string> Endings(nn.Module decoder) => Modules(decoder).Select(m => Ending(m.Module)).Distinct(StringComparer.Ordinal).Append(AdapterTargets.AllLinear);

    private static string Ending(string module) => module[(module.LastIndexOf('.') + 1)..];

    private static Tensor Own(Tensor tensor, Device place) => tensor.to(place).requires_grad_().DetachFromDisposeScope();

    private sealed class Back(Lora lora) : IDisposable
    {
        public void Dispose() => lora.On = true;
    }
}
