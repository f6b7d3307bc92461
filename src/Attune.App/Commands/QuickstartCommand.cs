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
        var made = new RecipeRunner(new RecipePlace
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

        Terminal.Out.Line($"Done in {clock.Elapsed.TotalMinutes:F1} minutes.");
        SayWhatNext(options, folder, made);
        return Task.FromResult(ExitCode.Done);
    }

    private static void SayWhatNext(QuickstartOptions options, string folder, IReadOnlyList<string> made)
    {
        var world = options.Language == "en" ? "world" : $"world-{options.Language}";
        var text = options.Language == "zh" ? "问题：" : "Question: ";
        var store = options.Store == Place.DefaultStore ? "" : $" --store {options.Store}";
        List<(string Command, string What)> next =
        [
            ($"./attune chat {made[^1]}{store}", "talk to it"),
            ($"./attune generate {world}:base \"{text}\"{store}", "see how a Base continues text"),
            ($"./attune versions tree{store}", "which version came from which"),
        ];
        if (made.Count > 2)
            next.Add(($"./attune versions diff {made[1]} {made[^1]}{store}", "what alignment changed"));
        if (Path.GetFileNameWithoutExtension(options.Recipe) == "quickstart")
            next.Add(($"./attune quickstart --recipe protected --language {options.Language} --seed {options.Seed.ToString(CultureInfo.InvariantCulture)} --out {folder}{store}", "from the same Base, an SFT that protects knowledge"));
        var width = next.Max(n => n.Command.Length) + 2;
        Terminal.Out.Line($"Try next:");
        foreach (var (command, what) in next)
            Terminal.Out.Line($"  {command.PadRight(width)}{what}");
    }
}
