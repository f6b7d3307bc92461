using Attune.Core.Data;

namespace Attune.Torch.Stages;

/// <summary>What a stage says before its first step.</summary>
/// <param name="Stage">Its name.</param>
/// <param name="Rows">Rows by reason, tokens, the loss mask of a few rows.</param>
/// <param name="Estimate">Memory and time.</param>
/// <param name="Steps">Updates in the run.</param>
/// <param name="Warnings">What a person should know before it starts.</param>
public sealed record StagePreflight(string Stage, PreflightReport Rows, CostEstimate Estimate, long Steps, IReadOnlyList<string> Warnings);
