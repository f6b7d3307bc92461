using Attune.Core.Tests.Checkpoints;
using Attune.Fuzz;
using Xunit;

namespace Attune.Core.Tests.Fuzz;

/// <summary>A fixed share of the mutations that the benchmark file-fuzz opens by the million.</summary>
public sealed class FileFuzzTests : IDisposable
{
    private const int Share = 1500;

    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void Broken_files_are_opened_or_refused_by_name()
    {
        foreach (var target in FuzzTargets.All(_scratch.Folder))
        {
            foreach (var seed in target.Seeds)
                target.Open(seed, _scratch["seed"]);
            var outcomes = Enumerable.Range(0, Share).Select(n => target.Run(n, seed: 7, _scratch["mutation"])).ToList();
            Assert.DoesNotContain(outcomes, o => o.StartsWith("FAULT", StringComparison.Ordinal));
            // Neither all refused nor none: the mutations reach what lies behind the first check.
            Assert.Contains("sound", outcomes);
            Assert.True(outcomes.Distinct().Count() > 1, target.Name);
        }
    }
}
