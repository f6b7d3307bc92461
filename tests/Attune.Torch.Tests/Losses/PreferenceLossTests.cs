using Attune.Torch.Losses;
using Attune.Torch.Optimisers;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Attune.Torch.Tests.Losses;

public sealed class PreferenceLossTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    [Fact]
    public void PlackettLuceOfTwoIsBradleyTerry()
    {
        var (chosen, rejected) = (tensor([1.5, -0.3, 2.0]), tensor([0.2, 0.4, 1.9]));
        var ranked = stack([chosen, rejected], 1).flatten();
        Assert.Equal(RewardLoss.OfPairs(chosen, rejected, null, 0.01).item<double>(), RewardLoss.OfRankings(ranked, [0, 2, 4, 6], 0.01).item<double>(), 12);
    }

    [Fact]
    public void PlackettLuceIsTheProductOfChoices()
    {
        double[] s = [0.7, -0.2, 1.1];
        var expected = -(s[0] - Math.Log(s.Sum(Math.Exp))) - (s[1] - Math.Log(Math.Exp(s[1]) + Math.Exp(s[2])));
        Assert.Equal(expected, PlackettLuce.Of(tensor(s), [0, 3]).item<double>(), 12);
    }

    [Fact]
    public void LikelihoodsOfAllRankingsSumToOne()
    {
        double[] s = [0.7, -0.2, 1.1];
        int[][] orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        Assert.Equal(1, orders.Sum(o => Math.Exp(-PlackettLuce.Of(tensor([.. o.Select(i => s[i])]), [0, 3]).item<double>())), 12);
    }

    [Fact]
    public void AMarginAsksForMore()
    {
        var (chosen, rejected) = (tensor([1.0]), tensor([0.0]));
        Assert.Equal(Math.Log(1 + Math.Exp(1)), RewardLoss.OfPairs(chosen, rejected, tensor([2.0])).item<double>(), 12);
        var pair = Pair(margin: 2);
        Assert.Equal(Math.Log(1 + Math.Exp(2 - 0.5 * 1.5)), DpoLoss.Of("offset", pair, 0.5).item<double>(), 12);
        Assert.Equal(DpoLoss.Of("sigmoid", pair, 0.5).item<double>(), DpoLoss.Of("offset", Pair(margin: 0), 0.5).item<double>(), 12);
    }

    [Fact]
    public void KtoTakesNoGradientThroughItsBaselineAndItIsNotNegative()
    {
        var mismatched = tensor([-1.0, 0.5]).requires_grad_();
        Assert.False(KtoLoss.Baseline(mismatched).requires_grad);
        Assert.Equal(0, KtoLoss.Baseline(mismatched).item<double>());
        var loss = KtoLoss.Of(tensor([0.0, 0.0]), tensor([1.0, -1.0]), tensor([1.0, 2.0]), tensor(0.0), 0.1).item<double>();
        Assert.Equal((0.5 + 1) / 2, loss, 12);
    }

    [Fact]
    public void OneAnswerHasNoGroup() => Assert.Equal("ATT5206", Assert.Throws<TrainingException>(() => GroupAdvantages.Of("group", [1])).Code);

    [Fact]
    public void EqualRewardsGiveNoAdvantage()
    {
        foreach (var way in GroupAdvantages.Names)
            Assert.All(GroupAdvantages.Of(way, [0.3, 0.3, 0.3]), a => Assert.Equal(0, a, 9));
    }

    [Fact]
    public void LeaveOneOutIsTheRewardLessTheMeanOfTheOthers()
    {
        var advantages = GroupAdvantages.Of("rloo", [1, 4, 7]);
        Assert.Equal(1 - 5.5, advantages[0], 12);
        Assert.Equal(4 - 4.0, advantages[1], 12);
    }

    public void Dispose() => _scope.Dispose();

    private static PairLogProbs Pair(double margin) => new()
    {
        Chosen = tensor([-10.0]), Rejected = tensor([-12.0]), ReferenceChosen = tensor([-11.0]), ReferenceRejected = tensor([-11.5]),
        ChosenTokens = tensor([4.0]), RejectedTokens = tensor([5.0]), Margins = tensor([margin]),
    };
}
