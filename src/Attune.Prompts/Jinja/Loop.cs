namespace Attune.Prompts.Jinja;

internal sealed class For(Expr target, Expr items, Expr? test, bool recursive, Stmt[] body, Stmt[] other, int pos) : Stmt(pos)
{
    public readonly Expr Target = target;
    public readonly Expr Items = items;
    public readonly Expr? Test = test;
    public readonly bool Recursive = recursive;
    public readonly Stmt[] Body = body;
    public readonly Stmt[] Other = other;

    /// <summary>The target once more, with variables of its own: looking ahead must not disturb the body's.</summary>
    public readonly Expr? TestTarget = test is null ? null : Copy(target);

    public SlotLoad[] Loads = [];
    public SlotLoad[] OtherLoads = [];
    public SlotLoad[] TestLoads = [];

    /// <summary>Where <c>loop</c> lives, if the body speaks of it.</summary>
    public Name? LoopName;

    /// <summary>Slots of a recursive loop, which is a function of its own.</summary>
    public Function? Function;

    public override Flow Run(Frame f)
    {
        var items = Items.Eval(f);
        f.State.Position = Pos;
        if (Recursive)
            f.Out.Append(Recurse(f, items, 0));
        else
            Iterate(f, f, items, 0);
        return Flow.Normal;
    }

    /// <summary>Runs the loop as a function and gives its text; <c>loop(…)</c> comes here.</summary>
    public PyStr Recurse(Frame outer, object? items, int depth)
    {
        outer.State.Enter();
        var frame = new Frame(outer.State, Function!.Size, outer, outer.State.NewText());
        Iterate(frame, outer, items, depth);
        outer.State.Leave();
        outer.State.Charge(frame.Out.Length);
        return outer.State.Finish(frame.Out);
    }

    private void Iterate(Frame f, Frame outer, object? items, int depth)
    {
        var finished = false;
        if (LoopName is null && Test is null && items is PyList or PyTuple)
        {
            foreach (var item in items is PyList list ? list.Items : ((PyTuple)items).Items)
            {
                Set.Assign(Target, item, f);
                if (!Once(f, ref finished))
                    break;
            }
        }
        else
        {
            var iterator = PyIter.Of(f.State, items);
            if (Test is not null)
                iterator = new PyIter(Filtered(f, iterator).GetEnumerator());
            var loop = LoopName is null ? null : new LoopValue(f.State, iterator, Recursive ? this : null, outer, depth);
            while (loop is null ? iterator.Next(out var item) : loop.Next(out item))
            {
                Set.Assign(Target, item, f);
                LoopName?.Store(f, loop);
                if (!Once(f, ref finished))
                    break;
            }
        }
        // As in the reference: an iteration cut short does not count as one.
        if (finished || Other.Length == 0)
            return;
        SlotLoad.All(OtherLoads, f);
        RunAll(Other, f);
    }

    private bool Once(Frame f, ref bool finished)
    {
        f.State.Step();
        SlotLoad.All(Loads, f);
        var flow = RunAll(Body, f);
        finished |= flow == Flow.Normal;
        f.State.Position = Pos;
        return flow != Flow.Break;
    }

    private IEnumerable<object?> Filtered(Frame f, PyIter items)
    {
        while (items.Next(out var item))
        {
            f.State.Step();
            Set.Assign(TestTarget!, item, f);
            SlotLoad.All(TestLoads, f);
            if (Test!.Truth(f))
                yield return item;
        }
    }

    private static Expr Copy(Expr target) => target switch
    {
        Name name => new Name(name.Id, name.Pos),
        TupleExpr tuple => new TupleExpr([.. tuple.Items.Select(Copy)], tuple.Pos),
        _ => target,
    };
}

/// <summary>The <c>loop</c> variable.</summary>
internal sealed class LoopValue(RenderState state, PyIter items, For? recursive, Frame outer, int depth0) : ICallable
{
    private int _index0 = -1;
    private int _length = -1;
    private object? _after = Frame.Missing;
    private object? _current = Frame.Missing;
    private object? _before = Frame.Missing;
    private object?[]? _changed;

    public int Length
    {
        get
        {
            if (_length >= 0)
                return _length;
            if (items.KnownLength >= 0)
                return _length = items.KnownLength;
            var rest = items.Rest(state);
            items = new PyIter(rest);
            return _length = rest.Length + _index0 + 1 + (ReferenceEquals(_after, Frame.Missing) ? 0 : 1);
        }
    }

    public bool Next(out object? item)
    {
        if (!ReferenceEquals(_after, Frame.Missing))
            (item, _after) = (_after, Frame.Missing);
        else if (!items.Next(out item))
            return false;
        _index0++;
        (_before, _current) = (_current, item);
        return true;
    }

    private object? Peek() => !ReferenceEquals(_after, Frame.Missing) ? _after
        : items.Next(out var item) ? _after = item : Frame.Missing;

    public bool TryGet(string name, out object? value)
    {
        value = name switch
        {
            "index" => PyNumber.Int(_index0 + 1),
            "index0" => PyNumber.Int(_index0),
            "first" => Py.Bool(_index0 == 0),
            "last" => Py.Bool(ReferenceEquals(Peek(), Frame.Missing)),
            "length" => PyNumber.Int(Length),
            "revindex" => PyNumber.Int(Length - _index0),
            "revindex0" => PyNumber.Int(Length - _index0 - 1),
            "depth" => PyNumber.Int(depth0 + 1),
            "depth0" => PyNumber.Int(depth0),
            "previtem" => _index0 == 0 ? new Undefined("there is no previous item", null) : _before,
            "nextitem" => Peek() is var next && ReferenceEquals(next, Frame.Missing) ? new Undefined("there is no next item", null) : next,
            "cycle" => new Builtin("cycle", Cycle),
            "changed" => new Builtin("changed", Changed),
            _ => Frame.Missing,
        };
        return !ReferenceEquals(value, Frame.Missing);
    }

    private object? Cycle(RenderState _, CallArgs args)
    {
        if (args.Named.Length > 0)
            throw PyError.TypeError($"LoopContext.cycle() got an unexpected keyword argument '{args.Named[0].Key}'");
        return args.Count == 0 ? throw PyError.TypeError("no items for cycling given") : args[_index0 % args.Count];
    }

    private object? Changed(RenderState _, CallArgs args)
    {
        if (args.Named.Length > 0)
            throw PyError.TypeError($"LoopContext.changed() got an unexpected keyword argument '{args.Named[0].Key}'");
        if (_changed is not null && _changed.Length == args.Count && PyCompare.Equal(new PyTuple(_changed), new PyTuple(args.Positional)))
            return Py.False;
        _changed = args.Positional;
        return Py.True;
    }

    public object? Call(RenderState callState, CallArgs args)
    {
        var items = args.Bind("LoopContext.__call__", 1, "iterable")[0];
        return recursive is null
            ? throw PyError.TypeError("The loop must have the 'recursive' marker to be called recursively.")
            : recursive.Recurse(outer, items, depth0 + 1);
    }

    public string Repr() => FormattableString.Invariant($"<LoopContext {_index0 + 1}/{Length}>");
}
