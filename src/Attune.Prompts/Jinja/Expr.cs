namespace Attune.Prompts.Jinja;

/// <summary>A node of an expression: it evaluates itself in a frame.</summary>
internal abstract class Expr(int pos)
{
    /// <summary>Offset in the normalised source.</summary>
    public readonly int Pos = pos;

    /// <summary>Height of the tree below and with it.</summary>
    public int Height = 1;

    public abstract object? Eval(Frame f);

    /// <summary>Writes the value as Jinja prints it.</summary>
    public virtual void Emit(Frame f, TextBuilder output)
    {
        var value = Eval(f);
        if (value is PyStr text)
            output.Append(text);
        else
            output.Append(PyRepr.Str(f.State, value));
    }

    public bool Truth(Frame f)
    {
        var value = Eval(f);
        return value is bool b ? b : Py.Truth(value);
    }
}

internal sealed class Const(object? value, int pos) : Expr(pos)
{
    public readonly object? Value = value;

    /// <summary>Text of the template outside of tags.</summary>
    public bool IsData;

    public override object? Eval(Frame f) => Value;
}

internal sealed class Name(string id, int pos) : Expr(pos)
{
    public readonly string Id = id;

    /// <summary>How many frames up the slot is; -1 for a name of the context.</summary>
    public int Depth = -2;

    public int Slot;

    public override object? Eval(Frame f)
    {
        object? value;
        switch (Depth)
        {
            case 0:
                value = f.Slots[Slot];
                break;
            case -1:
                value = f.State.ContextAt(Slot);
                break;
            default:
                var frame = f;
                for (var i = Depth; i > 0; i--)
                    frame = frame.Up!;
                value = frame.Slots[Slot];
                break;
        }
        return ReferenceEquals(value, Frame.Missing) ? new Undefined(Id) : value;
    }

    public void Store(Frame f, object? value)
    {
        for (var i = Depth; i > 0; i--)
            f = f.Up!;
        f.Slots[Slot] = value;
    }
}

/// <summary>A namespace's attribute as the target of an assignment.</summary>
internal sealed class NsRef(Name name, string attribute, int pos) : Expr(pos)
{
    public readonly Name Target = name;
    public readonly string Attribute = attribute;

    public override object? Eval(Frame f) => Attributes.GetAttr(f.State, Target.Eval(f), Attribute);

    /// <summary>A set tag refuses anything but a namespace, before it evaluates what is to be set.</summary>
    public void Check(Frame f)
    {
        f.State.Position = Pos;
        if (Target.Eval(f) is not Namespace)
            throw PyError.Runtime("cannot assign attribute on non-namespace object");
    }

    /// <summary>A set block has no such check: the assignment itself fails, and in the sandbox it fails on a dict too.</summary>
    public void Store(Frame f, object? value)
    {
        f.State.Position = Pos;
        var target = Target.Eval(f);
        if (target is not Namespace space)
            throw PyError.TypeError($"'{(target is Undefined ? "_MissingType" : Py.TypeName(target))}' object does not support item assignment");
        space.Set(Attribute, value);
    }
}

internal sealed class TupleExpr(Expr[] items, int pos) : Expr(pos)
{
    public readonly Expr[] Items = items;

    public override object? Eval(Frame f) => new PyTuple(ListExpr.EvalAll(Items, f));
}

internal sealed class ListExpr(Expr[] items, int pos) : Expr(pos)
{
    public readonly Expr[] Items = items;

    public override object? Eval(Frame f) => new PyList(EvalAll(Items, f));

    public static object?[] EvalAll(Expr[] items, Frame f)
    {
        if (items.Length == 0)
            return [];
        f.State.Charge(items.Length);
        var values = new object?[items.Length];
        for (var i = 0; i < values.Length; i++)
            values[i] = items[i].Eval(f);
        return values;
    }
}

internal sealed class DictExpr(Expr[] keys, Expr[] values, int pos) : Expr(pos)
{
    public readonly Expr[] Keys = keys;
    public readonly Expr[] Values = values;

    public override object? Eval(Frame f)
    {
        f.State.Charge(Keys.Length);
        // All of them are evaluated before the first is looked at as a key.
        var evaluated = new (object? Key, object? Value)[Keys.Length];
        for (var i = 0; i < evaluated.Length; i++)
            evaluated[i] = (Keys[i].Eval(f), Values[i].Eval(f));
        var builder = new PyDictBuilder(Keys.Length);
        foreach (var (key, value) in evaluated)
            builder.Set(key, value);
        return builder.Build();
    }
}

