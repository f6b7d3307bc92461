using System.Diagnostics;
using System.Globalization;
using Attune.App.Cli;
using Attune.App.Runs;
using Attune.Core.Options;
using Attune.Core.Worlds;
using Attune.Prompts;
using Attune.Torch.Stages;
using Spectre.Console;

namespace Attune.App.Recipes;

/// <summary>
/// Runs the stages of a recipe in order. Each has a folder of its own under the recipe's; a stage that is complete is
/// not run again and one that was interrupted goes on where it stopped, so the same command resumes the whole recipe.
/// </summary>
/// <remarks>
/// In the YAML, <c>${world}</c> stands for the folder that the world was written to and <c>${name}</c> for the name
/// of its versions (world, or world-zh).
/// </remarks>
internal sealed class RecipeRunner(RecipePlace place)
{
    private static readonly string[] StageNames = ["world", "pretrain", "sft", "reward", "refresh", "ppo", "grpo", "rloo", "dpo", "kto", "orpo", "simpo", "compare"];

    private string World => Path.Combine(place.Out, "world");

    private readonly List<string> _made = [];

    /// <summary>Runs them all, and names the versions that came of it, in order.</summary>
    public IReadOnlyList<string> Run(CancellationToken cancel)
    {
        // Every option is bound before the first stage runs: a misspelt one in the last stage costs no training.
        var steps = Bind();
        Directory.CreateDirectory(place.Out);
        foreach (var step in steps)
        {
            cancel.ThrowIfCancellationRequested();
            step(cancel);
        }
        return _made;
    }

    /// <summary>Reads the recipe and binds every stage to its options, without running any.</summary>
    /// <exception cref="AttuneException">The recipe cannot be read (ATT4103), or an option of it is wrong.</exception>
    internal IReadOnlyList<Action<CancellationToken>> Bind()
    {
        var recipe = Recipe.FromYaml(Substitute(ReadYaml()), place.Recipe, StageNames);
        return [.. recipe.Stages.Select((stage, i) => Bind(stage, i + 1, recipe.Stages.Count))];
    }

    private Action<CancellationToken> Bind(RecipeStage stage, int number, int count)
    {
        var heading = $"[bold]{number}/{count} {stage.Name}[/]";
        var seed = Layer("seed", place.Seed);
        switch (stage.Name)
        {
            case "world":
                var world = stage.Bind<WorldOptions>(flags: seed.Under(Layer("language", place.Language)));
                world.Validate();
                _ = WorldLanguage.Of(world.Language);
                return cancel => MakeWorld(world, heading, cancel);
            case "compare":
                var compare = stage.Bind<ComparisonOptions>(flags: place.Items is { } items ? Layer("items", items) : null);
                return cancel =>
                {
                    Terminal.Error.MarkupLine(heading);
                    new Comparison(compare with { Store = place.Store, World = World, Out = place.Out }).Run(cancel);
                };
            default:
                var (where, what) = stage.Options.Split<Place>();
                var options = BindTraining(stage.Name, what, seed);
                var at = OptionsBinder.Bind<Place>(null, where) with
                {
                    Store = place.Store,
                    Run = Path.Combine(place.Out, RunName(number, stage.Name, where)),
                    Restart = place.Restart,
                    Threads = place.Threads,
                };
                return cancel => Train(options, at, heading, cancel);
        }
    }

    /// <summary>
    /// 3-sft-instruct: two recipes that share an out folder share the stages that make the same version of the same name,
    /// and no others.
    /// </summary>
    private static string RunName(int number, string stage, OptionLayer place)
    {
        var version = OptionsBinder.Bind<Place>(null, place).SaveAs is { } name ? "-" + name[(name.IndexOf(':', StringComparison.Ordinal) + 1)..] : "";
        return string.Create(CultureInfo.InvariantCulture, $"{number}-{stage}{version}");
    }

