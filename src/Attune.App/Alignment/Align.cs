using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Attune.App.Cli;
using Attune.App.Commands;
using Attune.App.Recipes;
using Attune.App.Runs;
using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Core.Options;
using Attune.Core.Preferences;
using Attune.Core.Versions;
using Attune.Core.Worlds;
using Attune.Inference;
using Attune.Prompts;
using Attune.Torch.Stages;
using Spectre.Console;
using PreferenceRow = Attune.Core.Data.PreferenceRow;
using RankingRow = Attune.Core.Data.RankingRow;

namespace Attune.App.Alignment;

/// <summary>
/// Aligns a version by itself: looks, decides, says what it will do and cost, sweeps, trains in rounds, stops when the
/// held-out win rate stops rising or KL passes its bound, and gives the result a name only where it kept its tasks.
/// </summary>
internal sealed class Align
{
    // What is left for measuring, and for an estimate that was too low.
    private const double BudgetForTraining = 0.7;
    private const double ParametersOfDefaults = 7e9;

    private readonly AlignOptions _options;
    private readonly ModelStore _store;
    private readonly ModelVersion _start;
    private readonly string _folder;
    private readonly IAnswerRanker? _ranker;
    private readonly AnswerBook? _book;
    private readonly WorldJudge? _judge;
    private readonly AlignReport _report = new();

    private Align(AlignOptions options, IAnswerRanker? ranker)
    {
        (_options, _ranker, _store) = (options, ranker, Running.OpenStore(options.Store));
        _start = _store.Resolve(options.Version);
        _folder = options.Out ?? Path.Combine("runs", $"align-{(options.SaveAs ?? _start.ShortDigest).Replace(':', '-')}");
        if (options.World is not { } world)
            return;
        _judge = new WorldJudge(World.Create(WorldFolder.Read(world)).Language);
        _book = new AnswerBook(world, WorldSplit.Valid, options.Items, options.MaxTokens, _folder);
    }

    /// <summary>Runs it; returns the exit code.</summary>
    public static int Run(AlignOptions options, CancellationToken cancel)
    {
        if (options.SaveAs is { } name)
            ModelStore.CheckName(name);
        using var choice = RankerChoice.Of(options);
        return new Align(options, choice?.Ranker).Run(cancel);
    }

    private int Run(CancellationToken cancel)
    {
        var clock = Stopwatch.StartNew();
        var evidence = AlignEvidence.Of(_options.Data, new AlignEvidence
        {
            Kind = _start.Kind,
            Answers = _start.Kind != VersionKind.Base && _start.Files.Find(ModelFiles.PromptContract) is not null,
            CanScore = _ranker is not null,
            ByRules = _options.Rule.Count > 0,
        }, cancel);
        var rule = AlignRules.Decide(evidence);
        var data = AlignData.Part(_options, rule, Path.Combine(_folder, "data"));
        var window = _options.SequenceLength ?? Math.Min(1024, HuggingFaceConfig.Read(_start.Files.Require(ModelFiles.Config)).ContextLength);
        var settings = Settings(rule, evidence, window);
        Tell(rule, evidence, data, settings);
        if (evidence.Answers && data.SomePairs.Count > 0)
            Lean(data, window, cancel);
        if (DrawsPairs(rule, settings))
        {
            Terminal.Out.Line($"[bold]drawing[/]: {AlignDrawing.Of(_options, data, _ranker).Describe()}");
            if (_options.DryRun && !File.Exists(data.Round(0)))
            {
                Terminal.Out.Line($"[bold]cost[/]: training is measured on the answers of the first round, once they are drawn.");
                return ExitCode.Done;
            }
            Draw(data, _start, 0, cancel);
        }
        var plan = AlignCost.Of(settings, _start, _options, data.Round(0), _folder, Allowed, cancel);
        TellCost(plan);
        if (_options.DryRun)
            return ExitCode.Done;

        var labels = LabelsHeldOut(data, window);
        var held = HeldOut(rule, data, window, labels);
        if (plan.Swept > 0)
            (settings, plan) = Sweep(settings, data, held, plan, clock, cancel);
        var (best, rounds) = Train(rule, settings, data, held, labels, plan, clock, cancel);
        var gate = new TaskGate(_options, _book, _judge);
        var changes = best.Digest == _start.Digest ? [] : gate.Measure(_start, best, window, cancel);
        DoubtLabels(rounds, ReferenceEquals(held, labels), gate);
        return Finish(rule, best, rounds.Count, gate, changes, clock);
    }

    private TimeSpan Allowed => _options.Budget * BudgetForTraining;

