using Attune.Core.Checkpoints;
using Attune.Torch.Stages;
using Xunit;

namespace Attune.Torch.Tests.Stages;

/// <summary>
/// What the reference gives is computed once and then used (trl#1962: computed, and not used): scores that were changed on the
/// disk change the loss of an equal run, and no other's.
/// </summary>
public sealed class ReferenceScoresTests : IDisposable
{
    private const string Run = "scored", Scores = "scores";

    private readonly TinyRuns _runs = new();

    // At the start policy and reference are one: ln 2 of a pair, a half of a label.
    [Theory]
    [InlineData("dpo", 0.693147)]
    [InlineData("dpo-lora", 0.693147)]
    [InlineData("kto", 0.5)]
    public void KeptScoresAreUsedByAnEqualRunAndByNoOther(string stage, double start)
    {
        var parent = _runs.Base();
        Assert.Equal(start, FirstLoss(stage, parent), 1e-4);
        Change();
        Assert.NotEqual(start, FirstLoss(stage, parent), 1e-2);

        Assert.Equal(start, FirstLoss(stage, parent, contract: "alpaca"), 1e-4);
        Assert.Equal(start, FirstLoss(stage, Sft.Run(TinyRuns.Tuning(_runs.Talks), _runs.Context("moved", parent))), 1e-4);
        foreach (var path in new[] { _runs.Pairs, _runs.Labels })
            File.WriteAllText(path, File.ReadAllText(path).Replace("Oslo", "Rome", StringComparison.Ordinal));
        Assert.Equal(start, FirstLoss(stage, parent), 1e-4);
    }

    public void Dispose() => _runs.Dispose();

    // The same folder each time: only the names of the scores keep one run's from another.
    private double FirstLoss(string stage, StageResult parent, string? contract = null)
    {
        var loss = double.NaN;
        var context = _runs.Context(Run, parent, p => loss = p.Loss) with { Restart = true };
        _ = stage switch
        {
            "kto" => Kto.Run(TinyRuns.Labelling(_runs.Labels) with { Steps = 1, Contract = contract }, context),
            _ => Dpo.Run(TinyRuns.Preferring(_runs.Pairs) with { Steps = 1, Contract = contract, Lora = new() { Rank = stage == "dpo-lora" ? 2 : 0 } }, context),
        };
        return loss;
    }

    // The first of two is a chosen answer, or a desirable one.
    private void Change()
    {
        var paths = Directory.GetFiles(_runs.Context(Run).RunFolder, "reference-*.safetensors");
        Assert.NotEmpty(paths);
        foreach (var path in paths)
        {
            float[] scores;
            using (var file = SafetensorsFile.Open(path))
                file.ReadFloats(Scores, scores = new float[file[Scores].Shape[0]]);
            for (var i = 0; i < scores.Length; i += 2)
                scores[i] += 20;
            SafetensorsWriter.Write(path, [TensorSource.Of(Scores, [scores.Length], scores)]);
        }
    }
}
