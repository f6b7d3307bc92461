using System.Globalization;
using System.Text.Json.Nodes;
using Attune.App.Cli;
using Attune.App.Recipes;
using Attune.App.Runs;
using Attune.Core.Checkpoints;
using Attune.Core.Evaluation;
using Attune.Core.Evaluation.Alignment;
using Attune.Core.Options;
using Attune.Core.Versions;
using Attune.Core.Worlds;
using Attune.Prompts;
using Spectre.Console;

namespace Attune.App.Alignment;

/// <summary>
/// SFT, RLHF and DPO from the same version on the same preferences: plans the arms, trains them, measures them, and says
/// what the figures say of four questions and of a sceptic's. What is done is not done again, so the same command resumes.
/// </summary>
internal sealed class CompareAlignment(CompareAlignmentOptions options)
{
    private static readonly (string Method, string Basis, string BasisZh, string Models, string Knobs)[] Methods =
    [
        ("sft", "imitates the chosen answers; never sees a rejected one", "模仿被选中的回答，看不到被拒绝的回答", "1: policy", "learning rate, epochs"),
        ("dpo", "raises the chosen answer's odds over the rejected one's, against where it started", "相对起点提高被选中回答对被拒绝回答的几率", "2: policy, reference (its log-probabilities are computed once, before)", "β, learning rate"),
        ("rlhf", "learns a reward from the pairs, then draws answers of its own and raises what is rewarded", "先从成对偏好学习奖励，再采样自己的回答并强化高奖励者", "4: policy, reference, reward model, value model", "KL coefficient, learning rates of three models, clip, rollout size, updates, reward model's own training"),
    ];

    /// <summary>Runs it; returns the exit code.</summary>
    public int Run(CancellationToken cancel)
    {
        if (options.Groups.FirstOrDefault(g => !AlignmentPlan.Groups.Contains(g)) is { } unknown)
            throw new AttuneException("ATT4802", $"There is no part '{unknown}' of the comparison.") { Field = "groups", Hint = Nearest.Hint(unknown, AlignmentPlan.Groups) + $" Parts are {string.Join(", ", AlignmentPlan.Groups)}." };
        var world = WorldFolder.Read(options.World);
        var store = Running.OpenStore(options.Store);
        var (instruct, start) = (store.Resolve(options.Instruct), store.Resolve(options.Base));
        var usual = options.Scale == PlanScale.Tiny ? AlignmentScale.Tiny : AlignmentScale.Full;
        var scale = usual with { Seeds = options.Seeds ?? usual.Seeds, SweepSeeds = Math.Min(usual.SweepSeeds, options.Seeds ?? usual.Seeds), PpoSteps = options.PpoSteps ?? usual.PpoSteps, SequenceLength = HuggingFaceConfig.Read(instruct.Files.Require(ModelFiles.Config)).ContextLength };
        var data = AlignmentData.Write(options.World, Path.Combine(options.Out, "data"), options.Rows, world.Seed, cancel);
        var plan = AlignmentPlan.Of(scale, options.Groups.Count == 0 ? AlignmentPlan.Groups : options.Groups, data);
        if (options.DryRun)
        {
            AlignmentTable.PrintPlan(plan);
            return ExitCode.Done;
        }

        var runs = new AlignmentRuns(Path.Combine(options.Out, "runs"), options.Store, instruct, start, options.Threads).Run(plan, cancel);

        var judge = new WorldJudge(World.Create(world).Language);
        var book = new AnswerBook(options.World, options.Split, options.Items, options.MaxTokens, options.Out);
        var sets = book.Questions(AlignmentFigures.Sets);
        var measure = new AlignmentMeasure(book, judge, data.HeldOut, options.Prompts, options.MaxTokens, options.Out);
        // A policy is judged by the reward model of its own seed: by the one that it may have learnt to exploit.
        var rewards = runs.Where(r => r.Arm.Key == "rlhf").ToDictionary(r => r.Seed, r => r.Reward);
        var measured = runs.Select(r => measure.Of(r, sets, rewards.GetValueOrDefault(r.Seed), cancel)).ToList();
        var started = measured.Where(m => m.Run.IsStart).ToDictionary(m => m.Run.Seed, m => m.Drawn.Rewards);
        var figures = plan.Select(arm => Figures(arm, [.. measured.Where(m => m.Run.Arm == arm)], started, data)).ToList();
        Write(plan, runs, figures, judge, world, store, data);
        return ExitCode.Done;
    }

