using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Attune.App.Cli;
using Attune.App.Commands;
using Attune.App.Recipes;
using Attune.App.Runs;
using Attune.Core.Checkpoints;
using Attune.Core.Options;
using Attune.Core.Preferences;
using Attune.Core.Versions;
using Attune.Core.Worlds;
using Attune.Prompts;
using Attune.Torch.Stages;
using Spectre.Console;

namespace Attune.App.Alignment;

/// <summary>
/// Aligns a version by itself: looks, decides, says what it will do and cost, sweeps, trains in rounds, stops when the
/// held-out win rate stops rising or KL passes its bound, and gives the result a name only where it kept its tasks.
/// </summary>
internal sealed class Align
{
    // What is left for measuring, and for an estimate that was too low.
    private const double BudgetForTraining = 0.7;
    // What goes before may take a part of that, for it is not what was asked for.
    private const double ShareOfFirst = 0.5;

    private readonly AlignOptions _options;
    private readonly ModelStore _store;
    private readonly ModelVersion _given;
    private readonly string _folder;
    private readonly IAnswerRanker? _ranker;
    private readonly AnswerBook? _book;
    private readonly WorldJudge? _judge;
    private readonly AlignTraining _training;
    private readonly AlignReport _report = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    // What the preferences are learnt from, and what the result is held against: the given version, once it has learnt what goes before.
    private ModelVersion _start;

    private Align(AlignOptions options, IAnswerRanker? ranker)
    {
        (_options, _ranker, _store) = (options, ranker, Running.OpenStore(options.Store));
        _given = _start = _store.Resolve(options.Version);
        _folder = options.Out ?? Path.Combine("runs", $"align-{(options.SaveAs ?? _given.ShortDigest).Replace(':', '-')}");
        _training = new AlignTraining(options, _folder);
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
        var files = new AlignFiles(_options.Data);
        var answers = _given.Kind != VersionKind.Base && _given.Files.Find(ModelFiles.PromptContract) is not null;
        var evidence = AlignEvidence.Of(files, new AlignEvidence { Kind = _given.Kind, Answers = answers, CanScore = _ranker is not null, HasWorld = _options.World is not null, ByRules = _options.Rule.Count > 0 }, cancel);
        var decision = AlignDecision.Of(evidence, files);
        var data = AlignData.Part(_options, decision, files, Path.Combine(_folder, "data"));
        var window = _options.SequenceLength ?? Math.Min(1024, HuggingFaceConfig.Read(_given.Files.Require(ModelFiles.Config)).ContextLength);
        var settings = AlignSettings.Of(decision, _options, _given, window);
        Tell(evidence, decision, data, settings);
        if (data.SomeTexts.Count > 0)
            TellNewness(data, window, cancel);
        if (answers && data.SomePairs.Count > 0)
            Lean(data, window, cancel);

        var first = decision.First.Select(r => CostOf(AlignSettings.First(r, _options, _given, window), data.First(r), _options with { Rounds = 1, SweepShare = 0 }, Allowed * ShareOfFirst / decision.First.Count, cancel)).ToList();
        var draws = decision.Rule.OnPolicy && !settings.Reinforces;
        if (draws)
            Terminal.Out.Line($"[bold]drawing[/]: {AlignDrawing.Of(_options, data, _ranker).Describe()}");
        var left = Allowed - new TimeSpan(first.Sum(c => c.Training.Ticks));
        var plan = draws ? null : CostOf(settings, data.Round(0), _options, left, cancel);
        if (_options.DryRun)
            return DryEnd(draws, decision, data);

        foreach (var (rule, cost) in decision.First.Zip(first))
            _start = _training.Run(cost.Settings, data.First(rule), _start, rule.Name, cost.Share, cancel).Version;
        if (plan is null)
        {
            var drawn = Learnt(draws, data, 0, _start, cancel);
            data.SweepOn(drawn);
            plan = CostOf(settings, drawn, _options, left, cancel);
        }
        if (AsksOwn(decision, data, settings))
            _training.Own = DecideOwn(left - plan.Training, data, window, cancel);
        var labels = LabelsHeldOut(data, window);
        var tasks = new TaskGate(_options, _given, window, _book, _judge);
        var rounds = new AlignRounds(_options, settings, _start, data, HeldOut(decision.Rule, data, window, labels), labels, tasks, _report);
        if (plan.Swept > 0)
            (settings, plan) = Sweep(settings, data, rounds, plan, cancel);
        Train(settings, draws, data, rounds, plan, cancel);
        DoubtLabels(rounds, tasks);
        return Finish(decision, rounds, tasks);
    }

