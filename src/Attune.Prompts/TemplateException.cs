using Attune.Prompts.Jinja;

namespace Attune.Prompts;

/// <summary>When a template failed.</summary>
public enum TemplatePhase
{
    /// <summary>Reading the template: it is broken for every conversation.</summary>
    Compile,

    /// <summary>Reading the conversation, before the template saw it.</summary>
    Input,

    /// <summary>Rendering one conversation.</summary>
    Render,
}

/// <summary>
/// A chat template, or what it was given, is at fault. <see cref="ErrorType"/> and the message are those of the
/// reference (Jinja2 under Python), so that tools can compare; the codes are
/// ATT1001 broken syntax, ATT1002 unknown filter or test, ATT1003 raised by the template itself, ATT1004 an undefined value was used,
/// ATT1005 refused by the sandbox, ATT1006 another error of evaluation, ATT1007 a limit of the sandbox, ATT1010 bad input.
/// </summary>
public sealed class TemplateException : AttuneException
{
    internal TemplateException(string code, string errorType, TemplatePhase phase, string message, int? line, int? column, Exception? inner = null)
        : base(code, message, inner)
    {
        ErrorType = errorType;
        Phase = phase;
        Line = line;
        Column = column;
    }

    /// <summary>The reference's exception: TemplateSyntaxError, UndefinedError, TypeError… or LimitError, which is ours.</summary>
    public string ErrorType { get; }

    /// <summary>When it failed.</summary>
    public TemplatePhase Phase { get; }

    /// <summary>The column in the template, counted from one, or null for an error of the input.</summary>
    public int? Column { get; }

    /// <summary>The same error with the file that the template or conversation came from.</summary>
    public TemplateException In(string file) => new(Code, ErrorType, Phase, Message, Line, Column, InnerException) { File = file, Field = Field, Hint = Hint };

    internal static TemplateException From(PyError error, TemplatePhase phase, string source, int position)
    {
        position = Math.Clamp(error.Position >= 0 ? error.Position : position, 0, source.Length);
        var line = source.AsSpan(0, position).Count('\n') + 1;
        var column = position == 0 ? 1 : position - source.LastIndexOf('\n', position - 1);
        var (code, hint) = error.Type switch
        {
            "TemplateSyntaxError" or "SyntaxError" => ("ATT1001", "Correct the template at this place."),
            "TemplateAssertionError" => ("ATT1002", "The reference does not have it either; write it with what Jinja offers."),
            "TemplateError" => ("ATT1003", "The template itself refuses this conversation."),
            "UndefinedError" => ("ATT1004", "Give the value, or let the template test it with 'is defined' first."),
            "SecurityError" => ("ATT1005", "Templates run in a sandbox: no private names, no change of what they are given."),
            PyError.LimitType => ("ATT1007", "Raise the limit in TemplateLimits if the template is right."),
            _ => ("ATT1006", "Correct the template, or the conversation that it does not expect."),
        };
        return new(code, error.Type, phase, error.Message, line, column, error) { Hint = hint };
    }
}
