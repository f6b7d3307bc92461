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

/// <summary>Dropout on the adapters' input: PEFT's equations under a known mask, the same mask when a block is computed again, none in evaluation.</summary>
public sealed class AdapterDropoutTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("attune-dropout-").FullName;

    public AdapterDropoutTests() => TorchRuntime.Initialise(2);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void The_output_is_that_of_PEFT_under_the_same_mask(bool dora, bool transposed)
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        using var layer = new Projection(12, 7, transposed: transposed);
        var (a, b, m, x) = (randn(2, 12), randn(7, 2), rand(7) + 0.5, randn(50, 12));
        using (no_grad())
            layer.Weight.copy_(transposed ? randn(12, 7) : randn(7, 12));
        var w_OI = transposed ? layer.Weight.t() : layer.Weight;
        var adapter = new LoraAdapter(("a", a), ("b", b), dora ? ("m", m) : null, 0.5, embedding: false, transposed);
        layer.Adapter = adapter;
        var whole = layer.forward(x);

        var mask = new DropMask(0.3, 11);
        adapter.Drop = mask;
        var dropped = mask.Of(x);
        Assert.InRange(dropped.eq(0).to(float64).mean().item<double>(), 0.2, 0.4);
        Assert.True(dropped[dropped.ne(0)].allclose((x / 0.7)[dropped.ne(0)]));
        var change = dropped.matmul(a.t()).matmul(b.t()) * 0.5;
        var ratio = m / (w_OI + 0.5 * b.matmul(a)).norm(1);
        var expected = x.matmul(w_OI.t()) + (dora ? (ratio - 1) * dropped.matmul(w_OI.t()) + ratio * change : change);
        Compare.Absolute(expected, layer.forward(x), 1e-4, "dropped");
        Assert.False(whole.allclose(expected));
        adapter.Drop = null;
        Assert.True(whole.equal(layer.forward(x)).all().item<bool>());
    }

    [Fact]
    public void A_block_that_is_computed_again_drops_the_same_elements()
    {
        using var scope = NewDisposeScope();
        using (var made = new Decoder(DecoderTests.Small(tied: false)))
        {
            made.Initialise(1);
            made.SaveFolder(_folder);
        }
        var options = SftOptions.Tiny() with { Lora = new() { Rank = 2, Dropout = 0.2, Dora = true } };
        using var kept = Tuning.Load(ModelFiles.OfFolder(_folder), options, "sft");
        using var again = Tuning.Load(ModelFiles.OfFolder(_folder), options with { Recompute = true }, "sft");
        using (no_grad())
        {
            foreach (var (name, value) in kept.Trained().Where(p => p.Name.Contains("lora_B", StringComparison.Ordinal)))
            {
                value.normal_(0, 0.3);
                again.Trained().Single(p => p.Name == name).Value.copy_(value);
            }
        }
        var still = Loss(kept).item<float>();
        using (var first = AdapterDropout.Of(kept, options)!)
        using (var second = AdapterDropout.Of(again, options)!)
        {
            first.Draw(5, 1);
            second.Draw(5, 1);
            var (a, b) = (Loss(kept), Loss(again));
            Assert.Equal(a.item<float>(), b.item<float>());
            Assert.NotEqual(still, a.item<float>());
            a.backward();
            b.backward();
            foreach (var (name, value) in kept.Trained())
                Assert.True(value.grad!.equal(again.Trained().Single(w => w.Name == name).Value.grad!).all().item<bool>(), name);
            first.Draw(5, 2);
            Assert.NotEqual(a.item<float>(), Loss(kept).item<float>());
        }
        Assert.Equal(still, Loss(kept).item<float>());
    }

    private static Tensor Loss(Decoder decoder)
    {
        var random = RandomStream.Of(4, "test", "rows");
        var batch = RaggedBatch.Of([.. new[] { 9, 4, 17 }.Select(n => Enumerable.Range(0, n).Select(_ => random.Next(decoder.Config.VocabularySize)).ToArray())]);
        return SftLoss.Of(decoder.LogProbs(batch), SftStep.Labels(batch));
    }
}
