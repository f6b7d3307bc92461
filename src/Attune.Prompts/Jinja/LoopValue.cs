namespace Attune.Prompts.Jinja;

/// <summary>What <c>loop</c> tells.</summary>
internal enum LoopField
{
    None,
    Index,
    Index0,
    First,
    Last,
    Length,
    RevIndex,
    RevIndex0,
    Depth,
    Depth0,
    PrevItem,
    NextItem,
    Cycle,
    Changed,
}

/// <summary>The <c>loop</c> variable: a walk over a sequence that knows where it is and can look one item ahead.</summary>
internal sealed class LoopValue : ICallable
{
    private readonly RenderState _state;
    private readonly For? _recursive;
    private readonly Frame _outer;
    private readonly int _depth0;

    // A list is walked by position; what only comes one by one is read ahead and remembered instead.
    private readonly object?[]? _array;
    private PyIter? _items;
    private int _index0 = -1;
    private int _length;
    private object? _after = Frame.Missing;
    private object? _current = Frame.Missing;
    private object? _before = Frame.Missing;
    private object?[]? _changed;

    private LoopValue(Frame outer, For? recursive, int depth0)
    {
        _state = outer.State;
        _recursive = recursive;
        _outer = outer;
        _depth0 = depth0;
    }

    public LoopValue(object?[] items, Frame outer, For? recursive, int depth0) : this(outer, recursive, depth0)
    {
        _array = items;
        _length = items.Length;
    }

    public LoopValue(PyIter items, Frame outer, For? recursive, int depth0) : this(outer, recursive, depth0)
    {
        _items = items;
        _length = items.KnownLength;
    }

    public int Length
    {
        get
        {
            if (_length >= 0)
                return _length;
            var rest = _items!.Rest(_state);
            _items = new PyIter(rest);
            return _length = rest.Length + _index0 + 1 + (ReferenceEquals(_after, Frame.Missing) ? 0 : 1);
        }
    }

    public bool Next(out object? item)
    {
        if (_array is not null)
        {
            var more = _index0 + 1 < _array.Length;
            item = more ? _array[++_index0] : null;
            return more;
        }
        if (!ReferenceEquals(_after, Frame.Missing))
            (item, _after) = (_after, Frame.Missing);
        else if (!_items!.Next(out item))
            return false;
        _index0++;
        (_before, _current) = (_current, item);
        return true;
    }

    private object? Peek() => _array is not null ? _index0 + 1 < _array.Length ? _array[_index0 + 1] : Frame.Missing
        : !ReferenceEquals(_after, Frame.Missing) ? _after
        : _items!.Next(out var item) ? _after = item : Frame.Missing;

    // Where the length is known from the start, nothing needs to be read ahead.
    private bool IsLast => _length >= 0 ? _index0 + 1 >= _length : ReferenceEquals(Peek(), Frame.Missing);

    public static LoopField FieldNamed(string name) => name switch
    {
        "index" => LoopField.Index,
        "index0" => LoopField.Index0,
        "first" => LoopField.First,
        "last" => LoopField.Last,
        "length" => LoopField.Length,
        "revindex" => LoopField.RevIndex,
        "revindex0" => LoopField.RevIndex0,
        "depth" => LoopField.Depth,
        "depth0" => LoopField.Depth0,
        "previtem" => LoopField.PrevItem,
        "nextitem" => LoopField.NextItem,
        "cycle" => LoopField.Cycle,
        "changed" => LoopField.Changed,
        _ => LoopField.None,
    };

    public bool TryGet(string name, out object? value)
    {
        var field = FieldNamed(name);
        value = field == LoopField.None ? Frame.Missing : Get(field);
        return field != LoopField.None;
    }

    public object? Get(LoopField field) => field switch
    {
        LoopField.Index => PyNumber.Int(_index0 + 1),
        LoopField.Index0 => PyNumber.Int(_index0),
        LoopField.First => Py.Bool(_index0 == 0),
        LoopField.Last => Py.Bool(IsLast),
        LoopField.Length => PyNumber.Int(Length),
        LoopField.RevIndex => PyNumber.Int(Length - _index0),
        LoopField.RevIndex0 => PyNumber.Int(Length - _index0 - 1),
        LoopField.Depth => PyNumber.Int(_depth0 + 1),
        LoopField.Depth0 => PyNumber.Int(_depth0),
        LoopField.PrevItem => _index0 == 0 ? new Undefined("there is no previous item", null) : _array is not null ? _array[_index0 - 1] : _before,
        LoopField.NextItem => Peek() is var next && ReferenceEquals(next, Frame.Missing) ? new Undefined("there is no next item", null) : next,
        LoopField.Cycle => new Builtin("cycle", Cycle),
        _ => new Builtin("changed", Changed),
    };

    private object? Cycle(RenderState _, CallArgs args)
    {
        if (args.Named.Length > 0)
            throw PyError.TypeError($"LoopContext.cycle() got an unexpected keyword argument '{args.Names[0]}'");
        return args.Count == 0 ? throw PyError.TypeError("no items for cycling given") : args[_index0 % args.Count];
    }

    private object? Changed(RenderState _, CallArgs args)
    {
        if (args.Named.Length > 0)
            throw PyError.TypeError($"LoopContext.changed() got an unexpected keyword argument '{args.Names[0]}'");
        if (_changed is not null && _changed.Length == args.Count && PyCompare.Equal(new PyTuple(_changed), new PyTuple(args.Positional)))
            return Py.False;
        _changed = args.Positional;
        return Py.True;
    }

    public object? Call(RenderState callState, CallArgs args)
    {
        var items = args.Bind("LoopContext.__call__", 1, "iterable")[0];
        return _recursive is null
            ? throw PyError.TypeError("The loop must have the 'recursive' marker to be called recursively.")
            : _recursive.Recurse(_outer, items, _depth0 + 1);
    }

    public string Repr() => FormattableString.Invariant($"<LoopContext {_index0 + 1}/{Length}>");
}
