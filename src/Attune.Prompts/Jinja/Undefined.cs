namespace Attune.Prompts.Jinja;

/// <summary>A value that is not there: prints as nothing, is false and empty, and refuses everything else.</summary>
internal sealed class Undefined
{
    private enum Lack : byte { Variable, Item, Hint, Refused }

    private readonly Lack _lack;
    private readonly object? _target;
    private readonly object? _key;

    private Undefined(Lack lack, object? target, object? key)
    {
        _lack = lack;
        _target = target;
        _key = key;
    }

    /// <summary>A variable without a value.</summary>
    public Undefined(string name) : this(Lack.Variable, null, name)
    {
    }

    /// <summary>What the hint says.</summary>
    public Undefined(string hint, string? name) : this(Lack.Hint, hint, name)
    {
    }

    /// <summary>An element or attribute that its target does not have.</summary>
    public Undefined(object? target, object? key) : this(Lack.Item, target, key)
    {
    }

    public static Undefined Unsafe(object? target, string attribute) =>
        new(Lack.Refused, $"access to attribute {PyRepr.Quote(attribute)} of '{Py.TypeName(target)}' object is unsafe.", attribute);

    /// <summary>Stands for any of them where one is only looked at and never kept: see <see cref="Expr.Look"/>.</summary>
    public static readonly Undefined Any = new("value");

    /// <summary>The variable of this name, without a value.</summary>
    public bool IsVariable(string name) => _lack == Lack.Variable && (string)_key! == name;

    public PyError Fail() => new(_lack == Lack.Refused ? "SecurityError" : "UndefinedError", Message);

    private string Message => _lack switch
    {
        Lack.Variable => $"{PyRepr.Quote((string)_key!)} is undefined",
        Lack.Item when _key is PyStr key => $"'{Py.ObjectName(_target)}' has no attribute {PyRepr.Quote(key.Text)}",
        Lack.Item => $"{Py.ObjectName(_target)} has no element {PyRepr.Repr(_key)}",
        _ => (string)_target!,
    };
}