    private TimeSpan Allowed => _options.Budget * BudgetForTraining;

    private AlignCost CostOf(AlignSettings settings, string file, AlignOptions options, TimeSpan allowed, CancellationToken cancel)
    {
        var cost = AlignCost.Of(settings, _start, options, file, _folder, allowed, cancel);
        Terminal.Out.Line($"[bold]cost[/] of {settings.Stage}: {cost.Describe()}");
        _report.Note("decision", new JsonObject { ["rule"] = settings.Rule, ["stage"] = settings.Stage, ["options"] = new JsonObject(settings.Options.Select(o => KeyValuePair.Create(o.Key, (JsonNode?)OptionText.Of(o.Value)))), ["share"] = cost.Share, ["rounds"] = cost.Rounds, ["round_seconds"] = cost.RoundSeconds, ["sweeps"] = cost.Swept > 0 });
        return cost;
    }

    private int DryEnd(bool draws, AlignDecision decision, AlignData data)
    {
        if (draws)
            Terminal.Out.Line($"[bold]cost[/]: training is measured on the answers of the first round, once they are drawn.");
        else if (_ranker is not null && decision.Rule.LearnsGiven && _options.OwnAnswers == OwnAnswersUse.Auto)
            Terminal.Out.Line($"[bold]own answers[/]: whether they pay is measured on a few answers that the version draws, before it trains; at most {OwnDrawing(data)}.");
        return ExitCode.Done;
    }

    private bool AsksOwn(AlignDecision decision, AlignData data, AlignSettings settings) =>
        _ranker is not null && decision.Evidence.Answers && AlignData.Scorable(data.Prompts, _ranker).Count > 0 && !settings.Reinforces && decision.Rule.LearnsGiven;

    private string OwnDrawing(AlignData data) => AlignDrawing.Of(_options with { Rounds = 1 }, data, _ranker).Describe();

    private OwnRound DecideOwn(TimeSpan left, AlignData data, int window, CancellationToken cancel)
    {
        var gap = _options.OwnAnswers == OwnAnswersUse.Auto ? OffPolicyGap.Of(_start, data, _options, window, cancel) : null;
        var own = OwnRound.Of(_options.OwnAnswers, gap, (long)data.Prompts.Count * _options.Answers, left);
        Terminal.Out.Line($"[bold]own answers[/]: {(own.Drawn ? $"{OwnDrawing(data)}, scored and learnt after the given ones" : "not drawn")}, because {own.Because}.");
        _report.Note("own_answers", new JsonObject { ["drawn"] = own.Drawn, ["because"] = own.Because, ["given"] = gap?.Given, ["own"] = gap?.Own, ["n"] = gap?.Answers });
        return own;
    }

    private IHeldOut HeldOut(AlignRule rule, AlignData data, int window, ShiftHeldOut? labels) =>
        rule.Stage is "sft" or "pretrain" ? ShiftHeldOut.OfRows(data.Held, window, _options.Items)
        : _book is not null ? new WorldHeldOut(_book, _judge!)
        : _ranker is not null && AlignData.Scorable(data.HeldPrompts, _ranker) is { Count: > 0 } asked ? new AnswerHeldOut(_ranker, asked, _options.MaxTokens)
        : labels ?? throw new AttuneException("ATT4814", "Nothing can tell whether the version gets better: no prompt is held out.") { Field = "held_out", Hint = "Give more prompts or a larger --held-out; or --world, whose questions measure." };

