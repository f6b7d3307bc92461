using Attune.Torch.Native;
using TorchSharp;

namespace Attune.Torch.Tests.Native;

public sealed class TorchRuntimeTests
{
    [Fact]
    public void Libtorch_loads_computes_and_says_what_it_is()
    {
        TorchRuntime.Initialise(2);
        using var a = torch.ones(3, 4);
        using var b = a.matmul(a.t());

        Assert.Equal(36, b.sum().item<float>());
        Assert.StartsWith("libtorch 2.", TorchRuntime.Description, StringComparison.Ordinal);
        Assert.Contains("2 threads", TorchRuntime.Description, StringComparison.Ordinal);
    }
}
