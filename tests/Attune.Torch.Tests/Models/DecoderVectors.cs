using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Torch.Models;
using Attune.Torch.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Tests.Models;

/// <summary>The decoder against the reference implementation, over every model of shared/vectors/models.</summary>
public sealed class DecoderVectors
{
    public DecoderVectors() => TorchRuntime.Initialise(2);

    [Fact]
    public void Logits_of_every_row() => EachSupported((model, decoder) =>
    {
        using var guard = no_grad();
        for (var r = 0; r < model.Rows.Count; r++)
        {
            using var stream = TokenStream.Of(RaggedBatch.Of([ModelCase.Ids(model.Rows[r], "input_ids")]));
            Compare.Absolute(model.Expected($"row{r}.logits"), decoder.Logits(decoder.Hidden(stream)), Tolerances.Logits, $"row{r}.logits");
        }
    });

    [Fact]
    public void A_config_of_an_older_transformers_means_the_same_model() => EachSupported((model, _) =>
    {
        if (model.FilesOfVersion4 is not { } older)
            return;
        using var guard = no_grad();
        using var decoder = DecoderFiles.Load(older);
        var last = model.Rows.Count - 1;
        using var stream = TokenStream.Of(RaggedBatch.Of([ModelCase.Ids(model.Rows[last], "input_ids")]));
        Compare.Absolute(model.Expected($"row{last}.logits"), decoder.Logits(decoder.Hidden(stream)), Tolerances.Logits, $"row{last}.logits");
    });

    [Fact]
    public void Rows_of_one_batch_do_not_see_each_other() => EachSupported((model, decoder) =>
    {
        using var guard = no_grad();
        var rows = model.Rows.Select(r => ModelCase.Ids(r, "input_ids")).ToArray();
        using var stream = TokenStream.Of(RaggedBatch.Of(rows));
        var logits = decoder.Logits(decoder.Hidden(stream));
        for (var r = 0; r < rows.Length; r++)
            Compare.Absolute(model.Expected($"row{r}.logits"), logits.narrow(0, stream.Batch.Starts[r], rows[r].Length), Tolerances.Logits, $"row{r} of the whole batch");
    });

    [Fact]
    public void Hidden_states_of_every_layer() => EachSupported((model, decoder) =>
    {
        using var guard = no_grad();
        var expected = model.Names.Where(n => n.Contains(".hidden", StringComparison.Ordinal)).ToArray();
        Assert.NotEmpty(expected);
        foreach (var group in expected.GroupBy(n => n[..n.IndexOf('.', StringComparison.Ordinal)]))
        {
            var row = int.Parse(group.Key.AsSpan("row".Length), System.Globalization.CultureInfo.InvariantCulture);
            using var stream = TokenStream.Of(RaggedBatch.Of([ModelCase.Ids(model.Rows[row], "input_ids")]));
            var states = new List<Tensor>();
            decoder.Hidden(stream, states);
            Assert.Equal(group.Count(), states.Count);
            for (var layer = 0; layer < states.Count; layer++)
                Compare.Absolute(model.Expected($"{group.Key}.hidden{layer}"), states[layer], Tolerances.Logits, $"{group.Key}.hidden{layer}");
        }
    });

    [Fact]
    public void Loss_and_the_gradient_of_every_parameter() => EachSupported((model, decoder) =>
    {
        var batch = model.TrainingBatch();
        using var stream = TokenStream.Of(batch);
        var labels = batch.Targets.Count(t => t != RaggedBatch.Ignore);
        var loss = -decoder.TokenLogProbs(decoder.Hidden(stream), stream.Targets_N).to(float64).sum() / labels;
        loss.backward();

        Compare.Absolute(tensor(model.Json.GetProperty("train").GetProperty("loss").GetDouble()), loss, Tolerances.Loss, "loss");
        var parameters = decoder.named_parameters().ToDictionary(p => p.name, p => p.parameter, StringComparer.Ordinal);
        var gradients = model.Names.Where(n => n.StartsWith("grad.", StringComparison.Ordinal)).ToArray();
        Assert.Equal(parameters.Count, gradients.Length);
        // Gradients have the names of transformers' modules, which calls every head lm_head whatever the files call it.
        parameters.TryAdd("lm_head.weight", (TorchSharp.Modules.Parameter)decoder.HeadWeight);
        foreach (var name in gradients)
            Compare.Relative(model.Expected(name), parameters[name["grad.".Length..]].grad!, Tolerances.Gradient, name);
    });

    [Fact]
    public void Greedy_tokens() => EachSupported((model, decoder) =>
    {
        using var guard = no_grad();
        foreach (var row in model.Rows)
        {
            var (ids, expected) = (ModelCase.Ids(row, "input_ids").ToList(), ModelCase.Ids(row, "greedy"));
            var margins = row.GetProperty("greedy_margins").EnumerateArray().Select(e => e.GetDouble()).ToArray();
            // One pass over the whole continuation, unless its length changes what came before (longrope).
            var atOnce = decoder.Config.RopeScaling is not { Kind: "longrope" };
            for (var step = 0; step < expected.Length; step += atOnce ? expected.Length : 1)
            {
                using var scope = NewDisposeScope();
                var steps = atOnce ? expected.Length : 1;
                using var stream = TokenStream.Of(RaggedBatch.Of([[.. ids, .. expected[step..(step + steps - 1)]]]));
                var best = decoder.Logits(decoder.Hidden(stream).narrow(0, ids.Count - 1, steps)).argmax(-1).data<long>().ToArray();
                for (var i = 0; i < steps; i++)
                {
                    if (margins[step + i] > Tolerances.GreedyMargin)
                        Assert.Equal(expected[step + i], (int)best[i]);
                    ids.Add(expected[step + i]);
                }
            }
        }
    });

    [Fact]
    public void Kinds_that_are_not_built_yet_are_refused_by_type()
    {
        foreach (var folder in ModelCase.Folders().Refused)
        {
            using var model = new ModelCase(folder);
            var e = Assert.Throws<UnsupportedCheckpointException>(() => DecoderFiles.Load(model.Files));
            Assert.Equal("architectures", e.Field);
        }
    }

    private static void EachSupported(Action<ModelCase, Decoder> check) => ModelCase.EachSupported(model =>
    {
        using var decoder = DecoderFiles.Load(model.Files);
        check(model, decoder);
    });
}
