using Attune.Core.Checkpoints;
using Attune.Core.Checkpoints.Adapters;
using Attune.Core.Data;
using Attune.Core.Randomness;
using Attune.Core.Versions;
using Attune.Torch.Losses;
using Attune.Torch.Models;
using Attune.Torch.Native;
using Attune.Torch.Stages;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Tests.Models;

/// <summary>Frozen weights in fewer bits: what is lost in them is bounded, and the model over them is exactly the model of what they hold.</summary>
public sealed class HeldWeightsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("attune-held-").FullName;

    public HeldWeightsTests() => TorchRuntime.Initialise(2);

    [Theory]
    [InlineData(BaseWeights.Bf16, 130)]
    [InlineData(BaseWeights.Int8, 130)]
    [InlineData(BaseWeights.Int8, 128)]
    [InlineData(BaseWeights.Int4, 130)]
    [InlineData(BaseWeights.Int4, 64)]
    public void Widened_values_are_as_near_as_their_bits_allow(BaseWeights format, int columns)
    {
        using var scope = NewDisposeScope();
        var values = Matrix(7, columns);
        using var held = HeldMatrix.Read((first, into) => values.AsSpan((int)first, into.Length).CopyTo(into.Span), format, 7, columns, CPU);
        var (widened, block) = (held.Floats().data<float>().ToArray(), format == BaseWeights.Int4 ? HeldMatrix.Int4Block : HeldMatrix.Int8Block);
        for (var i = 0; i < values.Length; i++)
        {
            var (row, column) = (i / columns, i % columns);
            var start = row * columns + column / block * block;
            var most = values.AsSpan(start, Math.Min(block, (row + 1) * columns - start)).ToArray().Max(Math.Abs);
            var bound = format switch
            {
                BaseWeights.Bf16 => Math.Abs(values[i]) / 256,
                BaseWeights.Int8 => most / 127 / 2,
                _ => most * (1 - 0.6961928009986877) / 2,
            };
            Assert.InRange(Math.Abs(values[i] - widened[i]), 0, bound * 1.0001 + 1e-12);
        }
        Assert.Equal(0, widened[3]); // a zero stays a zero, in a block of zeros too
        Assert.True(held.Rows(tensor(new long[] { 5, 0 })).equal(held.Floats().index_select(0, tensor(new long[] { 5, 0 }))).all().item<bool>());
        Assert.True(held.Floats(2, 3).equal(held.Floats().narrow(0, 2, 3)).all().item<bool>());
    }

    [Theory]
    [InlineData(BaseWeights.Bf16, false, false)]
    [InlineData(BaseWeights.Int8, false, true)]
    [InlineData(BaseWeights.Int4, true, false)]
    [InlineData(BaseWeights.Int8, true, true)]
    public void Loss_and_the_adapters_gradients_are_those_of_the_plain_model_with_the_same_values(BaseWeights format, bool dora, bool recompute)
    {
        using var scope = NewDisposeScope();
        var files = Parent();
        using var held = Adapted(files, dora, hold: module => module.Contains(".layers.", StringComparison.Ordinal) ? format : BaseWeights.Bf16);
        held.Body.Recompute = recompute;
        using var plain = Adapted(files, dora, null);
        using (no_grad())
        {
            var adapters = plain.Trained().ToDictionary(p => p.Name, p => p.Value, StringComparer.Ordinal);
            foreach (var (module, layer) in Lora.Modules(held).Where(m => m.Layer.Held is not null))
                Lora.Modules(plain).Single(m => m.Module == module).Layer.Weight.copy_(layer.Floats());
            foreach (var (name, value) in held.Trained())
                adapters[name].copy_(value);
        }

        var (a, b) = (Loss(held), Loss(plain));
        Compare.Absolute(b, a, Tolerances.Loss, "loss");
        a.backward();
        b.backward();
        var expected = plain.Trained().ToDictionary(p => p.Name, p => p.Value, StringComparer.Ordinal);
        Assert.All(held.Trained(), p => Compare.Relative(expected[p.Name].grad!, p.Value.grad!, Tolerances.Kernel, p.Name));
        Assert.All(held.parameters(), p => Assert.Null(p.grad));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Recomputed_gradients_are_the_same_bits(bool kernels)
    {
        using var scope = NewDisposeScope();
        var files = Parent();
        using var kept = DecoderFiles.Load(files);
        using var again = DecoderFiles.Load(files);
        (kept.Kernels, again.Kernels, again.Body.Recompute) = (kernels, kernels, true);
        var (a, b) = (Loss(kept), Loss(again));
        Assert.Equal(a.item<float>(), b.item<float>());
        a.backward();
        b.backward();
        foreach (var (name, value) in kept.Weights())
            Assert.True(value.grad!.equal(again.Weights().Single(w => w.Name == name).Value.grad!).all().item<bool>(), name);
    }

    // peft#2321: merged into quantised weights, an adapter gave another model than it was trained to.
    [Fact]
    public void A_merge_over_few_bits_is_made_from_the_stored_values()
    {
        var files = Parent();
        var (plain, held) = (Path.Combine(_folder, "plain"), Path.Combine(_folder, "int8"));
        using (var decoder = Adapted(files, dora: true, null))
            decoder.SaveFolder(plain);
        using (var decoder = Adapted(files, dora: true, _ => BaseWeights.Int8))
        {
            // The whole modules and magnitudes of a run start from what is held; those of the plain one are what is compared here.
            using var other = Adapted(files, dora: true, null);
            using (no_grad())
            {
                foreach (var ((_, value), (_, full)) in decoder.Trained().Zip(other.Trained()))
                    value.copy_(full);
            }
            decoder.SaveFolder(held);
        }
        Assert.Equal(File.ReadAllBytes(Path.Combine(plain, ModelFiles.Weights)), File.ReadAllBytes(Path.Combine(held, ModelFiles.Weights)));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private ModelFiles Parent()
    {
        var folder = Path.Combine(_folder, "parent");
        if (!Directory.Exists(folder))
        {
            using var decoder = new Decoder(DecoderTests.Small(tied: false));
            decoder.Initialise(3);
            decoder.SaveFolder(folder);
        }
        return ModelFiles.OfFolder(folder);
    }

    private static Decoder Adapted(ModelFiles files, bool dora, Func<string, BaseWeights>? hold)
    {
        var decoder = DecoderFiles.Load(files, hold: hold);
        var random = RandomStream.Of(5, "test", "adapters");
        var lora = Lora.Attach(decoder, new AdapterConfig
        {
            Rank = 3,
            Alpha = 5,
            Dora = dora,
            Targets = new() { Modules = new(dora ? ["all-linear", "lm_head"] : ["q_proj", "o_proj", "down_proj", "embed_tokens"]), Saved = dora ? ["embed_tokens"] : [] },
        }, random);
        lora.Train(random);
        return decoder;
    }

    private static Tensor Loss(Decoder decoder)
    {
        int[][] rows = [[.. Enumerable.Range(0, 17).Select(i => i * 31 % 97)], [4, 8, 15, 16, 23, 42]];
        return SftLossOf(decoder, RaggedBatch.Of(rows, [[.. rows[0].Select(id => id % 3 != 0)], [.. rows[1].Select(_ => true)]]));
    }

    private static Tensor SftLossOf(Decoder decoder, RaggedBatch batch) => SftLoss.Of(decoder.LogProbs(batch, even: true), SftStep.Labels(batch));

    private static float[] Matrix(int rows, int columns)
    {
        var random = RandomStream.Of(1, "test", "matrix");
        var values = new float[rows * columns];
        for (var i = 0; i < values.Length; i++)
            values[i] = (float)random.NextGaussian() * (1 + i / columns);
        values[3] = 0;
        values.AsSpan(columns, Math.Min(columns, 128)).Clear();
        return values;
    }
}