    // What the labels themselves say of held-out prompts; null where the data has none.
    private static ShiftHeldOut? LabelsHeldOut(AlignData data, int window) =>
        data.HeldPairs.Count > 0 ? ShiftHeldOut.OfPairs(data.HeldPairs, window)
        : data.HeldLabels.Count > 0 ? ShiftHeldOut.OfLabels(data.HeldLabels, window)
        : null;

    // What the start thinks of the pairs is the one thing about them that their labels did not decide.
    private void Lean(AlignData data, int window, CancellationToken cancel)
    {
        var lean = WinRate.OfShifts(PairLean.Of(_given.Files, data.SomePairs, window, cancel));
        _report.Note("lean", AlignReport.Figures(lean));
        _report.Doubt(AlignDoubt.OfLean(lean));
    }

    private void TellNewness(AlignData data, int window, CancellationToken cancel)
    {
        var newness = TextNewness.Of(_given, KnownLoss.Recorded(_store, _given), data.SomeTexts, window, cancel);
        Terminal.Out.Line($"[bold]texts[/]: {newness.Describe()}.");
        _report.Note("texts", newness.ToJson());
    }

    private void DoubtLabels(AlignRounds rounds, TaskGate tasks)
    {
        WinRate[] labels = [.. rounds.Measured.Select(r => r.Labels).OfType<WinRate>()];
        _report.Doubt(AlignDoubt.OfSignal(labels));
        if (labels.Length > 0)
            _report.Doubt(AlignDoubt.OfEvidence(labels[^1], rounds.ByLabels ? null : rounds.Measured[^1].Won, tasks.HasTasks));
    }

    // A part of the data for each value of β or of the KL coefficient; the one that wins most without passing the bound.
    // The clock is looked at before each: what the sweep is for comes first.
    private (AlignSettings Settings, AlignCost Plan) Sweep(AlignSettings settings, AlignData data, AlignRounds rounds, AlignCost plan, CancellationToken cancel)
    {
        var pull = ReferencePull.Of(settings.Stage)!;
        var (best, bestRate, count) = ((double?)null, double.NegativeInfinity, 0);
        foreach (var value in pull.Swept.Take(plan.Swept))
        {
            if (!plan.HasRoomToSweep(_clock.Elapsed, 1))
            {
                Terminal.Out.Line($"  the budget leaves no room for more of the sweep, after {count} of {plan.Swept} values.");
                break;
            }
            var tried = settings.Pulled(pull, value, PullChoice.Tried);
            var (version, facts) = _training.Run(tried, data.Sweep, _start, string.Create(CultureInfo.InvariantCulture, $"sweep-{value}"), 1, cancel);
            if (plan.RoundSeconds is null)
            {
                plan = plan.Measured(facts.Seconds, _clock.Elapsed);
                Terminal.Out.Line($"[bold]cost[/], measured: {plan.Describe()}");
            }
            count++;
            var (won, kl) = rounds.Measure(version, cancel);
            var tally = AlignReport.Figures(won);
            (tally[pull.Option], tally["kl"]) = (value, AlignReport.Finite(kl));
            _report.Note("sweep", tally);
            Terminal.Out.Line($"  {pull.Option} {value}: win rate {won.Value * 100:F1}% ({won.Low * 100:F1} to {won.High * 100:F1}), KL {kl:F2}");
            if (kl <= settings.KlBound(_options) && won.Value > bestRate)
                (best, bestRate) = (value, won.Value);
        }
        plan = plan.Tried(count);
        // One value alone has beaten none: the usual one stands.
        return (count < 2 ? settings
            : best is { } winner ? settings.Pulled(pull, winner, PullChoice.Winner(bestRate, count, _options.SweepShare))
            : settings with { Pull = PullChoice.NoneKept(count) }, plan);
    }

