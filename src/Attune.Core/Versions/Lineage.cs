using System.Text.Json.Nodes;

namespace Attune.Core.Versions;

/// <summary>What a version is: what it was last trained to do.</summary>
public enum VersionKind
{
    /// <summary>Predicts the next token of any text.</summary>
    Base,

    /// <summary>Follows instructions, one at a time.</summary>
    Instruct,

    /// <summary>Talks over several turns, aligned by preference.</summary>
    Chat,

    /// <summary>Scores answers; it says nothing itself.</summary>
    Reward,
}

/// <summary>A data file that a stage read.</summary>
/// <param name="Name">Its file name, without the folder it happened to lie in.</param>
/// <param name="Digest">SHA-256 of its bytes, lower-case hex.</param>
/// <param name="Rows">How many rows of it were used.</param>
public sealed record DataDigest(string Name, string Digest, long Rows);

/// <summary>
/// Enough to make a version again: what it came from, by which stage with which options on which data.
/// Holds nothing that differs between two equal runs (no clock, host, path or thread count).
/// </summary>
public sealed record Lineage
{
    /// <summary>Version of this record's layout.</summary>
    public int Schema { get; init; } = 1;

    /// <summary>Manifest digest of the parent (<c>sha256:…</c>), or null for a version made from nothing.</summary>
    public string? Parent { get; init; }

    /// <summary>The stage that made it: pretrain, sft, dpo, import…</summary>
    public required string Stage { get; init; }

    /// <summary>Every option the stage ran with, defaults included, in snake case.</summary>
    public required JsonObject Options { get; init; }

    /// <summary>The data, in the order it was read.</summary>
    public IReadOnlyList<DataDigest> Data { get; init; } = [];

    /// <summary>The seed that every random stream of the stage derives from.</summary>
    public long Seed { get; init; }

    /// <summary>Version of Attune that ran.</summary>
    public required string CodeVersion { get; init; }

    /// <summary>Which arithmetic ran (libtorch and SIMD width), for results are bit-exact only on the same.</summary>
    public string? Kernels { get; init; }

    /// <summary>Hash of the prompt contract, or null for a Base without one.</summary>
    public string? Contract { get; init; }

    /// <summary>Deterministic facts of the run for people: steps, tokens by kind, share of each kind of data.</summary>
    public JsonObject Facts { get; init; } = [];
}
