using System.Text.Json.Nodes;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Stages;

/// <summary>
/// What a person watches while a reward model learns: how often it orders a pair as the data does, and whether the
/// probability that it claims, σ(r_a − r_b), is how often it is right (calibration; Guo et al., arXiv 1706.04599).
/// Of a ranking every pair counts.
/// </summary>
public sealed class RewardMeters
{
    private const int Bins = 10;
    private readonly double[] _claimed = new double[Bins], _right = new double[Bins];
    private readonly long[] _pairs = new long[Bins];
    private double _sum, _min = double.PositiveInfinity, _max = double.NegativeInfinity, _margin, _surprise;
    private long _rows;

    private long Pairs => _pairs.Sum();

    /// <summary>Adds the scores of a micro-batch.</summary>
    public void Add(Tensor scores_S, IReadOnlyList<int> starts)
    {
        using var scope = NewDisposeScope();
        AddScores(scores_S.detach().cpu().data<float>().ToArray(), starts);
    }

    /// <summary>Adds scores, each ranking's best first.</summary>
    public void AddScores(ReadOnlySpan<float> scores, IReadOnlyList<int> starts)
    {
        foreach (var score in scores)
        {
            _sum += score;
            (_min, _max, _rows) = (Math.Min(_min, score), Math.Max(_max, score), _rows + 1);
        }
        for (var r = 0; r + 1 < starts.Count; r++)
        {
            for (var better = starts[r]; better < starts[r + 1]; better++)
            {
                for (var worse = better + 1; worse < starts[r + 1]; worse++)
                    Add((double)scores[better] - scores[worse]);
            }
        }
    }

    /// <summary>Accuracy and mean margin of pairs, mean and extremes of scores.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> Figures => Pairs == 0 ? [] :
    [
        new("accuracy", _right.Sum() / Pairs),
        new("margin", _margin / Pairs),
        new("mean_reward", _sum / _rows),
        new("lowest_reward", _min),
        new("highest_reward", _max),
    ];

    /// <summary>The calibration error: the mean distance of claimed and real, weighted by pairs.</summary>
    public double CalibrationError => Pairs == 0 ? double.NaN : Enumerable.Range(0, Bins).Sum(b => Math.Abs(_claimed[b] - _right[b])) / Pairs;

    /// <summary>Accuracy, log loss and the calibration curve, for the report of a version.</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject(Figures.Select(f => KeyValuePair.Create(f.Key, (JsonNode?)f.Value)));
        if (Pairs == 0)
            return json;
        json["pairs"] = Pairs;
        json["log_loss"] = _surprise / Pairs;
        json["calibration_error"] = CalibrationError;
        json["calibration"] = new JsonArray([.. Enumerable.Range(0, Bins).Where(b => _pairs[b] > 0).Select(b => (JsonNode)new JsonObject
        {
            ["claimed"] = _claimed[b] / _pairs[b],
            ["right"] = _right[b] / _pairs[b],
            ["pairs"] = _pairs[b],
        })]);
        return json;
    }

    // The model claims its own favourite, with a probability of a half or more.
    private void Add(double margin)
    {
        var claimed = 1 / (1 + Math.Exp(-Math.Abs(margin)));
        var bin = Math.Min(Bins - 1, (int)((claimed - 0.5) * 2 * Bins));
        _claimed[bin] += claimed;
        _right[bin] += margin > 0 ? 1 : margin == 0 ? 0.5 : 0;
        _pairs[bin]++;
        _margin += margin;
        _surprise += Math.Max(0, -margin) + Math.Log(1 + Math.Exp(-Math.Abs(margin)));
    }
}