    private ArmFigures Figures(AlignmentArm arm, IReadOnlyList<MeasuredRun> runs, Dictionary<long, double[]?> started, AlignmentData data)
    {
        var costs = new Dictionary<string, IReadOnlyList<double>>(StringComparer.Ordinal);
        void Line(string name, Func<StageRun, double> figure, Func<StageRun, bool> which)
        {
            if (runs.Any(r => r.Run.Stages.Any(which)))
                costs[name] = [.. runs.Select(r => r.Run.Stages.Where(which).Sum(figure))];
        }

        // Collecting is people's time; it is the same for all who train on the same preferences.
        if (arm is { Group: "main", Versions: > 0 })
            costs["collecting.hours"] = [.. runs.Select(_ => data.PairCount * options.SecondsPerJudgement / 3600)];
        foreach (var (line, which) in new (string, Func<StageRun, bool>)[] { ("reward", s => s.Stage == "reward"), ("upkeep", s => s.Stage == "refresh"), ("policy", s => s.Stage is not ("reward" or "refresh")) })
        {
            Line($"{line}.seconds", s => s.Facts.Seconds + s.Facts.ReferenceSeconds, which);
            Line($"{line}.megabytes", s => s.Facts.PeakMemoryBytes / 1e6, which);
            Line($"{line}.tokens", s => s.Facts.Tokens + s.Facts.Sampled, which);
        }
        // Reward models agree on differences alone: each seed's is read above what it gives the start.
        double[][] rewards = [.. runs.Where(r => r.Drawn.Rewards is not null).Select(r => r.Drawn.Rewards!.Zip(started[r.Run.Seed]!, (now, before) => now - before).ToArray())];
        double[][] preference = [.. runs.Select(r => r.Preference).Where(p => p.Length > 0)];
        return new ArmFigures(arm.Key, [.. runs.Select(r => r.Judged)], [.. runs.Select(r => r.Drawn.Kl)], rewards, [.. runs.Select(r => r.Drawn.Grades)], preference, costs);
    }

    private void Write(IReadOnlyList<AlignmentArm> plan, IReadOnlyList<ArmRun> runs, IReadOnlyList<ArmFigures> figures, WorldJudge judge, WorldOptions world, ModelStore store, AlignmentData data)
    {
        var rows = AlignmentFigures.Rows(figures, judge, world.Seed);
        var answers = AlignmentFindings.Answer(figures.ToDictionary(f => f.Key, AlignmentFigures.Outcome, StringComparer.Ordinal), AlignmentFigures.Clusters(figures[0].Judged[0]));
        MethodCard[] methods = [.. Methods.Select(m => new MethodCard(m.Method, m.Basis, m.BasisZh, m.Models, m.Knobs, plan.First(a => a.Key == m.Method).Stages.Sum(stage => stage.RecipeLines)))];
        var report = new Report
        {
            Kind = "alignment",
            Subjects = runs.ToDictionary(r => string.Create(CultureInfo.InvariantCulture, $"{r.Arm.Key}, seed {r.Seed}"), r => r.Version.Digest, StringComparer.Ordinal),
            Command = string.Create(CultureInfo.InvariantCulture, $"attune compare-alignment --world {options.World} --instruct {options.Instruct} --base {options.Base} --scale {OptionText.Of(options.Scale)}"),
            Options = OptionsBinder.ToJson(options),
            Environment = MachineFacts.Of(store, runs.Select(r => (ModelVersion?)r.Version)),
            Rows = rows,
            Details = Details(plan, answers, methods, data),
        };
        Atomic.WriteAllText(Path.Combine(options.Out, "alignment.json"), report.ToJson().ToJsonString(new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
        string[] arms = [.. figures.Select(f => f.Key)];
        Atomic.WriteAllText(Path.Combine(options.Out, "alignment.html"), AlignmentHtml.Render(report, methods, arms, answers, AlignmentSweeps.Of(plan, rows), world.Language));
        if (options.Json)
            Terminal.WriteJson(report.ToJson());
        else
            AlignmentTable.Print(report, methods, arms, answers, Path.Combine(options.Out, "alignment.html"));
    }

    private static JsonObject Details(IReadOnlyList<AlignmentArm> plan, IReadOnlyList<AlignmentAnswer> answers, IReadOnlyList<MethodCard> methods, AlignmentData data) => new()
    {
        ["pairs"] = data.PairCount,
        ["arms"] = new JsonArray([.. plan.Select(arm => (JsonNode)new JsonObject
        {
            ["arm"] = arm.Key,
            ["method"] = arm.Method,
            ["group"] = arm.Group,
            ["varied"] = arm.Varied,
            ["seeds"] = arm.Seeds.Count,
            ["from"] = arm.FromBase ? "base" : "instruct",
            ["stages"] = new JsonArray([.. arm.Stages.Select(s => (JsonNode)s.Stage)]),
        })]),
        ["methods"] = new JsonArray([.. methods.Select(m => (JsonNode)new JsonObject
        {
            ["method"] = m.Key,
            ["basis"] = m.Basis,
            ["models_held"] = m.ModelsHeld,
            ["hyperparameters"] = m.Hyperparameters,
            ["recipe_lines"] = m.RecipeLines,
        })]),
        ["questions"] = new JsonArray([.. answers.Select(a => (JsonNode)new JsonObject
        {
            ["question"] = a.Question,
            ["finding"] = OptionText.Of(a.Finding),
            ["claims"] = new JsonArray([.. a.Claims.Select(c => (JsonNode)new JsonObject
            {
                ["claim"] = c.Text,
                ["aside"] = c.Aside,
                ["measure"] = c.Measure,
                ["value"] = Finite(c.Value),
                ["low"] = Finite(c.Low),
                ["high"] = Finite(c.High),
                ["finding"] = OptionText.Of(c.Finding),
            })]),
        })]),
    };

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;
}
