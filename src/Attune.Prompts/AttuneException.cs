namespace Attune.Prompts;

/// <summary>
/// The one base of every error that Attune raises on purpose. It says what is wrong (<see cref="Exception.Message"/>),
/// where (<see cref="File"/>, <see cref="Line"/>, <see cref="Field"/>) and the way out (<see cref="Hint"/>).
/// Each room derives its own; the codes are listed in docs/errors.md.
/// </summary>
public class AttuneException : Exception
{
    /// <param name="code">A stable code, <c>ATT</c> and four digits.</param>
    /// <param name="message">One sentence that says what is wrong.</param>
    /// <param name="inner">The cause, if another exception was it.</param>
    public AttuneException(string code, string message, Exception? inner = null)
        : base(message, inner) => Code = code;

    /// <summary>A stable code, <c>ATT</c> and four digits, for scripts and for docs/errors.md.</summary>
    public string Code { get; }

    /// <summary>The file that holds the fault, as the user named it.</summary>
    public string? File { get; init; }

    /// <summary>The line of the fault, counted from one.</summary>
    public int? Line { get; init; }

    /// <summary>The field, option, tensor or variable at fault.</summary>
    public string? Field { get; init; }

    /// <summary>What to do about it.</summary>
    public string? Hint { get; init; }

    /// <summary>The whole error as a user reads it: place, message, code, way out.</summary>
    public string Describe()
    {
        var place = (File, Line) switch
        {
            (null, null) => "",
            (null, { } line) => FormattableString.Invariant($"line {line}: "),
            ({ } file, null) => $"{file}: ",
            ({ } file, { } line) => FormattableString.Invariant($"{file}:{line}: "),
        };
        var field = Field is null ? "" : $"{Field}: ";
        var hint = Hint is null ? "" : $"\n  {Hint}";
        return $"{place}{field}{Message} [{Code}]{hint}";
    }
}