    private AlignSettings Settings(AlignRule rule, AlignEvidence evidence, int window)
    {
        var parameters = (double)HuggingFaceConfig.Read(_start.Files.Require(ModelFiles.Config)).Parameters;
        // Published defaults are for models of billions: smaller ones bear, and need, more. The root of the sizes' ratio meets
        // what was tuned here on models of a million (3e-5 to 1e-4 for DPO) from 1e-6 at 7e9.
        var scale = Math.Sqrt(ParametersOfDefaults / parameters);
        var stage = _options.Method ?? rule.Stage;
        var rate = stage switch { "sft" => 2e-5, "pretrain" => 1e-5, "orpo" => 8e-6, _ => 1e-6 } * scale;
        // What a rule sets is of its own stage: another one has other options.
        var options = new Dictionary<string, object?>(stage == rule.Stage ? rule.Options(evidence) : new Dictionary<string, object?>(), StringComparer.Ordinal)
        {
            ["learning_rate"] = _options.LearningRate ?? Math.Round(rate, 7),
            ["sequence_length"] = window,
            ["seed"] = _options.Seed,
        };
        if (stage != "pretrain")
            options["overlong"] = "drop";
        if (AlignSettings.IsReinforcement(stage))
        {
            options["rules"] = _options.Rule;
            options["reward_model"] = _options.Reward;
            options["max_new_tokens"] = _options.MaxTokens;
        }
        if (ReferencePull.Of(stage) is { } pull)
            options[pull.Option] = _options.Beta ?? pull.Usual;
        else if (_options.Beta is not null)
            throw new AttuneException("ATT4812", $"{stage} has no reference that beta could hold it to.") { Field = "beta", Hint = "Leave --beta out, or choose another --method." };
        foreach (var given in _options.Set)
        {
            if (given.IndexOf('=', StringComparison.Ordinal) is not (> 0 and var at))
                throw new AttuneException("ATT4812", $"'{given}' is no option with a value.") { Field = "set", Hint = "As in --set loss=ipo." };
            options[given[..at]] = given[(at + 1)..];
        }
        _ = RecipeRunner.BindTraining(stage, OptionLayer.FromValues(options, "the decision"), OptionLayer.FromValues(new Dictionary<string, object?>(), "none"));
        var settings = new AlignSettings(stage, rule.Name, options);
        return _options.Beta is not null ? settings with { Pull = PullChoice.GivenBy("beta") }
            : ReferencePull.Of(stage) is { } swept && _options.Set.Any(s => s.StartsWith(swept.Option + "=", StringComparison.Ordinal)) ? settings with { Pull = PullChoice.GivenBy("set") }
            : settings;
    }

    private static bool DrawsPairs(AlignRule rule, AlignSettings settings) => rule.OnPolicy && !settings.Reinforces;

    private IHeldOut HeldOut(AlignRule rule, AlignData data, int window, ShiftHeldOut? labels) =>
        rule.Stage is "sft" or "pretrain" ? ShiftHeldOut.OfRows(data.Held, window, _options.Items)
        : _book is not null ? new WorldHeldOut(_book, _judge!)
        : _ranker is not null && data.HeldPrompts.Count > 0 ? new AnswerHeldOut(_ranker, data.HeldPrompts, _options.MaxTokens)
        : labels ?? throw new AttuneException("ATT4814", "Nothing can tell whether the version gets better: no prompt is held out.") { Field = "held_out", Hint = "Give more prompts or a larger --held-out; or --world, whose questions measure." };

    // What the labels themselves say of held-out prompts; null where the data has none.
    private static ShiftHeldOut? LabelsHeldOut(AlignData data, int window) =>
        data.HeldPairs.Count > 0 ? ShiftHeldOut.OfPairs(data.HeldPairs, window)
        : data.HeldLabels.Count > 0 ? ShiftHeldOut.OfLabels(data.HeldLabels, window)
        : null;

    // What the start thinks of the pairs is the one thing about them that their labels did not decide.
    private void Lean(AlignData data, int window, CancellationToken cancel)
    {
        var lean = WinRate.OfShifts(PairLean.Of(_start.Files, data.SomePairs, window, cancel));
        _report.Note("lean", AlignReport.Figures(lean));
        _report.Doubt(AlignDoubt.OfLean(lean));
    }

    private void DoubtLabels(IReadOnlyList<RoundFigures> rounds, bool ofThemselves, TaskGate gate)
    {
        WinRate[] labels = [.. rounds.Select(r => r.Labels).OfType<WinRate>()];
        _report.Doubt(AlignDoubt.OfSignal(labels));
        if (labels.Length > 0)
            _report.Doubt(AlignDoubt.OfEvidence(labels[^1], ofThemselves ? null : rounds[^1].Won, gate.HasTasks));
    }

