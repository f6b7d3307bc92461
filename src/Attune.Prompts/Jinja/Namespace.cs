namespace Attune.Prompts.Jinja;

/// <summary>What carries state out of a loop. It holds few names, which come as literals of the template: a search finds them at once.</summary>
internal sealed class Namespace(int capacity) : ICallable
{
    private string[] _names = new string[capacity];
    private object?[] _values = new object?[capacity];
    private int _count;

    public void Set(string name, object? value)
    {
        var at = IndexOf(name);
        if (at < 0)
            at = Add(name);
        _values[at] = value;
    }

    public bool TryGet(string name, out object? value)
    {
        var at = IndexOf(name);
        value = at >= 0 ? _values[at] : null;
        return at >= 0;
    }

    public PyDict ToDict()
    {
        var builder = new PyDictBuilder(_count);
        for (var i = 0; i < _count; i++)
            builder.Set(new PyStr(_names[i]), _values[i]);
        return builder.Build();
    }

    public object? Call(RenderState callState, CallArgs args) => throw PyError.TypeError("'Namespace' object is not callable");

    private int IndexOf(string name)
    {
        for (var i = 0; i < _count; i++)
        {
            if (_names[i] == name)
                return i;
        }
        return -1;
    }

    private int Add(string name)
    {
        if (name.StartsWith('_'))
            throw PyError.Security($"access to attribute {PyRepr.Quote(name)} of 'Namespace' object is unsafe.");
        if (_count == _names.Length)
        {
            Array.Resize(ref _names, Math.Max(4, _count * 2));
            Array.Resize(ref _values, _names.Length);
        }
        _names[_count] = name;
        return _count++;
    }
}
