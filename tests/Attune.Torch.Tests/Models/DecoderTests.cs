using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Core.Versions;
using Attune.Torch.Models;
using Attune.Torch.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Tests.Models;

public sealed class DecoderTests
{
    public DecoderTests() => TorchRuntime.Initialise(2);

    internal static DecoderConfig Small(bool tied = true) => new()
    {
        VocabularySize = 97,
        HiddenSize = 32,
        IntermediateSize = 72,
        Layers = 2,
        Heads = 4,
        KeyValueHeads = 2,
        HeadSize = 8,
        ContextLength = 64,
        TiedEmbeddings = tied,
        InitializerRange = 0.2,
    };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Every_key_of_the_state_is_a_Hugging_Face_name_with_its_shape(bool tied)
    {
        using var decoder = new Decoder(Small(tied));
        var expected = TensorNames.All(decoder.Config).ToDictionary(t => t.Name, t => t.Shape, StringComparer.Ordinal);
        var state = decoder.state_dict();

        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), state.Keys.Order(StringComparer.Ordinal));
        Assert.All(expected, e => Assert.Equal(e.Value, state[e.Key].shape));
        Assert.Equal(decoder.Config.Parameters, decoder.parameters().Sum(p => p.numel()));
        Assert.All(decoder.parameters(), p => Assert.True(p.requires_grad));
    }

    [Fact]
    public void Every_module_of_the_room_registers_what_its_fields_hold()
    {
        using var decoder = new Decoder(Small(tied: false));
        using var reward = new RewardModel(decoder.Config.WithScore());
        using var other = new Decoder(Small() with { Architecture = "GPT2LMHeadModel", Norm = NormKind.Layer, LearnedPositions = true });
        nn.Module[] modules = [.. decoder.named_modules().Select(m => m.module), decoder, reward, .. other.named_modules().Select(m => m.module)];
        var kinds = typeof(Decoder).Assembly.GetTypes().Where(t => !t.IsAbstract && t.IsAssignableTo(typeof(nn.Module)));
        foreach (var kind in kinds)
        {
            var module = modules.FirstOrDefault(m => m.GetType() == kind);
            Assert.True(module is not null, $"{kind.Name} is not in a decoder: add it to this test");
            foreach (var field in kind.GetFields(System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Public))
            {
                var name = ((ComponentNameAttribute?)Attribute.GetCustomAttribute(field, typeof(ComponentNameAttribute)))?.Name;
                var value = field.GetValue(module);
                if (value is TorchSharp.Modules.Parameter)
                    Assert.Contains(module.named_parameters(recurse: false), p => p.name == name);
                else if (value is nn.Module child)
                    Assert.Contains(module.named_children(), c => (name is null || c.name == name) && ReferenceEquals(c.module, child));
                else if (value is not null) // a part that this model does not have is null and stands nowhere
                    Assert.Null(name);
            }
        }
    }

    [Fact]
    public void A_seed_gives_the_same_weights_and_another_seed_others()
    {
        using var a = new Decoder(Small());
        using var b = new Decoder(Small());
        a.Initialise(7);
        b.Initialise(7);
        Assert.True(a.HeadWeight.equal(b.HeadWeight).all().item<bool>());
        b.Initialise(8);
        Assert.False(a.HeadWeight.equal(b.HeadWeight).all().item<bool>());
        Assert.InRange(a.HeadWeight.std().item<float>(), 0.18, 0.22);
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Saved_and_loaded_weights_are_the_same_bits(ScalarType dtype)
    {
        var folder = Directory.CreateTempSubdirectory("attune-decoder").FullName;
        try
        {
            using var decoder = new Decoder(Small(tied: false));
            decoder.Initialise(1);
            decoder.to(dtype);
            decoder.SaveFolder(folder);
            using var again = DecoderFiles.Load(ModelFiles.OfFolder(folder), dtype: dtype);

            var state = decoder.state_dict();
            Assert.All(again.state_dict(), p => Assert.True(p.Value.equal(state[p.Key]).all().item<bool>(), p.Key));
            Assert.Equal(decoder.Config with { EosTokenIds = [], Dtype = again.Config.Dtype }, again.Config with { EosTokenIds = [] });
            Assert.Equal(DecoderFiles.DtypeName(dtype), again.Config.Dtype);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void A_batch_without_labels_has_a_loss_of_zero_and_a_gradient_of_zero()
    {
        using var scope = NewDisposeScope();
        using var decoder = new Decoder(Small());
        decoder.Initialise(1);
        using var stream = TokenStream.Of(RaggedBatch.Of([[1, 2, 3]], [[false, false, false]]));
        var logProbs = decoder.TokenLogProbs(decoder.Hidden(stream), stream.Targets_N);
        logProbs.sum().backward();

        Assert.Equal(0, logProbs.sum().item<float>());
        Assert.Equal(0, decoder.HeadWeight.grad!.abs().sum().item<float>());
    }

    [Fact]
    public void Broken_batches_are_refused()
    {
        Assert.Throws<TorchException>(() => TokenStream.Of(RaggedBatch.Of([])));
        Assert.Throws<TorchException>(() => TokenStream.Of(RaggedBatch.Of([[1], []])));
    }
}
