global using Xunit;
global using TorchSharp.Utils;

// The kernels share one pool of threads, and a test changes its size.
[assembly: Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
