using Attune.Core.Checkpoints;
using Attune.Core.Checkpoints.Adapters;
using Attune.Core.Randomness;
using Attune.Core.Versions;
using Attune.Torch.Losses;
using Attune.Torch.Models;
using Attune.Torch.Native;
using Attune.Torch.Stages;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Tests.Models;

/// <summary>
/// Adapters on every family of shared/vectors/models (transposed, fused and biased matrices among them), against the
/// definition: a float64 model whose matrices are W + s·B·A, with DoRA m · (W + s·B·A) / ‖W + s·B·A‖.
/// </summary>
public sealed class AdapterFamilyVectors : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("attune-families-").FullName;

    public AdapterFamilyVectors() => TorchRuntime.Initialise(2);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(BaseWeights.F32, false)]
    [InlineData(BaseWeights.F32, true)]
    [InlineData(BaseWeights.Bf16, true)]
    [InlineData(BaseWeights.Int8, false)]
    [InlineData(BaseWeights.Int8, true)]
    [InlineData(BaseWeights.Int4, false)]
    [InlineData(BaseWeights.Int4, true)]
    public void Logits_loss_and_gradients_are_those_of_the_definition(BaseWeights format, bool dora) => ModelCase.EachSupported(model =>
    {
        using var decoder = Adapted(model.Files, dora, format);
        using var definition = new Definition(model.Files, decoder);
        var batch = model.TrainingBatch();
        using var stream = TokenStream.Of(batch);
        using (no_grad())
            Compare.Absolute(definition.Model.Logits(definition.Model.Hidden(stream)), decoder.Logits(decoder.Hidden(stream)), Tolerances.Logits, "logits");

        var (expected, loss) = (SftLoss.Of(definition.Model.LogProbs(batch), SftStep.Labels(batch)), SftLoss.Of(decoder.LogProbs(batch), SftStep.Labels(batch)));
        Compare.Absolute(expected, loss, Tolerances.Loss, "loss");
        expected.backward();
        loss.backward();
        var gradients = definition.Gradients();
        Assert.All(decoder.Trained(), p => Compare.Relative(gradients[p.Name], p.Value.grad!, Tolerances.Gradient, p.Name));
        Assert.All(decoder.parameters(), p => Assert.Null(p.grad));
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Merged_they_give_the_logits_of_the_definition_and_unmerged_the_stored_bytes(bool dora) => ModelCase.EachSupported(model =>
    {
        using var guard = no_grad();
        using var decoder = Adapted(model.Files, dora, BaseWeights.F32);
        using var definition = new Definition(model.Files, decoder);
        using var stream = TokenStream.Of(model.TrainingBatch());
        var expected = definition.Model.Logits(definition.Model.Hidden(stream));
        var stored = decoder.Weights().ToDictionary(w => w.Name, w => w.Value.bytes.ToArray(), StringComparer.Ordinal);

        decoder.Lora!.Merge();
        Compare.Absolute(expected, decoder.Logits(decoder.Hidden(stream)), Tolerances.Logits, "merged");
        Assert.Equal(definition.Changed, decoder.Weights().Where(w => !w.Value.bytes.SequenceEqual(stored[w.Name])).Select(w => w.Name).ToHashSet(StringComparer.Ordinal));
        decoder.Lora.Unmerge();
        Assert.All(decoder.Weights(), w => Assert.True(w.Value.bytes.SequenceEqual(stored[w.Name]), w.Name));

        decoder.SaveFolder(_folder);
        using var written = DecoderFiles.Load(ModelFiles.OfFolder(_folder));
        Compare.Absolute(expected, written.Logits(written.Hidden(stream)), Tolerances.Logits, "written");
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Files_of_PEFT_bring_the_same_adapters_back(bool dora) => ModelCase.EachSupported(model =>
    {
        using var guard = no_grad();
        using var decoder = Adapted(model.Files, dora, BaseWeights.F32);
        decoder.Lora!.Save(_folder);
        using (var files = AdapterFiles.Open(_folder))
        {
            Assert.Equal(decoder.Config.Names.Transposed, files.Config.FanInFanOut);
            // PEFT knows all-linear as the one word, never in a list.
            Assert.DoesNotContain(AdapterTargets.AllLinear, files.Config.Targets.Modules.Names);
        }

        using var again = DecoderFiles.Load(model.Files);
        var read = Lora.Load(again, _folder);
        Assert.Equal(decoder.Trained().Select(p => p.Name), again.Trained().Select(p => p.Name));
        using var stream = TokenStream.Of(model.TrainingBatch());
        Assert.True(decoder.Logits(decoder.Hidden(stream)).equal(again.Logits(again.Hidden(stream))).all().item<bool>());
        var bytes = File.ReadAllBytes(Path.Combine(_folder, AdapterFiles.WeightsName));
        read.Save(_folder);
        Assert.Equal(bytes, File.ReadAllBytes(Path.Combine(_folder, AdapterFiles.WeightsName)));
    });

    /// <summary>Random adapters on every linear layer, and on the embedding, which DoRA cannot adapt.</summary>
    private static Decoder Adapted(ModelFiles files, bool dora, BaseWeights format)
    {
        var decoder = DecoderFiles.Load(files, hold: format == BaseWeights.F32 ? null : module => Tuning.FormatOf(module, format));
        var random = RandomStream.Of(6, "test", "families");
        Lora.Attach(decoder, new AdapterConfig
        {
            Rank = 3,
            Alpha = 5,
            Dora = dora,
            Targets = new() { Modules = new(dora ? [AdapterTargets.AllLinear] : [AdapterTargets.AllLinear, decoder.Config.Names.Embedding]) },
            TiedToo = decoder.Config.TiedEmbeddings,
        }, random).Train(random);
        Assert.All(Lora.Modules(decoder).Where(m => m.Layer != decoder.Head && (m.Layer is Projection || !dora && m.Module.EndsWith(decoder.Config.Names.Embedding, StringComparison.Ordinal))), m => Assert.True(m.Layer.Adapter is not null, m.Module));
        return decoder;
    }

    /// <summary>The same model in float64 without adapters: what a decoder holds, its adapters in it, through autograd.</summary>
    private sealed class Definition : IDisposable
    {
        private readonly List<(MatrixLayer Layer, Tensor Merged)> _merged = [];
        private readonly Dictionary<string, Tensor> _leaves;

        public Definition(ModelFiles files, Decoder adapted)
        {
            using var enabled = enable_grad();
            Model = DecoderFiles.Load(files, dtype: ScalarType.Float64);
            _leaves = adapted.Trained().ToDictionary(p => p.Name, p => p.Value.detach().to(float64).requires_grad_(), StringComparer.Ordinal);
            foreach (var ((module, from), (_, to)) in Lora.Modules(adapted).Zip(Lora.Modules(Model)))
            {
                var embedding = from is TokenEmbedding;
                var w = from.Floats().to(float64);
                var merged = w;
                if (_leaves.TryGetValue(AdapterFiles.A(module, embedding), out var a))
                {
                    var (b, inputsFirst) = (_leaves[AdapterFiles.B(module, embedding)], embedding || adapted.Config.Names.Transposed);
                    var change = 5.0 / 3 * b.matmul(a);
                    merged = w + (inputsFirst ? change.t() : change);
                    if (_leaves.TryGetValue(AdapterFiles.Magnitude(module), out var m))
                    {
                        var (inputs, outputs) = inputsFirst ? (0, 1) : (1, 0);
                        merged = m.unsqueeze(inputs) * merged / merged.detach().pow(2).sum([inputs], keepdim: true).sqrt();
                        Assert.Equal(from.Outputs, merged.shape[outputs]);
                    }
                    _merged.Add((to, merged));
                    Changed.Add($"{module}.weight");
                }
                using (no_grad())
                    to.Weight.copy_(merged);
            }
        }

        public Decoder Model { get; }

        /// <summary>The matrices that an adapter is on.</summary>
        public HashSet<string> Changed { get; } = new(StringComparer.Ordinal);

        /// <summary>The gradients of A, B and m, from those of the merged matrices.</summary>
        public Dictionary<string, Tensor> Gradients()
        {
            foreach (var (layer, merged) in _merged)
                merged.backward([layer.Weight.grad!]);
            return _leaves.ToDictionary(l => l.Key, l => l.Value.grad!, StringComparer.Ordinal);
        }

        public void Dispose() => Model.Dispose();
    }
}
