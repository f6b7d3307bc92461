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

    // Nearly every loop has one plain variable.
    private readonly Name? _variable = target as Name;

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
        var array = Test is not null ? null : items is PyList list ? list.Items : (items as PyTuple)?.Items;
        if (LoopName is null && array is not null)
        {
            foreach (var item in array)
            {
                Bind(item, f);
                if (!Once(f, ref finished))
                    break;
            }
        }
        else
        {
            var iterator = array is null ? PyIter.Of(f.State, items) : null;
            if (Test is not null)
                iterator = new PyIter(Filtered(f, iterator!).GetEnumerator());
            var recursive = Recursive ? this : null;
            var loop = LoopName is null ? null
                : array is not null ? new LoopValue(array, outer, recursive, depth) : new LoopValue(iterator!, outer, recursive, depth);
            while (loop is null ? iterator!.Next(out var item) : loop.Next(out item))
            {
                Bind(item, f);
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

    private void Bind(object? item, Frame f)
    {
        if (_variable is not null)
            _variable.Store(f, item);
        else
            Set.Assign(Target, item, f);
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
