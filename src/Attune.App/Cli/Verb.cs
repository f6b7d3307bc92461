using System.CommandLine;
using System.CommandLine.Parsing;
using Attune.Core.Options;

namespace Attune.App.Cli;

/// <summary>
/// Makes a verb out of an options record: its members are the flags, their descriptions the help, their defaults
/// the defaults. <c>--options FILE</c> gives the same keys in YAML; flags win over it.
/// </summary>
internal static class Verb
{
    /// <summary>A verb whose flags come from two records: where things lie, and what to do.</summary>
    /// <inheritdoc cref="Create{T}"/>
    public static Command Create<TPlace, T>(string name, string description, Func<TPlace, T, CancellationToken, Task<int>> run, params string[] positional)
        where TPlace : class
        where T : class => Create(name, description, [.. OptionsSchema.Leaves<T>(), .. OptionsSchema.Leaves<TPlace>()], positional, (layer, cancel) =>
        {
            var (own, rest) = layer.Split<TPlace>();
            return run(OptionsBinder.Bind<TPlace>(null, own), OptionsBinder.Bind<T>(null, rest), cancel);
        });

    /// <summary>A verb whose flags are the members of one record.</summary>
    /// <param name="name">The word after <c>attune</c>.</param>
    /// <param name="description">One sentence for the help.</param>
    /// <param name="run">Runs with the bound options; returns an exit code.</param>
    /// <param name="positional">Members that may also be given without their flag, in this order.</param>
    public static Command Create<T>(string name, string description, Func<T, CancellationToken, Task<int>> run, params string[] positional)
        where T : class =>
        Create(name, description, OptionsSchema.Leaves<T>(), positional, (layer, cancel) => run(OptionsBinder.Bind<T>(null, layer), cancel));

    private static Command Create(string name, string description, IReadOnlyList<OptionField> fields, string[] positional, Func<OptionLayer, CancellationToken, Task<int>> run)
    {
        var command = new Command(name, description);
        var readers = new List<Action<ParseResult, Dictionary<string, object?>>>();
        foreach (var key in positional)
            readers.Add(AddArgument(command, fields.Single(f => f.Name == key)));
        foreach (var field in fields)
            readers.Add(AddFlag(command, field));

        var file = new Option<string?>("--options") { Description = "A YAML file with any of these options, by their names in snake case.", HelpName = "FILE" };
        command.Options.Add(file);
        command.SetAction((parsed, cancel) =>
        {
            var flags = new Dictionary<string, object?>(StringComparer.Ordinal);
            foreach (var read in readers)
                read(parsed, flags);
            var layer = OptionLayer.FromValues(flags, "the command line");
            return run(parsed.GetValue(file) is { } path ? OptionLayer.FromFile(path).Under(layer) : layer, cancel);
        });
        return command;
    }

    private static Action<ParseResult, Dictionary<string, object?>> AddArgument(Command command, OptionField field)
    {
        // A required member may still come from its flag or from --options; the binder says when it is missing.
        var name = field.Key.Replace('_', '-');
        Argument argument = field.Kind == OptionKind.TextList
            ? new Argument<string[]>(name) { Description = field.Description, Arity = ArgumentArity.ZeroOrMore }
            : new Argument<string?>(name) { Description = field.Description, Arity = ArgumentArity.ZeroOrOne };
        // A misspelt flag must not pass for a file name.
        argument.Validators.Add(result =>
        {
            foreach (var token in result.Tokens.Where(t => t.Value.StartsWith("--", StringComparison.Ordinal)))
                result.AddError($"There is no option '{token.Value}'. {Nearest.Hint(token.Value, [.. command.Options.Select(o => o.Name)])}");
        });
        command.Arguments.Add(argument);
        return (parsed, values) => Take(parsed.GetResult(argument), field, values);
    }

    private static Action<ParseResult, Dictionary<string, object?>> AddFlag(Command command, OptionField field)
    {
        var option = new Option<string[]>(field.Flag)
        {
            Description = Describe(field),
            HelpName = HelpName(field),
            Arity = field.Kind == OptionKind.Bool ? ArgumentArity.ZeroOrMore : ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = field.Kind == OptionKind.TextList,
        };
        if (field.Kind != OptionKind.TextList)
        {
            option.Validators.Add(result =>
            {
                if (result.Tokens.Count > 1)
                    result.AddError(FormattableString.Invariant($"The option '{field.Flag}' takes one value; {result.Tokens.Count} were given."));
            });
        }
        command.Options.Add(option);
        return (parsed, values) => Take(parsed.GetResult(option), field, values);
    }

    private static void Take(SymbolResult? result, OptionField field, Dictionary<string, object?> values)
    {
        if (result is null or OptionResult { Implicit: true })
            return;
        var tokens = result.Tokens.Select(t => t.Value).ToList();
        if (tokens.Count == 0 && result is ArgumentResult)
            return;
        values[field.Path] = field.Kind switch
        {
            OptionKind.TextList => tokens,
            OptionKind.Bool when tokens.Count == 0 => true,
            _ => tokens[0],
        };
    }

    private static string Describe(OptionField field) => field switch
    {
        { Required: true } => $"{field.Description} (required)",
        { Default: null } => field.Description,
        { Kind: OptionKind.TextList, DefaultText: "" or "[]" } => field.Description,
        _ => $"{field.Description} [{field.DefaultText}]",
    };

    private static string HelpName(OptionField field) => field.Kind switch
    {
        OptionKind.Choice => string.Join('|', field.Choices),
        OptionKind.Integer => "N",
        OptionKind.Number => "X",
        OptionKind.Duration => "TIME",
        OptionKind.Bool => "true|false",
        _ => "TEXT",
    };
}
