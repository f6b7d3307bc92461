using Attune.Core.Checkpoints.Adapters;
using Attune.Core.Versions;
using Attune.Torch.Stages;

namespace Attune.App.Runs;

/// <summary>What the adapter of a version lies on: its parent, unless the lineage says otherwise.</summary>
internal static class AdapterBase
{
    /// <summary>That version, or null where there is no adapter, or the store has not what it lies on.</summary>
    public static ModelVersion? Of(ModelStore store, ModelVersion version)
    {
        var digest = (string?)version.Lineage.Facts[RewardRefresh.AdapterBaseFact] ?? version.Lineage.Parent;
        return digest is not null && AdapterFiles.IsIn(version.Files) ? store.List().FirstOrDefault(v => v.Digest == digest) : null;
    }
}