    /// <summary>The options of a training stage from layers, the second over the first.</summary>
    internal static TrainingOptions BindTraining(string stage, OptionLayer options, OptionLayer seed) => stage switch
    {
        "pretrain" => OptionsBinder.Bind<PretrainOptions>(null, options, seed),
        "sft" => OptionsBinder.Bind<SftOptions>(null, options, seed),
        "reward" => OptionsBinder.Bind<RewardOptions>(null, options, seed),
        "refresh" => OptionsBinder.Bind<RewardRefreshOptions>(null, options, seed),
        "ppo" => OptionsBinder.Bind<PpoOptions>(null, options, seed),
        "grpo" => OptionsBinder.Bind<GrpoOptions>(null, options, seed),
        "rloo" => OptionsBinder.Bind<RlooOptions>(null, options, seed),
        "kto" => OptionsBinder.Bind<KtoOptions>(null, options, seed),
        "orpo" => OptionsBinder.Bind<OrpoOptions>(null, options, seed),
        "simpo" => OptionsBinder.Bind<SimpoOptions>(null, options, seed),
        _ => OptionsBinder.Bind<DpoOptions>(null, options, seed),
    };

    private void Train(TrainingOptions options, Place at, string heading, CancellationToken cancel)
    {
        var clock = Stopwatch.StartNew();
        Terminal.Error.MarkupLine($"{heading} → {Markup.Escape(at.SaveAs ?? "unnamed")}");
        var outcome = StageRunner.Run(options, at, cancel);
        _made.Add(at.SaveAs ?? outcome.Version.ShortDigest);
        Terminal.Error.Line($"  stored {outcome.Version.Name} ({outcome.Version.Kind}, {outcome.Version.ShortDigest}); {clock.Elapsed.TotalSeconds:F0} s, {outcome.Facts.ShareOfCeiling:P0} of the matmul ceiling ({outcome.Facts.CeilingPerSecond / 1e9:F0} GFLOP/s)");
    }

    private void MakeWorld(WorldOptions options, string heading, CancellationToken cancel)
    {
        var there = !place.Restart && WorldFolder.Holds(World, options);
        Terminal.Error.MarkupLine($"{heading} → {Markup.Escape(World)}{(there ? " (already there)" : "")}");
        if (there)
            return;
        foreach (var file in WorldFolder.Write(options, World, cancel).Where(f => !f.Path.Contains("questions", StringComparison.Ordinal)))
            Terminal.Error.Line($"  {Path.GetFileName(file.Path),-24} {file.Rows,9:N0} rows");
    }

    private string ReadYaml()
    {
        try
        {
            return File.ReadAllText(place.Recipe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AttuneException("ATT4103", "The recipe cannot be read.", e) { File = place.Recipe, Hint = "Give a YAML file, or the name of one in recipes/." };
        }
    }

    private string Substitute(string yaml) => yaml
        .Replace("${world}", World.Replace('\\', '/'), StringComparison.Ordinal)
        .Replace("${name}", place.Language == "en" ? "world" : $"world-{place.Language}", StringComparison.Ordinal);

    private static OptionLayer Layer(string key, object value) =>
        OptionLayer.FromValues(new Dictionary<string, object?> { [key] = value }, "the command line");
}

/// <summary>Where a recipe runs, and what the command line says over it.</summary>
internal sealed record RecipePlace
{
    /// <summary>The YAML file.</summary>
    public required string Recipe { get; init; }

    /// <summary>The folder of the run.</summary>
    public required string Out { get; init; }

    /// <summary>The store of versions.</summary>
    public required string Store { get; init; }

    /// <summary>Language of the world.</summary>
    public required string Language { get; init; }

    /// <summary>Seed of the world and of every stage.</summary>
    public required long Seed { get; init; }

    /// <summary>Items of each question set, or null for what the recipe says.</summary>
    public int? Items { get; init; }

    /// <summary>Threads; 0 for every core.</summary>
    public int Threads { get; init; }

    /// <summary>Throw away what the folder holds.</summary>
    public bool Restart { get; init; }
}