    // Rounds on what is given; once more and gentler, where the first of them already forgets a task, and then as often over
    // the data as its steps are smaller; then one on the version's own answers, from the best, where that pays.
    private void Train(AlignSettings settings, bool draws, AlignData data, AlignRounds rounds, AlignCost plan, CancellationToken cancel)
    {
        var end = Train("round", plan.Rounds, settings, draws, data, rounds, plan, cancel);
        if (end == RoundEnd.Forgets && !rounds.HasBest && settings.Gentler(_options) is { } gentler)
        {
            if (!plan.HasRoomForRound(_clock.Elapsed))
            {
                Terminal.Out.Line($"  the budget leaves no room to try again, gentler: a larger --budget does.");
                return;
            }
            (settings, var changed) = gentler;
            Terminal.Out.Line($"[bold]again[/] from the start, gentler: {changed}.");
            _report.Note("gentler", new JsonObject { ["changed"] = changed });
            end = Train("gentler", plan.Rounds * AlignSettings.GentlerBy, settings, draws, data, rounds, plan, cancel);
        }
        if (_training.Own is not { Drawn: true } || end == RoundEnd.TooFar || (end == RoundEnd.Forgets && !rounds.HasBest) || IsOver("before the version's own answers"))
            return;
        if (new OwnAnswers(_options, _ranker!, data.Folder).Pairs(rounds.Best, AlignData.Scorable(data.Prompts, _ranker!), cancel) is not { } own)
            Terminal.Out.Line($"  no two of the version's own answers are scored differently: there is nothing more to learn from them.");
        else
            rounds.Take(_training.Run(settings, own, rounds.Best, "own-1", 1, cancel).Version, cancel);
    }

    // Each round goes on from the one before; those beyond the plan's go over the data again.
    private RoundEnd Train(string part, int most, AlignSettings settings, bool draws, AlignData data, AlignRounds rounds, AlignCost plan, CancellationToken cancel)
    {
        var (now, end) = (_start, RoundEnd.No);
        for (var round = 0; round < most && end == RoundEnd.No; round++)
        {
            if (round > 0 && IsOver($"after {round} of {most} rounds"))
                break;
            if (round >= plan.Rounds && !plan.HasRoomForRound(_clock.Elapsed))
                break;
            now = _training.Run(settings, Learnt(draws, data, round % plan.Rounds, now, cancel), now, FormattableString.Invariant($"{part}-{round + 1}"), plan.Share, cancel).Version;
            end = rounds.Take(now, cancel);
        }
        return end;
    }

    private bool IsOver(string when)
    {
        if (_clock.Elapsed <= Allowed)
            return false;
        Terminal.Out.Line($"  the budget ends here, {when}.");
        return true;
    }

    // What a round learns from: its part of the data, or the answers that the version gives to its part of the prompts.
    private string Learnt(bool draws, AlignData data, int round, ModelVersion version, CancellationToken cancel) => draws
        ? new OwnAnswers(_options, _ranker!, data.Folder).Pairs(version, [.. AlignData.InRound(data.Prompts, round, _options.Rounds)], cancel)
            ?? throw new AttuneException("ATT4813", "No two answers of the version are scored differently: there is nothing to learn from.") { Hint = "More --answers, other rules, or prompts that are harder for it." }
        : data.Round(round);

