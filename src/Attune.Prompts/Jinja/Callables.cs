namespace Attune.Prompts.Jinja;

/// <summary>A method of a built-in type, or a function: what it is called on, the arguments.</summary>
internal delegate object? Method(RenderState state, object self, CallArgs args);

/// <summary>A filter without arguments.</summary>
internal delegate object? BareFilter(RenderState state, object? value);

/// <summary>A filter: the value to the left of the bar, the arguments in its parentheses.</summary>
internal delegate object? Filter(RenderState state, object? value, CallArgs args);

/// <summary>A filter that appends plain text.</summary>
internal delegate void WriterFilter(RenderState state, object? value, CallArgs args, TextBuilder to);

/// <summary>A test: the value to the left of <c>is</c>, the arguments.</summary>
internal delegate bool Test(RenderState state, object? value, CallArgs args);

internal interface ICallable
{
    object? Call(RenderState callState, CallArgs args);
}

internal sealed class BoundMethod(string name, object self, Method method) : ICallable
{
    public string Name => name;
    public object Self => self;

    public object? Call(RenderState callState, CallArgs args) => method(callState, self, args);
}

internal sealed class Builtin(string name, Func<RenderState, CallArgs, object?> function) : ICallable
{
    public string Name => name;

    public object? Call(RenderState callState, CallArgs args) => function(callState, args);
}

/// <summary>A class: calling it makes one of its kind.</summary>
internal sealed class TypeValue(string name, Func<RenderState, CallArgs, object?> make) : ICallable
{
    public string Name => name;

    public object? Call(RenderState callState, CallArgs args) => make(callState, args);
}

/// <summary>self: the template, through which inheritance reaches its blocks. Without inheritance there is nothing to reach.</summary>
internal sealed class TemplateReference
{
    public static string Repr => "<TemplateReference None>";
}

internal sealed class Joiner(object? separator) : ICallable
{
    private bool _used;

    public object? Call(RenderState callState, CallArgs args)
    {
        args.Bind("Joiner.__call__", 0);
        var first = !_used;
        _used = true;
        return first ? PyStr.Empty : separator;
    }
}

internal sealed class Cycler(object?[] items)
{
    private int _at;

    public bool TryGet(string name, out object? value)
    {
        value = name switch
        {
            "current" => items[_at],
            "pos" => PyNumber.Int(_at),
            "items" => new PyTuple(items),
            "next" => new Builtin("next", (_, args) =>
            {
                args.Bind("Cycler.next", 0);
                var current = items[_at];
                _at = (_at + 1) % items.Length;
                return current;
            }),
            "reset" => new Builtin("reset", (_, args) =>
            {
                args.Bind("Cycler.reset", 0);
                _at = 0;
                return null;
            }),
            _ => Frame.Missing,
        };
        return !ReferenceEquals(value, Frame.Missing);
    }
}
