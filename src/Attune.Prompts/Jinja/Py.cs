using System.Numerics;

namespace Attune.Prompts.Jinja;

/// <summary>
/// Python's values as .NET objects: None is null, bool and float are boxed, int is a boxed long (a BigInteger
/// beyond), str is <see cref="PyStr"/>, and the containers are the Py… classes. Nothing changes once it is made,
/// but <see cref="Namespace"/>, <see cref="Joiner"/> and <see cref="Cycler"/>.
/// </summary>
internal static class Py
{
    public static readonly object True = true;
    public static readonly object False = false;

    public static object Bool(bool value) => value ? True : False;

    public static PyStr Str(string text) => new(text);

    public static bool Truth(object? value) => value switch
    {
        null => false,
        bool b => b,
        PyStr s => s.Text.Length > 0,
        long n => n != 0,
        double d => d != 0,
        BigInteger n => !n.IsZero,
        PyList l => l.Items.Length > 0,
        PyTuple t => t.Items.Length > 0,
        PyDict d => d.Count > 0,
        PyRange r => r.Length > 0,
        PyView v => v.Dict.Count > 0,
        LoopValue l => l.Length > 0,
        Undefined => false,
        _ => true,
    };

    public static string TypeName(object? value) => value switch
    {
        null => "NoneType",
        bool => "bool",
        PyStr s => s.Markup ? "Markup" : "str",
        long or BigInteger => "int",
        double => "float",
        PyList => "list",
        PyTuple t => t.Names is null ? "tuple" : "_GroupTuple",
        PyDict => "dict",
        PyRange => "range",
        PyView v => "dict_" + v.Kind,
        PyGenerator => "generator",
        Undefined => "Undefined",
        MacroValue => "Macro",
        LoopValue => "LoopContext",
        Namespace => "Namespace",
        Cycler => "Cycler",
        Joiner => "Joiner",
        TemplateReference => "TemplateReference",
        BoundMethod => "builtin_function_or_method",
        TypeValue => "type",
        _ => "function",
    };

    /// <summary>How Jinja names an object in "… has no attribute": builtins by type, None as itself.</summary>
    public static string ObjectName(object? value) => value switch
    {
        null => "None",
        PyStr { Markup: true } => "markupsafe.Markup object",
        MacroValue or LoopValue or TemplateReference => $"jinja2.runtime.{TypeName(value)} object",
        Namespace or Cycler or Joiner => $"jinja2.utils.{TypeName(value)} object",
        _ => TypeName(value) + " object",
    };

    /// <summary>An index, as <c>__index__</c> gives it.</summary>
    public static bool TryIndex(object? value, out long index)
    {
        switch (value)
        {
            case long n:
                index = n;
                return true;
            case bool b:
                index = b ? 1 : 0;
                return true;
            case BigInteger big:
                index = big.Sign > 0 ? long.MaxValue : long.MinValue;
                return true;
            default:
                index = 0;
                return false;
        }
    }

    public static int Index(object? value)
    {
        if (!TryIndex(value, out var index))
            throw PyError.TypeError($"'{TypeName(value)}' object cannot be interpreted as an integer");
        return (int)Math.Clamp(index, int.MinValue, int.MaxValue);
    }

    /// <summary>An index that the reference calculates with before it counts with it, which an undefined value refuses.</summary>
    public static int Calculated(object? value) => value is Undefined undefined ? throw undefined.Fail() : Index(value);
}

/// <summary>A value that is not there: prints as nothing, is false and empty, and refuses everything else.</summary>
internal sealed class Undefined
{
    private readonly string? _hint;
    private readonly object? _target = Frame.Missing;
    private readonly object? _key;
    private readonly string _error = "UndefinedError";

    public Undefined(string name)
    {
        Name = name;
        IsName = true;
    }

    public Undefined(string hint, string? name)
    {
        _hint = hint;
        Name = name;
    }

    public Undefined(object? target, object? key)
    {
        _target = target;
        _key = key;
    }

    private Undefined(string hint, string name, string error)
        : this(hint, name) => _error = error;

    public static Undefined Unsafe(object? target, string attribute) =>
        new($"access to attribute {PyRepr.Quote(attribute)} of '{Py.TypeName(target)}' object is unsafe.", attribute, "SecurityError");

    public string? Name { get; }

    /// <summary>A variable that has no value, not an element or attribute.</summary>
    public bool IsName { get; }

    public PyError Fail() => new(_error, Message);

    private string Message => _hint
        ?? (ReferenceEquals(_target, Frame.Missing) ? $"{PyRepr.Quote(Name!)} is undefined"
        : _key is PyStr key ? $"'{Py.ObjectName(_target)}' has no attribute {PyRepr.Quote(key.Text)}"
        : $"{Py.ObjectName(_target)} has no element {PyRepr.Repr(_key)}");
}