internal sealed class CondExpr(Expr test, Expr value, Expr? other, int pos) : Expr(pos)
{
    public readonly Expr Test = test;
    public readonly Expr Value = value;
    public readonly Expr? Other = other;

    public override object? Eval(Frame f) => Test.Truth(f) ? Value.Eval(f) : Other is not null ? Other.Eval(f) : Nothing(f);

    public override void Emit(Frame f, TextBuilder output)
    {
        if (Test.Truth(f))
            Value.Emit(f, output);
        else
            Other?.Emit(f, output);
    }

    private Undefined Nothing(Frame f) => new($"the inline if-expression on line {f.State.Program.LineOf(Pos)} evaluated to false and no else section was defined.", null);
}

internal sealed class BoolOp(Expr left, Expr right, bool isOr, int pos) : Expr(pos)
{
    public readonly Expr Left = left;
    public readonly Expr Right = right;

    public override object? Eval(Frame f)
    {
        var value = Left.Eval(f);
        return (value is bool b ? b : Py.Truth(value)) == isOr ? value : Right.Eval(f);
    }
}

internal sealed class NotExpr(Expr operand, int pos) : Expr(pos)
{
    public readonly Expr Operand = operand;

    public override object? Eval(Frame f) => Py.Bool(!Operand.Truth(f));
}

internal sealed class Compare(Expr first, (string Op, Expr Right)[] ops, int pos) : Expr(pos)
{
    public readonly Expr First = first;
    public readonly (string Op, Expr Right)[] Ops = ops;

    public override object? Eval(Frame f)
    {
        var left = First.Eval(f);
        foreach (var (op, next) in Ops)
        {
            var right = next.Eval(f);
            f.State.Position = Pos;
            if (!Holds(f.State, op, left, right))
                return Py.False;
            left = right;
        }
        return Py.True;
    }

    private static bool Holds(RenderState state, string op, object? left, object? right) => op switch
    {
        "==" => left is PyStr a && right is PyStr b ? a.Text == b.Text : PyCompare.Equal(left, right),
        "!=" => left is PyStr a && right is PyStr b ? a.Text != b.Text : !PyCompare.Equal(left, right),
        "in" => PyCompare.Contains(state, right, left),
        "not in" => !PyCompare.Contains(state, right, left),
        _ => PyCompare.Order(op, left, right),
    };
}

internal sealed class Binary(string op, Expr left, Expr right, int pos) : Expr(pos)
{
    public readonly Expr Left = left;
    public readonly Expr Right = right;

    public override object? Eval(Frame f)
    {
        var left = Left.Eval(f);
        var right = Right.Eval(f);
        f.State.Position = Pos;
        return op switch
        {
            "-" => Arithmetic.Subtract(left, right),
            "*" => Arithmetic.Multiply(f.State, left, right),
            "/" => Arithmetic.Divide(left, right),
            "//" => Arithmetic.FloorDivide(left, right),
            "%" => Arithmetic.Modulo(f.State, left, right),
            _ => Arithmetic.Power(f.State, left, right),
        };
    }
}

internal sealed class Unary(bool negative, Expr operand, int pos) : Expr(pos)
{
    public readonly Expr Operand = operand;
    public readonly bool Negative = negative;

    public override object? Eval(Frame f)
    {
        var value = Operand.Eval(f);
        f.State.Position = Pos;
        return Arithmetic.Sign(value, Negative);
    }
}

/// <summary>
/// a + b + c…: the common way to put a turn together. Plain strings are joined once, at the end; anything else
/// falls back to one addition after the other, in Python's order.
/// </summary>
internal sealed class AddChain(Expr[] parts, int pos) : Expr(pos)
{
    public readonly Expr[] Parts = parts;

    /// <summary>Set when the parser has read the whole sum.</summary>
    public bool Closed;

    public AddChain With(Expr next) => new([.. Parts, next], Pos);

    public override object? Eval(Frame f)
    {
        var first = Parts[0].Eval(f);
        var second = Parts[1].Eval(f);
        if (Parts.Length == 2 || first is not PyStr)
            return Rest(f, Add(f, first, second), 2);
        var text = f.State.NewText();
        return Join(f, first, second, text, out var other) ? Made(f, text) : other;
    }

