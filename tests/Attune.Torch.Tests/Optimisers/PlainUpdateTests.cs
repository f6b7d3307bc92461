using Attune.Torch.Optimisers;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Attune.Torch.Tests.Optimisers;

/// <summary>What runs on other devices, run here: libtorch's operators against the kernel.</summary>
public sealed class PlainUpdateTests
{
    [Fact]
    public void AdamW_in_operators_is_AdamW_of_the_kernel()
    {
        using var scope = NewDisposeScope();
        var start = linspace(-1, 2, 77).view(7, 11);
        var (a, b) = (start.clone().requires_grad_(), start.clone().requires_grad_());
        using var kernel = new AdamW([new Trainable("w", a, RateScale: 2, Decay: 0.1)], 0.9, 0.99, 1e-8);
        using var plain = new AdamW([new Trainable("w", b, RateScale: 2, Decay: 0.1)], 0.9, 0.99, 1e-8);
        var state = plain.State.Select(s => s.Value).ToArray();
        for (var step = 1; step <= 3; step++)
        {
            var gradient = (start * step).sin();
            a.grad = gradient;
            kernel.Step(step, 0.01);
            plain.Plain(new Trainable("w", b, RateScale: 2, Decay: 0.1), gradient, state[0], state[1], step, 0.01);
            Compare.Absolute(a.detach(), b.detach(), TrainingTolerances.AdamW, "weights");
        }
        Assert.All(kernel.State.Zip(plain.State), p => Compare.Absolute(p.First.Value, p.Second.Value, TrainingTolerances.AdamW, p.First.Name));
    }

    [Theory]
    [InlineData(5, 3, 3)]
    [InlineData(16, 8, 24)]
    [InlineData(4, 128, 384)]
    public void Newton_Schulz_in_operators_is_that_of_the_kernel(int count, int rows, int columns)
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        var matrices = randn(count, rows, columns);
        matrices[0].zero_();
        Assert.True(NewtonSchulzKernel.Fits(count, rows, columns));
        Compare.Absolute(NewtonSchulz.Orthogonalise(matrices), NewtonSchulz.Plain(matrices, 5), 1e-4, "orthogonal");
    }
}