    // A part of the data for each value of β or of the KL coefficient; the one that wins most without passing the bound.
    // The clock is looked at before each: what the sweep is for comes first.
    private (AlignSettings Settings, AlignCost Plan) Sweep(AlignSettings settings, AlignData data, IHeldOut held, AlignCost plan, Stopwatch clock, CancellationToken cancel)
    {
        var pull = ReferencePull.Of(settings.Stage)!;
        var (best, bestRate, count) = ((double?)null, double.NegativeInfinity, 0);
        foreach (var value in pull.Swept.Take(plan.Swept))
        {
            if (!plan.HasRoomToSweep(clock.Elapsed, 1))
            {
                Terminal.Out.Line($"  the budget leaves no room for more of the sweep, after {count} of {plan.Swept} values.");
                break;
            }
            var tried = settings.Pulled(pull, value, PullChoice.Tried);
            var (version, facts) = Train(tried, data.Sweep, _start, string.Create(CultureInfo.InvariantCulture, $"sweep-{value}"), 1, cancel);
            if (plan.RoundSeconds is null)
            {
                plan = plan.Measured(facts.Seconds, clock.Elapsed);
                Terminal.Out.Line($"[bold]cost[/], measured: {plan.Describe()}");
            }
            count++;
            var (won, kl) = (held.Against(_start, version, cancel), Kl(version, data, cancel));
            var tally = AlignReport.Figures(won);
            (tally[pull.Option], tally["kl"]) = (value, AlignReport.Finite(kl));
            _report.Note("sweep", tally);
            Terminal.Out.Line($"  {pull.Option} {value}: win rate {won.Value * 100:F1}% ({won.Low * 100:F1} to {won.High * 100:F1}), KL {kl:F2}");
            if (kl <= _options.KlBound && won.Value > bestRate)
                (best, bestRate) = (value, won.Value);
        }
        plan = plan.Tried(count);
        // One value alone has beaten none: the usual one stands.
        return (count < 2 ? settings
            : best is { } winner ? settings.Pulled(pull, winner, PullChoice.Winner(bestRate, count, _options.SweepShare))
            : settings with { Pull = PullChoice.NoneKept(count) }, plan);
    }

    private (ModelVersion Best, IReadOnlyList<RoundFigures> Rounds) Train(AlignRule rule, AlignSettings settings, AlignData data, IHeldOut held, ShiftHeldOut? labels, AlignCost plan, Stopwatch clock, CancellationToken cancel)
    {
        var (best, bestRate, now) = (_start, new WinRate(0.5, 0.5, 0.5, 0), _start);
        var measured = new List<RoundFigures>();
        for (var round = 0; round < plan.Rounds; round++)
        {
            if (round > 0 && clock.Elapsed > Allowed)
            {
                Terminal.Out.Line($"  the budget ends here, after {round} of {plan.Rounds} rounds.");
                return (best, measured);
            }
            if (DrawsPairs(rule, settings) && round > 0)
                Draw(data, now, round, cancel);
            now = Train(settings, data.Round(round), now, FormattableString.Invariant($"round-{round + 1}"), plan.Share, cancel).Version;
            var won = held.Against(_start, now, cancel);
            var figures = new RoundFigures(won, Kl(now, data, cancel), ReferenceEquals(held, labels) ? won : labels?.Against(_start, now, cancel));
            measured.Add(figures);
            Told(round, figures, now);
            if (figures.Kl > _options.KlBound)
            {
                Terminal.Out.Line($"  KL has passed its bound of {_options.KlBound}: this round is not kept.");
                return (best, measured);
            }
            if (won.N > 0 && won.Value <= bestRate.Value)
            {
                Terminal.Out.Line($"  the win rate no longer rises: the round before is kept.");
                return (best, measured);
            }
            (best, bestRate) = (now, won);
        }
        return (best, measured);
    }

    private void Told(int round, RoundFigures figures, ModelVersion version)
    {
        var (won, kl) = (figures.Won, figures.Kl);
        Terminal.Out.Line($"  round {round + 1}: win rate over the start {won.Value * 100:F1}% ({won.Low * 100:F1} to {won.High * 100:F1}, n {won.N}), KL {kl:F2} nats an answer");
        var note = AlignReport.Figures(won);
        (note["round"], note["kl"], note["version"]) = (round + 1, AlignReport.Finite(kl), version.Digest);
        if (figures.Labels is { } labels)
            note["labels"] = AlignReport.Figures(labels);
        _report.Note("round", note);
    }