    private int Finish(AlignDecision decision, AlignRounds rounds, TaskGate tasks)
    {
        var best = rounds.Best;
        if (!tasks.HasTasks)
            Terminal.Out.Line($"  [yellow]note[/]: no tasks were given (--world, --tasks): nothing says whether the version forgot what it could.");
        var forgotten = rounds.HasBest ? [] : rounds.Tasks.Where(c => c.Forgotten(_options.Tolerance)).Select(c => c.Name).ToList();
        var same = best.Digest == _start.Digest;
        var report = _report.With(new()
        {
            ["schema"] = 1,
            ["kind"] = "align",
            ["start"] = _given.Digest,
            ["after_first"] = _start.Digest == _given.Digest ? null : _start.Digest,
            ["rule"] = decision.Rule.Name,
            ["why"] = decision.Rule.Why,
            ["rounds"] = rounds.Measured.Count,
            ["tasks"] = TaskChange.ToJson(rounds.Tasks),
            ["forgotten"] = new JsonArray([.. forgotten.Select(f => (JsonNode)f)]),
            ["seconds"] = _clock.Elapsed.TotalSeconds,
            ["budget_seconds"] = _options.Budget.TotalSeconds,
        });
        foreach (var version in new[] { same ? null : best, rounds.Refused }.OfType<ModelVersion>())
            _store.AttachReport(version.Digest, "align", report);
        Atomic.WriteAllText(Path.Combine(_folder, "align.json"), report.ToJsonString(new() { WriteIndented = true }));
        if (_options.Json)
            Terminal.WriteJson(report);
        if (rounds.Refused is { } refused && same)
        {
            Terminal.Out.Line($"[red]refused[/]: the version wins pairs and forgets its tasks ({string.Join(", ", forgotten)}). It stays in the store as {refused.ShortDigest}, without a name.");
            Terminal.Out.Line($"  Conversations that taught it those tasks, given beside the rest (--data), are learnt first and hold it to them.");
            return ExitCode.GateSaidNo;
        }
        if (same)
        {
            if (_start.Digest != _given.Digest)
                Terminal.Out.Line($"  what it learnt first stays in the store as {_start.ShortDigest}, without a name.");
            Terminal.Out.Line($"No round beat the start: there is no new version. The report: {Path.Combine(_folder, "align.json")}");
            return ExitCode.GateSaidNo;
        }
        if (_options.SaveAs is { } name)
            _store.Tag(name, best.Digest);
        Terminal.Out.Line($"[green]aligned[/]: {_options.SaveAs ?? best.ShortDigest} in {_clock.Elapsed.TotalMinutes:F1} minutes. The report is attached, and in {Path.Combine(_folder, "align.json")}.");
        return ExitCode.Done;
    }

    private void Tell(AlignEvidence evidence, AlignDecision decision, AlignData data, AlignSettings settings)
    {
        var (console, rule) = (Terminal.Out, decision.Rule);
        console.Line($"[bold]data[/]: {evidence.Pairs} pairs ({evidence.WithMargin} with a margin, {evidence.Contradictions * 100:F1}% contradict others), {evidence.Good} good and {evidence.Bad} bad answers, {evidence.LoneScores} scored ones alone to their prompt, {evidence.Prompts} prompts, {evidence.Conversations} conversations, {evidence.Texts} texts; {string.Join(", ", evidence.Languages)}");
        _report.Faults(data.Rows);
        foreach (var first in decision.First)
            console.Line($"[bold]first[/]: {first.Stage} by rule '{first.Name}' ({first.When}), because {first.Why}.");
        console.Line($"[bold]decided[/]: {settings.Stage} by rule '{rule.Name}' ({rule.When})");
        console.Line($"  because {rule.Why}.");
        foreach (var beside in decision.Beside)
            console.Line($"[bold]beside[/]: {beside.When}: {beside.What}.");
        if (_options.Method is { } method && method != rule.Stage)
            console.Line($"  [yellow]note[/]: --method {method} stands over that.");
        console.Line($"  options: {string.Join(", ", settings.Options.Select(o => $"{o.Key} {OptionText.Of(o.Value)}"))}");
        _report.Note("data", new JsonObject
        {
            ["first"] = new JsonArray([.. decision.First.Select(f => (JsonNode)f.Name)]),
            ["beside"] = new JsonArray([.. decision.Beside.Select(b => (JsonNode)b.Name)]),
            ["pairs"] = evidence.Pairs,
            ["good"] = evidence.Good,
            ["bad"] = evidence.Bad,
            ["lone_scores"] = evidence.LoneScores,
            ["prompts"] = evidence.Prompts,
            ["conversations"] = evidence.Conversations,
            ["texts"] = evidence.Texts,
        });
    }
}
