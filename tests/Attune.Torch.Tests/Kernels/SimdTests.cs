using System.Numerics;
using Attune.Torch.Kernels;

namespace Attune.Torch.Tests.Kernels;

public sealed unsafe class SimdTests
{
    [Fact]
    public void Exponential_is_right_to_two_units_in_the_last_place_and_never_infinite()
    {
        var worst = 0.0;
        for (var x = -87f; x < 88f; x += 0.00371f)
        {
            var exact = Math.Exp(x);
            worst = Math.Max(worst, Math.Abs(Simd.Exp(x) - exact) / (MathF.BitIncrement((float)exact) - (double)(float)exact));
        }
        TestContext.Current.TestOutputHelper?.WriteLine(FormattableString.Invariant($"worst {worst:F2} ulp"));
        Assert.InRange(worst, 0, 2);
        Assert.True(float.IsFinite(Simd.Exp(1e9f)));
        Assert.InRange(Simd.Exp(-1e9f), 0, 1e-37f);
        Assert.Equal(1, Simd.Exp(0));
    }

    [Fact]
    public void Rows_of_every_length_are_whole()
    {
        for (var n = 1; n < 3 * Vector<float>.Count + 2; n++)
        {
            var a = Enumerable.Range(1, n).Select(i => MathF.Sin(i)).ToArray();
            fixed (float* p = a)
            {
                Assert.Equal(a.Sum(v => (double)v * v), Simd.Dot(p, p, n), 1e-5);
                Assert.Equal(a.Max(), Simd.Max(p, n));
                var copy = a.ToArray();
                fixed (float* q = copy)
                {
                    Simd.Add(p, q, n);
                    Simd.Scale(q, n, 0.5f);
                    Assert.Equal(a, copy);
                    Assert.Equal(a.Sum(v => Math.Exp(v - 1)), Simd.ExpInPlace(q, n, 1), 1e-5);
                }
            }
        }
    }
}
