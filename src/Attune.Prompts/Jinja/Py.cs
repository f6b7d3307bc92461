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
