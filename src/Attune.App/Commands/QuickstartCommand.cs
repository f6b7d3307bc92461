using System.CommandLine;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics;
using System.Globalization;
using Attune.App.Cli;
using Attune.App.Recipes;
using Attune.App.Runs;
using Spectre.Console;

namespace Attune.App.Commands;

/// <summary><c>attune quickstart</c>: from nothing to a Chat version, and what each version on the way is good and bad at.</summary>
internal static class QuickstartCommand
{
    internal sealed record QuickstartOptions
    {
        [Description("A recipe of recipes/ (quickstart, tiny, protected) or a YAML file.")]
        public string Recipe { get; init; } = "quickstart";

        [Description("Language of the world: en or zh.")]
        public string Language { get; init; } = "en";

        [Description("Seed of the world and of every stage.")]
        public long Seed { get; init; } = 7;

        [Description("Folder of data, runs and the report. [runs/RECIPE-LANGUAGE-SEED]")]
        public string? Out { get; init; }

        [Description("Folder of the versions.")]
        public string Store { get; init; } = Place.DefaultStore;

        [Description("Questions of each set in the evaluation; the recipe's number unless given."), Range(1, 1_000_000)]
        public int? Items { get; init; }

        [Description("Threads of the arithmetic; 0 takes every core."), Range(0, 1024)]
        public int Threads { get; init; }

        [Description("Throw away what the folder holds and begin again.")]
        public bool Restart { get; init; }
    }

    public static Command Create() => Verb.Create<QuickstartOptions>(
        "quickstart", "From nothing to a Base, an Instruct and a Chat version, evaluated side by side.", Run);

    private static Task<int> Run(QuickstartOptions options, CancellationToken cancel)
    {
        var clock = Stopwatch.StartNew();
        var recipe = RecipeFiles.Find(options.Recipe);
        var name = Path.GetFileNameWithoutExtension(recipe);
        var folder = options.Out ?? Path.Combine("runs", string.Create(CultureInfo.InvariantCulture, $"{name}-{options.Language}-{options.Seed}"));
        new RecipeRunner(new RecipePlace
        {
            Recipe = recipe,
            Out = folder,
            Store = options.Store,
            Language = options.Language,
            Seed = options.Seed,
            Items = options.Items,
            Threads = options.Threads,
            Restart = options.Restart,
        }).Run(cancel);

        var world = options.Language == "en" ? "world" : $"world-{options.Language}";
        var console = Terminal.Out;
        console.Line($"Done in {clock.Elapsed.TotalMinutes:F1} minutes. The report: {Path.Combine(folder, "report.html")} (and report.json).");
        console.Line($"Try next:");
        var store = options.Store == Place.DefaultStore ? "" : $" --store {options.Store}";
        foreach (var (command, remark) in new[]
        {
            ($"chat {world}:chat{store}", "talk to it"),
            ($"generate {world}:base \"{(options.Language == "zh" ? "问题：" : "Question: ")}\"{store}", "see how a Base continues text"),
            ($"versions tree{store}", "which version came from which"),
            ($"versions diff {world}:instruct {world}:chat{store}", "what alignment changed"),
            ("quickstart --recipe protected", "the same with an SFT that protects knowledge"),
        })
        {
            console.Line($"  ./attune {command,-44} {remark}");
        }
        return Task.FromResult(ExitCode.Done);
    }
}
