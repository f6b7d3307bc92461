using System.Diagnostics.CodeAnalysis;

namespace Attune.Prompts.Jinja;

/// <summary>Evaluated arguments.</summary>
internal readonly struct CallArgs(object?[] positional, string[] names, object?[] named)
{
    public static readonly CallArgs None = new([]);

    public CallArgs(object?[] positional) : this(positional, [], [])
    {
    }

    public readonly object?[] Positional = positional;

    /// <summary>The names of the keyword arguments, whose values are in <see cref="Named"/>.</summary>
    public readonly string[] Names = names;

    public readonly object?[] Named = named;

    public int Count => Positional.Length;

    public bool IsEmpty => Positional.Length == 0 && Names.Length == 0;

    public object? this[int index] => Positional[index];

    /// <summary>Exactly one positional argument and no other, and it is a string: the usual call of a str method.</summary>
    public bool IsText([NotNullWhen(true)] out PyStr? text)
    {
        text = Positional.Length == 1 && Names.Length == 0 ? Positional[0] as PyStr : null;
        return text is not null;
    }

    /// <summary>The same with one more in front: what a filter or a test is applied to.</summary>
    public CallArgs After(object? value) => new([value, .. Positional], Names, Named);

    /// <summary>The keyword arguments as a dict.</summary>
    public PyDict NamedDict()
    {
        var builder = new PyDictBuilder(Names.Length);
        for (var i = 0; i < Names.Length; i++)
            builder.Set(new PyStr(Names[i]), Named[i]);
        return builder.Build();
    }

    /// <summary>Refuses keyword arguments and a wrong number of positional ones, in Python's words.</summary>
    public void Take(string function, int min, int max)
    {
        if (Named.Length > 0)
            throw PyError.TypeError($"{function}() takes no keyword arguments");
        if (Count >= min && Count <= max)
            return;
        var simple = function[(function.LastIndexOf('.') + 1)..];
        throw PyError.TypeError(min == max
            ? max == 0 ? $"{function}() takes no arguments ({Count} given)"
                : max == 1 ? $"{function}() takes exactly one argument ({Count} given)"
                : $"{simple} expected {max} arguments, got {Count}"
            : Count < min ? $"{simple} expected at least {min} argument{(min == 1 ? "" : "s")}, got {Count}"
                : $"{simple} expected at most {max} argument{(max == 1 ? "" : "s")}, got {Count}");
    }

    /// <summary>Binds to parameters by position and name; absent ones are <see cref="Frame.Missing"/>.</summary>
    public object?[] Bind(string function, int required, params ReadOnlySpan<string> names)
    {
        if (Count > names.Length)
            throw PyError.TypeError($"{function}() takes {(required == names.Length ? "" : $"from {required} to ")}{names.Length} positional argument{(names.Length == 1 ? "" : "s")} but {Count} were given");
        var bound = new object?[names.Length];
        for (var i = 0; i < bound.Length; i++)
            bound[i] = i < Count ? Positional[i] : Frame.Missing;
        for (var i = 0; i < Names.Length; i++)
        {
            var at = names.IndexOf(Names[i]);
            if (at < 0)
                throw PyError.TypeError($"{function}() got an unexpected keyword argument '{Names[i]}'");
            if (!ReferenceEquals(bound[at], Frame.Missing))
                throw PyError.TypeError($"{function}() got multiple values for argument '{Names[i]}'");
            bound[at] = Named[i];
        }
        for (var i = 0; i < required; i++)
        {
            if (ReferenceEquals(bound[i], Frame.Missing))
                throw PyError.TypeError($"{function}() missing {MissingNames(bound, names, required)}");
        }
        return bound;
    }

    private static string MissingNames(object?[] bound, ReadOnlySpan<string> names, int required)
    {
        var missing = new List<string>();
        for (var i = 0; i < required; i++)
        {
            if (ReferenceEquals(bound[i], Frame.Missing))
                missing.Add($"'{names[i]}'");
        }
        var list = missing.Count switch
        {
            1 => missing[0],
            2 => $"{missing[0]} and {missing[1]}",
            _ => string.Join(", ", missing.Take(missing.Count - 1)) + $", and {missing[^1]}",
        };
        return $"{missing.Count} required positional argument{(missing.Count == 1 ? "" : "s")}: {list}";
    }
}
