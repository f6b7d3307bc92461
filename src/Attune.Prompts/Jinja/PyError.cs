namespace Attune.Prompts.Jinja;

/// <summary>
/// An error as Python would raise it, on its way to the statement that knows the line. It never leaves the
/// engine: <see cref="TemplateException"/> does.
/// </summary>
internal sealed class PyError(string type, string message, int position = -1) : Exception(message)
{
    /// <summary>Our own type, for what Python has no word for: a limit of the sandbox.</summary>
    public const string LimitType = "LimitError";

    public string Type => type;

    /// <summary>Offset in the template, or -1 where only the caller knows.</summary>
    public int Position => position;

    public static PyError TypeError(string message) => new("TypeError", message);

    public static PyError ValueError(string message) => new("ValueError", message);

    public static PyError Undefined(string message) => new("UndefinedError", message);

    public static PyError Security(string message) => new("SecurityError", message);

    public static PyError Runtime(string message) => new("TemplateRuntimeError", message);

    public static PyError FilterArgument(string message) => new("FilterArgumentError", message);

    public static PyError Limit(string message) => new(LimitType, message);

    public static PyError Syntax(string message, int position) => new("TemplateSyntaxError", message, position);
}
