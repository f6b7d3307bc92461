using System.CommandLine;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Threading.Channels;
using Attune.App.Cli;
using Attune.App.Runs;
using Attune.Core.Data;
using Attune.Core.Evaluation;
using Attune.Core.Options;
using Attune.Core.Preferences;
using Attune.Inference;
using Attune.Prompts;

namespace Attune.App.Commands;

/// <summary><c>attune rank PROMPTS</c>: answers of one version or several, ranked by a person, rules, a reward model or a judge. <c>attune rank agreement FILE…</c>.</summary>
internal static class RankCommand
{
    internal sealed record AgreementOptions
    {
        [Description("Annotation files; one file may hold several annotators.")]
        public required IReadOnlyList<string> Files { get; init; }

        [Description("Print the report as JSON.")]
        public bool Json { get; init; }
    }

    public static Command Create()
    {
        var rank = Verb.Create<RankOptions>("rank", "Rank sampled answers: by hand, by rules, by a reward model or by a judge.", RunAsync, nameof(RankOptions.Prompts));
        rank.Subcommands.Add(Verb.Create<AgreementOptions>("agreement", "How far annotators agree: Krippendorff's alpha, Cohen's kappa.", Agreement, nameof(AgreementOptions.Files)));
        return rank;
    }

    private static async Task<int> RunAsync(RankOptions options, CancellationToken cancel)
    {
        using var opened = RankVersions.Open(options);
        using var log = AnnotationLog.Open(options.Out);
        if (log.Repaired)
            Terminal.Error.Line($"[yellow]note[/]: the last line of {options.Out} was cut off by a crash; it is taken away.");
        if (options.By == RankBy.Person)
            return await ByHandAsync(options, log, opened, cancel);
        using var ranker = RankerChoice.Of(options);
        return await ByMachineAsync(options, log, opened, ranker, cancel);
    }

    private static async Task<int> ByHandAsync(RankOptions options, AnnotationLog log, RankVersions versions, CancellationToken cancel)
    {
        var session = new RankSession(log, options.Annotator, TimeProvider.System, options.Seed);
        // The next answers are drawn while the person still thinks about these.
        var ready = Channel.CreateBounded<RankTask>(2);
        var tasks = Tasks(log, versions, options.Annotator);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var drawing = Task.Run(async () =>
        {
            try
            {
                await foreach (var task in tasks.WithCancellation(stop.Token))
                    await ready.Writer.WriteAsync(task, stop.Token);
                ready.Writer.Complete();
            }
            catch (Exception e)
            {
                ready.Writer.Complete(e);
            }
        }, CancellationToken.None);
        try
        {
            await RankAsync(session, ready.Reader, cancel);
        }
        finally
        {
            await stop.CancelAsync();
            await drawing;
        }
        Terminal.Out.Line($"{session.Done} judgements by {session.Annotator} in {options.Out}. The same command goes on; ./attune data inspect {options.Out} looks them over.");
        return ExitCode.Done;
    }

    private static async Task RankAsync(RankSession session, ChannelReader<RankTask> ready, CancellationToken cancel)
    {
        var console = Terminal.Out;
        var shown = false;
        while (true)
        {
            if (session.Current is null)
            {
                if (!await ready.WaitToReadAsync(cancel) || !ready.TryRead(out var task))
                    return;
                session.Begin(task);
                shown = false;
            }
            if (!shown)
                RankScreen.ShowTask(console, session);
            shown = true;
            if (RankScreen.ReadKey() is not { } key)
                return;
            if (RankScreen.ActionOf(key) is not var (action, number))
                continue;
            switch (session.Do(action, number))
            {
                case RankResult.Quit:
                    return;
                case RankResult.Changed:
                    RankScreen.ShowOrder(console, session);
                    break;
                case RankResult.Recorded or RankResult.TakenBack:
                    shown = false;
                    break;
            }
            cancel.ThrowIfCancellationRequested();
        }
    }

    private static async Task<int> ByMachineAsync(RankOptions options, AnnotationLog log, RankVersions versions, RankerChoice ranker, CancellationToken cancel)
    {
        var (judged, tied) = (0, 0);
        var display = new CountDisplay($"ranking by {ranker.Ranker.By}", versions.Prompts.Count);
        await foreach (var task in Tasks(log, versions, ranker.Ranker.Name).WithCancellation(cancel))
        {
            var ranked = await ranker.Ranker.RankAsync(task, cancel);
            log.Append(new Annotation
            {
                Event = AnnotationEvent.Ranked,
                Task = task,
                Annotator = ranker.Ranker.Name,
                By = ranker.Ranker.By,
                Time = TimeProvider.System.GetUtcNow(),
                Scores = ranked.Scores,
                Details = ranked.Details,
            });
            judged++;
            tied += ranked.Scores.All(s => s == ranked.Scores[0]) ? 1 : 0;
            display.Add(1);
        }
        display.Close();
        Terminal.Out.Line($"{judged} prompts ranked into {options.Out}, {tied} of them all tied; {versions.Prompts.Count - judged} were done before, too long, or had no two different answers.");
        if (ranker.Ranker is JudgeRanker { Counts: var (pairs, swayed, unreadable) } && pairs > 0)
            Terminal.Out.Line($"Of {pairs} comparisons {swayed} went to the place instead of the answer (counted as ties); {unreadable} of {2 * pairs} judgements could not be read.");
        return ExitCode.Done;
    }

    /// <summary>The tasks that this annotator has not dealt with, in the order of the prompts; answers that somebody else was shown are shown again.</summary>
    private static async IAsyncEnumerable<RankTask> Tasks(AnnotationLog log, RankVersions versions, string annotator)
    {
        var left = versions.Prompts.Where(p => !log.HasDone(annotator, p.Prompt)).Select(p => (Prompt: p, Known: log.TaskOf(p.Prompt))).ToList();
        foreach (var (prompt, known) in left)
        {
            if ((known ?? await versions.TaskAsync(prompt)) is { } task)
                yield return task;
        }
    }

    private static Task<int> Agreement(AgreementOptions options, CancellationToken cancel)
    {
        var rows = AnnotatorAgreement.Measure([.. options.Files.SelectMany(AnnotationLog.Read)]);
        if (options.Json)
        {
            Terminal.WriteJson(new Report
            {
                Kind = "agreement",
                Subjects = options.Files.ToDictionary(f => f, f => f, StringComparer.Ordinal),
                Command = $"attune rank agreement {string.Join(' ', options.Files)}",
                Options = OptionsBinder.ToJson(options),
                Environment = MachineFacts.Of(null, []),
                Rows = rows,
            }.ToJson());
            return Task.FromResult(ExitCode.Done);
        }
        var table = Terminal.TableOf("", "annotators", "value", "95%", "n");
        foreach (var row in rows)
            table.AddPlainRow(row.Metric["agreement.".Length..], row.Group, Number(row.Value), $"{Number(row.Low)} to {Number(row.High)}", row.N.ToString(CultureInfo.InvariantCulture));
        Terminal.Out.Write(table);
        Terminal.Out.Line($"Alpha and kappa: 1 is full agreement, 0 what chance gives. Alpha's n is tasks, the others' pairs of answers.");
        return Task.FromResult(ExitCode.Done);
    }

    private static string Number(double value) => value.ToString("F3", CultureInfo.InvariantCulture);
}