    private StageOutcome Train(AlignSettings settings, string file, ModelVersion parent, string name, double share, CancellationToken cancel)
    {
        var options = settings.Bind(file, share);
        // Finished and interrupted runs are told apart by what they are runs of: other choices get another folder.
        var place = new Place { Parent = parent.Digest, Store = _options.Store, Threads = _options.Threads, Run = Path.Combine(_folder, "runs", $"{name}-{settings.With("share", share).Key(parent.Digest)}") };
        return StageRunner.Run(options, place, cancel, lineageNote: Reason(settings, name, share));
    }

    // What a version's lineage says of why it was trained so. Nothing of the clock: equal runs have equal lineage.
    private JsonObject Reason(AlignSettings settings, string part, double share)
    {
        var reason = new JsonObject
        {
            ["decided_by"] = settings.Rule,
            ["part"] = part,
            ["method"] = settings.Stage,
            ["method_overrides_rule"] = AlignRules.Table.First(r => r.Name == settings.Rule).Stage != settings.Stage,
            ["share"] = share,
            ["rounds"] = _options.Rounds,
            ["kl_bound"] = _options.KlBound,
        };
        if (ReferencePull.Of(settings.Stage) is { } pull)
            reason["pull"] = new JsonObject { ["option"] = pull.Option, ["value"] = OptionText.Of(settings.Options[pull.Option]), ["because"] = settings.Pull.Because };
        return reason;
    }

    /// <summary>KL to the start on answers that the version draws to held-out prompts.</summary>
    private double Kl(ModelVersion version, AlignData data, CancellationToken cancel)
    {
        if (data.HeldPrompts.Count == 0 || version.Digest == _start.Digest)
            return 0;
        using var model = LocalModel.Open(version.Files);
        int[][] ids = [.. data.HeldPrompts.Select(p => model.Encode(p.Prompt)).Where(p => p.Length < model.Config.ContextLength)];
        if (ids.Length == 0)
            return 0;
        var said = model.GenerateAsync(ids, new GenerationOptions { Sampling = new() { Temperature = 1, Seed = _options.Seed }, MaxTokens = _options.MaxTokens }, cancel).GetAwaiter().GetResult();
        TokenRow[] rows = [.. said.Select((s, i) => new TokenRow
        {
            Ids = [.. ids[i], .. s.Ids],
            Trained = [.. Enumerable.Repeat(false, ids[i].Length), .. Enumerable.Repeat(true, s.Ids.Count)],
            Origin = new RowOrigin("drawn", i + 1),
        })];
        return PolicyDistance.Of(version.Files, _start.Files, rows, cancel).Average();
    }

    // The version's own answers to this round's prompts, scored, as pairs with margins.
    private void Draw(AlignData data, ModelVersion version, int round, CancellationToken cancel)
    {
        // A run that resumes learns from what was drawn and judged before: a judge may not say the same twice.
        if (File.Exists(data.Round(round)))
            return;
        using var model = LocalModel.Open(version.Files);
        var source = new AnswerSampler([new(version.ShortDigest, version.Digest, model)], _options.Answers, new SamplingOptions { Temperature = 1, Seed = _options.Seed }, _options.MaxTokens);
        var pairs = new List<PreferenceRow>();
        var prompts = AlignData.InRound(data.Prompts, round, _options.Rounds).ToList();
        var display = new CountDisplay("drawing and scoring answers", prompts.Count);
        foreach (var prompt in prompts)
        {
            cancel.ThrowIfCancellationRequested();
            if (source.TaskAsync(prompt, cancel).GetAwaiter().GetResult() is { } task)
            {
                var scores = _ranker!.RankAsync(task, cancel).GetAwaiter().GetResult().Scores;
                pairs.AddRange(PreferenceForms.Pairs(new RankingRow(task.Prompt, [.. task.Answers.Select(a => (IReadOnlyList<Message>)[new Message("assistant", a.Text)])], scores, prompt.Origin)));
            }
            display.Add(1);
        }
        display.Close();
        if (pairs.Count == 0)
            throw new AttuneException("ATT4813", "No two answers of the version are scored differently: there is nothing to learn from.") { Hint = "More --answers, other rules, or prompts that are harder for it." };
        var unit = PreferenceVariants.UnitMargins(pairs);
        if (round == 0)
            PreferenceVariants.Write(data.Sweep, unit.Take((int)Math.Ceiling(unit.Count * _options.SweepShare)));
        PreferenceVariants.Write(data.Round(round), unit);
    }

