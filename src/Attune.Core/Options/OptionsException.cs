using Attune.Prompts;

namespace Attune.Core.Options;

/// <summary>An option that cannot be used: unknown, of a wrong kind, out of range or missing (codes ATT4001 to ATT4099).</summary>
public sealed class OptionsException : AttuneException
{
    private OptionsException(string code, string message, Exception? inner = null)
        : base(code, message, inner)
    {
    }

    internal static OptionsException Unknown(string key, IReadOnlyCollection<string> known, string? source, int? line) =>
        new("ATT4001", $"There is no option '{key}'.")
        {
            File = source,
            Line = line,
            Field = key,
            Hint = Nearest.Hint(key, known),
        };

    internal static OptionsException BadValue(string key, string? text, string expected, string? source, int? line) =>
        new("ATT4002", $"'{text ?? "null"}' is not {expected}.") { File = source, Line = line, Field = key };

    internal static OptionsException OutOfRange(string key, string text, string range, string? source, int? line) =>
        new("ATT4003", $"{text} is out of range.") { File = source, Line = line, Field = key, Hint = $"Give a number {range}." };

    internal static OptionsException Missing(OptionField field, string? source, int? line) =>
        new("ATT4004", "A required option is missing.")
        {
            File = source,
            Line = line,
            Field = field.Key,
            Hint = $"Give {field.Flag}, or '{field.Key}:' in the recipe: {field.Description}",
        };

    internal static OptionsException Broken(string message, string? source, int? line, Exception? inner = null) =>
        new("ATT4005", message, inner) { File = source, Line = line };

    internal static OptionsException UnknownStage(string stage, IReadOnlyCollection<string> known, string? source, int? line) =>
        new("ATT4006", $"There is no stage '{stage}'.")
        {
            File = source,
            Line = line,
            Field = stage,
            Hint = Nearest.Hint(stage, known),
        };

    internal static OptionsException NoFile(string path) =>
        new("ATT4007", "The file cannot be read.") { File = path, Hint = "Check the path, and that it is a YAML file that you may read." };
}
