using Attune.Torch.Kernels;
using Attune.Torch.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Tests.Kernels;

/// <summary>Our own linear layer against libtorch's in float64.</summary>
public sealed class LinearFunctionTests
{
    public LinearFunctionTests() => TorchRuntime.Initialise(2);

    [Theory]
    [InlineData(1, 40, 70, true, true)]
    [InlineData(5, 33, 129, false, true)]
    [InlineData(200, 64, 96, true, false)] // a frozen matrix, as under adapters
    [InlineData(400, 17, 300, true, true)]
    public void Values_and_gradients_are_those_of_libtorch(int n, int inputs, int outputs, bool biased, bool trained)
    {
        if (!Gemm.Available)
            return;
        using var scope = NewDisposeScope();
        var (x, w, b, direction) = (randn(n, inputs), randn(outputs, inputs), randn(outputs), randn(n, outputs));
        var exact = (X: x.to(float64).requires_grad_(), W: w.to(float64).requires_grad_(), B: b.to(float64).requires_grad_());
        (x.requires_grad, w.requires_grad, b.requires_grad) = (true, trained, true);

        var y = LinearFunction.Run(x, w, biased ? b : null);
        var exactY = nn.functional.linear(exact.X, exact.W, biased ? exact.B : null);
        Compare.Relative(exactY, y, Tolerances.Kernel, "y");
        Compare.Relative(exact.B, b, Tolerances.Kernel, "b"); // and not written to, not even where there is one row
        (y * direction).sum().backward();
        (exactY * direction.to(float64)).sum().backward();
        Compare.Relative(exact.X.grad!, x.grad!, Tolerances.Kernel, "dX");
        if (trained)
            Compare.Relative(exact.W.grad!, w.grad!, Tolerances.Kernel, "dW");
        else
            Assert.Null(w.grad);
        if (biased)
            Compare.Relative(exact.B.grad!, b.grad!, Tolerances.Kernel, "db");
    }

    [Fact]
    public void What_wants_no_gradient_gets_none()
    {
        if (!Gemm.Available)
            return;
        using var scope = NewDisposeScope();
        var (x, w, b) = (randn(30, 20), randn(10, 20).requires_grad_(), randn(10));
        LinearFunction.Run(x, w, b).sum().backward();
        Assert.NotNull(w.grad);
        Assert.Null(x.grad);
        Assert.Null(b.grad);
        using (no_grad())
            Assert.False(LinearFunction.Run(x, w, b).requires_grad);
    }
}