    private int Finish(AlignRule rule, ModelVersion best, int rounds, TaskGate gate, IReadOnlyList<TaskChange> changes, Stopwatch clock)
    {
        foreach (var change in changes)
            Terminal.Out.Line($"  task {change.Name}: {change.Before:F3} before, {change.After:F3} after, change {change.Change:+0.000;-0.000;0.000} ({change.Low:F3} to {change.High:F3}, n {change.N})");
        if (!gate.HasTasks)
            Terminal.Out.Line($"  [yellow]note[/]: no tasks were given (--world, --tasks): nothing says whether the version forgot what it could.");
        var forgotten = changes.Where(c => c.Forgotten(_options.Tolerance)).Select(c => c.Name).ToList();
        var same = best.Digest == _start.Digest;
        var report = _report.With(new()
        {
            ["schema"] = 1,
            ["kind"] = "align",
            ["start"] = _start.Digest,
            ["rule"] = rule.Name,
            ["why"] = rule.Why,
            ["rounds"] = rounds,
            ["tasks"] = new JsonArray([.. changes.Select(c => (JsonNode)new JsonObject { ["task"] = c.Name, ["before"] = AlignReport.Finite(c.Before), ["after"] = AlignReport.Finite(c.After), ["change"] = AlignReport.Finite(c.Change), ["low"] = AlignReport.Finite(c.Low), ["high"] = AlignReport.Finite(c.High), ["n"] = c.N, ["method"] = c.Method })]),
            ["forgotten"] = new JsonArray([.. forgotten.Select(f => (JsonNode)f)]),
            ["seconds"] = clock.Elapsed.TotalSeconds,
            ["budget_seconds"] = _options.Budget.TotalSeconds,
        });
        if (!same)
            _store.AttachReport(best.Digest, "align", report);
        Atomic.WriteAllText(Path.Combine(_folder, "align.json"), report.ToJsonString(new() { WriteIndented = true }));
        if (_options.Json)
            Terminal.WriteJson(report);
        if (same)
        {
            Terminal.Out.Line($"No round beat the start: there is no new version. The report: {Path.Combine(_folder, "align.json")}");
            return ExitCode.GateSaidNo;
        }
        if (forgotten.Count > 0)
        {
            Terminal.Out.Line($"[red]refused[/]: the version wins pairs and forgets its tasks ({string.Join(", ", forgotten)}). It stays in the store as {best.ShortDigest}, without a name.");
            return ExitCode.GateSaidNo;
        }
        if (_options.SaveAs is { } name)
            _store.Tag(name, best.Digest);
        Terminal.Out.Line($"[green]aligned[/]: {_options.SaveAs ?? best.ShortDigest} in {clock.Elapsed.TotalMinutes:F1} minutes. The report is attached, and in {Path.Combine(_folder, "align.json")}.");
        return ExitCode.Done;
    }

    private void Tell(AlignRule rule, AlignEvidence evidence, AlignData data, AlignSettings settings)
    {
        var console = Terminal.Out;
        console.Line($"[bold]data[/]: {evidence.Pairs} pairs ({evidence.WithMargin} with a margin, {evidence.Contradictions * 100:F1}% contradict others), {evidence.Good} good and {evidence.Bad} bad answers, {evidence.Prompts} prompts, {evidence.Conversations} conversations, {evidence.Texts} texts; {string.Join(", ", evidence.Languages)}");
        _report.Faults(data.Rows);
        console.Line($"[bold]decided[/]: {settings.Stage} by rule '{rule.Name}' ({rule.When})");
        console.Line($"  because {rule.Why}.");
        if (_options.Method is { } method && method != rule.Stage)
            console.Line($"  [yellow]note[/]: --method {method} stands over that.");
        console.Line($"  options: {string.Join(", ", settings.Options.Select(o => $"{o.Key} {OptionText.Of(o.Value)}"))}");
    }

    private void TellCost(AlignCost plan)
    {
        Terminal.Out.Line($"[bold]cost[/]: {plan.Describe()}");
        _report.Note("decision", new JsonObject { ["rule"] = plan.Settings.Rule, ["stage"] = plan.Settings.Stage, ["options"] = new JsonObject(plan.Settings.Options.Select(o => KeyValuePair.Create(o.Key, (JsonNode?)OptionText.Of(o.Value)))), ["share"] = plan.Share, ["rounds"] = plan.Rounds, ["round_seconds"] = plan.RoundSeconds, ["sweeps"] = plan.Swept > 0 });
    }
}
