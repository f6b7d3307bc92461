using System.Text.Json.Nodes;
using Attune.App.Runs;
using Attune.Core.Options;
using Attune.Core.Versions;

namespace Attune.App.Alignment;

/// <summary>Trains the parts of an alignment, each in a folder of its own, and writes into each lineage why it was trained so.</summary>
internal sealed class AlignTraining(AlignOptions options, string folder)
{
    /// <summary>Whether own answers are learnt after the given ones; null where that is no question.</summary>
    public OwnRound? Own { get; set; }

    /// <summary>Trains on a file.</summary>
    /// <param name="settings">The stage.</param>
    /// <param name="file">What is learnt.</param>
    /// <param name="parent">What it starts from.</param>
    /// <param name="part">Names the run: sweep-0.1, round-1…</param>
    /// <param name="share">Share of an epoch.</param>
    /// <param name="cancel">Stops after the step at hand.</param>
    public StageOutcome Run(AlignSettings settings, string file, ModelVersion parent, string part, double share, CancellationToken cancel)
    {
        // Finished and interrupted runs are told apart by what they are runs of: other choices get another folder.
        var place = new Place { Parent = parent.Digest, Store = options.Store, Threads = options.Threads, Run = Path.Combine(folder, "runs", $"{part}-{settings.With("share", share).Key(parent.Digest, file)}") };
        return StageRunner.Run(settings.Bind(file, share), place, cancel, lineageNote: Reason(settings, part, share));
    }

    // What a version's lineage says of why it was trained so. Nothing of the clock: equal runs have equal lineage.
    private JsonObject Reason(AlignSettings settings, string part, double share)
    {
        var reason = new JsonObject
        {
            ["decided_by"] = settings.Rule,
            ["part"] = part,
            ["method"] = settings.Stage,
            ["method_overrides_rule"] = AlignRules.First.Concat(AlignRules.Table).First(r => r.Name == settings.Rule).Stage != settings.Stage,
            ["share"] = share,
            ["rounds"] = options.Rounds,
            ["kl_bound"] = AlignReport.Finite(settings.KlBound(options)),
        };
        if (ReferencePull.Of(settings.Stage) is { } pull)
            reason["pull"] = new JsonObject { ["option"] = pull.Option, ["value"] = OptionText.Of(settings.Options[pull.Option]), ["because"] = settings.Pull.Because };
        if (Own is not null)
            reason["own_answers"] = new JsonObject { ["drawn"] = Own.Drawn, ["because"] = Own.Because };
        return reason;
    }
}