    public override void Emit(Frame f, TextBuilder output)
    {
        var first = Parts[0].Eval(f);
        var second = Parts[1].Eval(f);
        if (Parts.Length == 2 && first is PyStr { Markup: false } a && second is PyStr { Markup: false } b)
        {
            output.Append(a);
            output.Append(b);
            return;
        }
        object? value;
        if (first is not PyStr || Parts.Length == 2)
        {
            value = Rest(f, Add(f, first, second), 2);
        }
        else
        {
            var text = f.State.NewText();
            value = Join(f, first, second, text, out var other) ? text.ToPyStr() : other;
        }
        output.Append(value as PyStr ?? PyRepr.Str(f.State, value));
    }

    private static PyStr Made(Frame f, TextBuilder text)
    {
        f.State.Charge(text.Length);
        return text.ToPyStr();
    }

    /// <summary>Appends while the parts are plain strings. False where one was not: then the sum is in <paramref name="other"/>.</summary>
    private bool Join(Frame f, object? first, object? second, TextBuilder text, out object? other)
    {
        other = null;
        if (first is not PyStr { Markup: false } start)
        {
            other = Rest(f, Add(f, first, second), 2);
            return false;
        }
        text.Append(start);
        for (var i = 1; i < Parts.Length; i++)
        {
            var next = i == 1 ? second : Parts[i].Eval(f);
            if (next is PyStr { Markup: false } more)
            {
                text.Append(more);
                continue;
            }
            other = Rest(f, Add(f, text.ToPyStr(), next), i + 1);
            return false;
        }
        return true;
    }

    private object? Rest(Frame f, object? sum, int from)
    {
        for (var i = from; i < Parts.Length; i++)
            sum = Add(f, sum, Parts[i].Eval(f));
        return sum;
    }

    private object? Add(Frame f, object? left, object? right)
    {
        f.State.Position = Pos;
        return Arithmetic.Add(f.State, left, right);
    }
}

/// <summary>a ~ b: prints both and joins.</summary>
internal sealed class ConcatExpr(Expr[] parts, int pos) : Expr(pos)
{
    public readonly Expr[] Parts = parts;

    public override object? Eval(Frame f)
    {
        var text = f.State.NewText();
        // Jinja evaluates every part before it prints the first: a part may change a namespace.
        foreach (var value in ListExpr.EvalAll(Parts, f))
            text.Append(value as PyStr ?? PyRepr.Str(f.State, value));
        f.State.Charge(text.Length);
        return text.ToPyStr();
    }
}

internal sealed class GetAttr(Expr target, string name, int pos) : Expr(pos)
{
    public readonly Expr Target = target;
    public readonly string Attribute = name;

    /// <summary>A dict has an attribute of this name, which goes before its keys.</summary>
    private readonly bool _dictMethod = Methods.Dict.ContainsKey(name) || Methods.Mutating(isDict: true, name) || name.StartsWith("__", StringComparison.Ordinal);

    public override object? Eval(Frame f)
    {
        var target = Target.Eval(f);
        if (target is PyDict dict && !_dictMethod)
            return dict.TryGet(Attribute, out var value) ? value : new Undefined(dict, new PyStr(Attribute));
        f.State.Position = Pos;
        if (target is Namespace space && space.TryGet(Attribute, out var held))
            return held;
        return Attributes.GetAttr(f.State, target, Attribute);
    }
}

internal sealed class GetItem(Expr target, Expr index, int pos) : Expr(pos)
{
    public readonly Expr Target = target;
    public readonly Expr Index = index;

    private readonly string? _key = index is Const { Value: PyStr key } ? key.Text : null;

    public override object? Eval(Frame f)
    {
        var target = Target.Eval(f);
        if (_key is not null && target is PyDict dict && dict.TryGet(_key, out var value))
            return value;
        if (Index is SliceExpr slice)
        {
            var (start, stop, step) = slice.Bounds(f);
            f.State.Position = Pos;
            return Attributes.Slice(f.State, target, start, stop, step);
        }
        var index = Index.Eval(f);
        f.State.Position = Pos;
        return Attributes.GetItem(f.State, target, index);
    }
}

internal sealed class SliceExpr(Expr? start, Expr? stop, Expr? step, int pos) : Expr(pos)
{
    public readonly Expr?[] Parts = [start, stop, step];

    public (object? Start, object? Stop, object? Step) Bounds(Frame f) => (start?.Eval(f), stop?.Eval(f), step?.Eval(f));

    public override object? Eval(Frame f) => throw PyError.TypeError("a slice is no value of its own");
}
