global using Xunit;
global using TorchSharp.Utils;

// The kernels share one pool of threads, and a test changes its size.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
