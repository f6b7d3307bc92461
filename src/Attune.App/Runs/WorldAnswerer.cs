using Attune.Core.Versions;
using Attune.Core.Worlds;

namespace Attune.App.Runs;

internal sealed class WorldAnswerer : IDisposable
{
    public static WorldAnswerer Open(ModelFiles files, VersionKind? kind, int maxTokens) => throw new NotSupportedException("later");
    public IReadOnlyList<string> Answer(IReadOnlyList<WorldQuestion> questions, CancellationToken cancel) => throw new NotSupportedException("later");
    public void Dispose() { }
}
