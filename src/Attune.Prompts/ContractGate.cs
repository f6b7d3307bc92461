namespace Attune.Prompts;

/// <summary>The gate between a parent and its child: what trained the parent is kept, or the change is declared.</summary>
public static class ContractGate
{
    /// <summary>
    /// What of the parent's contract the child breaks, in words: empty where it may pass. A child may be able to do more;
    /// it may not render the parent's conversations otherwise, stop elsewhere, or speak with other tokens.
    /// </summary>
    public static IReadOnlyList<string> Broken(PromptContract parent, PromptContract child, ITokenEncoder? encoder = null)
    {
        ArgumentNullException.ThrowIfNull(parent);
        ArgumentNullException.ThrowIfNull(child);
        if (parent.Hash == child.Hash)
            return [];
        var shared = encoder is not null && parent.TokenizerDigest == child.TokenizerDigest ? encoder : null;
        var diff = ContractDiff.Of(parent, child, shared, shared);
        var broken = new List<string>();
        foreach (var (field, before, after) in diff.Fields)
        {
            if (field != "features" && !(field == "stop ids" && parent.StopIds.All(child.StopIds.Contains)))
                broken.Add($"{field}: {before} became {after}");
        }
        foreach (var lost in parent.Features.Roles.Except(child.Features.Roles, StringComparer.Ordinal))
            broken.Add($"role {lost} is no longer rendered");
        foreach (var change in diff.Renders)
        {
            // What the parent refused, it was not trained on: the child may render it.
            if (parent.Golden.FirstOrDefault(g => g.Name == change.Name) is not { Error: not null })
                broken.Add($"conversation '{change.Name}' {(change.MaskChanges ? "trains other tokens" : "renders otherwise")}: {change.Before} became {change.After}");
        }
        return broken;
    }

    /// <summary>Refuses a child that breaks its parent's contract, unless the change is declared.</summary>
    /// <param name="parent">The contract that the parent was trained with.</param>
    /// <param name="child">The child's.</param>
    /// <param name="allowChange">The change is on purpose, and the child's lineage will say so.</param>
    /// <param name="encoder">The tokenizer, to compare tokens as well as text.</param>
    /// <exception cref="PromptException">ATT1106: the child does not keep what trained its parent.</exception>
    public static void Require(PromptContract parent, PromptContract child, bool allowChange = false, ITokenEncoder? encoder = null)
    {
        var broken = allowChange ? [] : Broken(parent, child, encoder);
        if (broken.Count > 0)
        {
            throw new PromptException("ATT1106", $"The prompt contract does not keep what trained its parent: {string.Join("; ", broken.Take(3))}{(broken.Count > 3 ? $"; and {broken.Count - 3} more" : "")}.")
            {
                Field = "contract",
                Hint = "Keep the parent's contract, or say that it changes (--contract-change).",
            };
        }
    }

    /// <summary>Refuses to use a version with a contract that is not its own.</summary>
    /// <param name="expected">The version's contract.</param>
    /// <param name="given">The one about to be used.</param>
    /// <param name="allowMismatch">On purpose: to measure what a wrong template does, for one.</param>
    /// <exception cref="PromptException">ATT1107: they differ; the message says in what.</exception>
    public static void RequireSame(PromptContract expected, PromptContract given, bool allowMismatch = false)
    {
        ArgumentNullException.ThrowIfNull(expected);
        ArgumentNullException.ThrowIfNull(given);
        if (allowMismatch || expected.Hash == given.Hash)
            return;
        var diff = ContractDiff.Of(expected, given);
        var what = diff.Fields.Select(f => f.Field).Concat(diff.Renders.Select(r => $"conversation '{r.Name}'")).ToList();
        throw new PromptException("ATT1107", $"The prompt contract {given.Name} ({given.Hash[..12]}) is not the version's, {expected.Name} ({expected.Hash[..12]}); they differ in {(what.Count == 0 ? "the template's text only" : string.Join(", ", what.Take(6)))}.")
        {
            Field = "contract",
            Hint = "Use the version's own contract, or say that the mismatch is meant (--allow-contract-mismatch).",
        };
    }
}
