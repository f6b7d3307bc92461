using Attune.Core.Checkpoints;
using Attune.Core.Exchange;
using Attune.Core.Tests.Checkpoints;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Testing;
using Xunit;

namespace Attune.Core.Tests.Exchange;

/// <summary>Further special tokens: one id each, a row at the mean of all tokens, and nothing else of the model changed.</summary>
public sealed class GrownModelTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void Rows_are_added_at_the_mean_and_everything_else_keeps_its_bytes()
    {
        foreach (var folder in Models())
        {
            var (model, target) = (ModelFiles.OfFolder(folder), _scratch[Guid.NewGuid().ToString("N")]);
            var grown = GrownModel.Write(model, ["<|role|>", "<|over|>"], target);
            var (config, wider) = (HuggingFaceConfig.Read(model.Require(ModelFiles.Config)), HuggingFaceConfig.Read(grown.Require(ModelFiles.Config)));
            var (before, after) = (Tokenizer.Load(model.Require(ModelFiles.Tokenizer)), Tokenizer.Load(grown.Require(ModelFiles.Tokenizer)));
            var (first, second) = (after.AddedTokens["<|role|>"], after.AddedTokens["<|over|>"]);
            Assert.Equal([first, second], after.Encode("<|role|><|over|>"));
            Assert.Equal(before.Encode("the lazy dog"), after.Encode("the lazy dog"));
            Assert.Equal(Math.Max(config.VocabularySize, after.VocabularySize), wider.VocabularySize);
            Assert.Equal(config.Architecture, wider.Architecture);

            using var old = WeightFiles.Open(model);
            using var made = WeightFiles.Open(grown);
            TensorNames.Check(wider, made);
            foreach (var part in TensorNames.Parts(config))
            {
                var bytes = old.Bytes(part.Name);
                if (part.Part is not (DecoderPart.Embedding or DecoderPart.Head))
                {
                    Assert.True(bytes.SequenceEqual(made.Bytes(part.Name)), part.Name);
                    continue;
                }
                var row = bytes.Length / (int)part.Shape[0];
                var kept = before.VocabularySize * row;
                Assert.True(bytes[..kept].SequenceEqual(made.Bytes(part.Name)[..kept]), part.Name);
                var tokens = Enumerable.Range(0, before.VocabularySize).Where(before.HasId).Select(id => Row(old, part, id)).ToArray();
                foreach (var values in new[] { Row(made, part, first), Row(made, part, second) })
                {
                    for (var i = 0; i < values.Length; i++)
                    {
                        // To the last bit of bfloat16, where the weights are that.
                        var mean = tokens.Average(t => t[i]);
                        Assert.Equal(mean, values[i], Math.Abs(mean) / 256 + 1e-6);
                    }
                }
            }
        }
    }

    [Fact]
    public void Rows_to_spare_are_used_before_new_ones_and_known_tokens_change_nothing()
    {
        var folder = TinyModel.Write(_scratch, spareRows: 3);
        var model = ModelFiles.OfFolder(folder);
        var config = HuggingFaceConfig.Read(model.Require(ModelFiles.Config));
        var known = Tokenizer.Load(model.Require(ModelFiles.Tokenizer)).Added[0].Text;
        var grown = GrownModel.Write(model, [known, "<|a|>", "<|a|>", "<|b|>"], _scratch["grown"]);
        Assert.Equal(config.VocabularySize, HuggingFaceConfig.Read(grown.Require(ModelFiles.Config)).VocabularySize);
        Assert.Equal(config.VocabularySize - 1, Tokenizer.Load(grown.Require(ModelFiles.Tokenizer)).VocabularySize);

        var same = GrownModel.Write(model, [known], _scratch["same"]);
        Assert.Equal(Digests.Sha256Of(model.Require(ModelFiles.Weights)), Digests.Sha256Of(same.Require(ModelFiles.Weights)));
        Assert.Equal("ATT2502", Assert.Throws<TokenException>(() => GrownModel.Write(model, [""], _scratch["empty"])).Code);
    }

    // A small model of ours, and every one of the reference's that has a tokenizer.
    private IEnumerable<string> Models() => SharedData.FoldersWith(ModelFiles.Tokenizer, "vectors").Where(f => File.Exists(Path.Combine(f, ModelFiles.Config)) && File.Exists(Path.Combine(f, ModelFiles.Weights)))
        .Prepend(TinyModel.Write(_scratch));

    private static float[] Row(WeightFiles weights, DecoderTensor part, int id)
    {
        var values = new float[part.Shape[1]];
        weights.ReadFloats(part.Name, (long)id * values.Length, values);
        return values;
    }
}
