using Attune.Prompts;

namespace Attune.Core.Tokens;

/// <summary>
/// What can be wrong with a tokenizer. ATT2501: the file is not the JSON it should be. ATT2502: a field is missing,
/// has the wrong type or a value that cannot be. ATT2503: a kind of part that Attune does not have. ATT2504: a regular
/// expression that cannot be read or that ran out of steps. ATT2505: an id or a text that the tokenizer does not know.
/// ATT2506: a training option or corpus that gives no tokenizer.
/// </summary>
public sealed class TokenException(string code, string message, Exception? inner = null) : AttuneException(code, message, inner)
{
    internal static TokenException Broken(string? file, string message, Exception? inner = null) =>
        new("ATT2501", message, inner) { File = file, Hint = "Fetch the file again; it should be a tokenizer.json of Hugging Face tokenizers." };

    internal static TokenException Bad(string? file, string field, string message) =>
        new("ATT2502", message) { File = file, Field = field };

    internal static TokenException Unsupported(string? file, string field, string kind) =>
        new("ATT2503", $"'{kind}' is not supported.") { File = file, Field = field };

    internal static TokenException Regex(string message, string? field = null) =>
        new("ATT2504", message) { Field = field };

    internal static TokenException Unknown(string message) => new("ATT2505", message);

    internal static TokenException Training(string field, string message, string? hint = null) =>
        new("ATT2506", message) { Field = field, Hint = hint };
}
