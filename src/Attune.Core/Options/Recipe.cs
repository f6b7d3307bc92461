namespace Attune.Core.Options;

/// <summary>One stage of a recipe: its name, its options as written, and where.</summary>
/// <param name="Name">pretrain, sft, dpo…</param>
/// <param name="Options">What the recipe says of it; bind it with <see cref="Bind{T}"/>.</param>
/// <param name="Line">The line of its name, counted from one.</param>
public sealed record RecipeStage(string Name, OptionLayer Options, int Line)
{
    /// <summary>The stage's options over a preset, with flags over both.</summary>
    /// <inheritdoc cref="OptionsBinder.Bind{T}(T, ReadOnlySpan{OptionLayer})"/>
    public T Bind<T>(T? preset = null, OptionLayer? flags = null)
        where T : class => flags is null ? OptionsBinder.Bind(preset, Options) : OptionsBinder.Bind(preset, Options, flags);
}

/// <summary>
/// A YAML list of stages, in the order that they run:
/// <code>
/// - pretrain: { data: corpus.txt, steps: 400 }
/// - sft:
///     data: instructions.jsonl
/// - dpo
/// </code>
/// </summary>
/// <param name="Source">The file, as errors name it.</param>
/// <param name="Stages">In the order that they run; at least one.</param>
public sealed record Recipe(string Source, IReadOnlyList<RecipeStage> Stages)
{
    /// <summary>Reads a recipe file.</summary>
    /// <exception cref="OptionsException">ATT4007: it cannot be read; else as <see cref="FromYaml"/>.</exception>
    public static Recipe Read(string path, IReadOnlyCollection<string> knownStages)
    {
        string yaml;
        try
        {
            yaml = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw OptionsException.NoFile(path);
        }
        return FromYaml(yaml, path, knownStages);
    }

    /// <summary>Reads a recipe. The options are checked when they are bound.</summary>
    /// <exception cref="OptionsException">ATT4005: it is not a YAML list of stages; ATT4006: a stage is not in <paramref name="knownStages"/>.</exception>
    public static Recipe FromYaml(string yaml, string source, IReadOnlyCollection<string> knownStages)
    {
        var root = OptionLayer.ParseYaml(yaml, source);
        if (root.List is not { Count: > 0 } items)
            throw OptionsException.Broken("A recipe is a list of stages, each '- name: { options }'.", source, root.Line);
        return new Recipe(source, [.. items.Select(i => Stage(i, source, knownStages))]);
    }

    private static RecipeStage Stage(OptionLayer.Node item, string source, IReadOnlyCollection<string> knownStages)
    {
        var (name, options) = item switch
        {
            { Text: { } bare } => (bare, new OptionLayer.Node(null, item.Line)),
            { Map: [var only] } => only,
            _ => throw OptionsException.Broken("A stage is one name with its options: '- sft: { epochs: 2 }'.", source, item.Line),
        };
        if (!knownStages.Contains(name))
            throw OptionsException.UnknownStage(name, knownStages, source, item.Line);
        return new RecipeStage(name, OptionLayer.Of(options, source), item.Line ?? 0);
    }
}
