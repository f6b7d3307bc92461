using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Tests;

/// <summary>Tensors against expected ones, with the worst error printed.</summary>
public static class Compare
{
    public static void Absolute(Tensor expected, Tensor actual, double tolerance, string what) => Check(expected, actual, tolerance, what, 1);

    /// <summary>Relative to the largest magnitude of the expected tensor.</summary>
    public static void Relative(Tensor expected, Tensor actual, double tolerance, string what) =>
        Check(expected, actual, tolerance, what, expected.abs().max().to(float64).item<double>());

    private static void Check(Tensor expected, Tensor actual, double tolerance, string what, double scale)
    {
        using var scope = NewDisposeScope();
        Assert.Equal(expected.shape, actual.shape);
        var worst = (expected.to(float64) - actual.detach().to(float64)).abs().max().item<double>() / Math.Max(scale, 1e-30);
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: worst error {worst:E2}, tolerance {tolerance:E0}"));
        Assert.True(worst <= tolerance, string.Create(CultureInfo.InvariantCulture, $"{what}: worst error {worst:E2} exceeds {tolerance:E0}"));
    }
}
