namespace Attune.Prompts.Jinja;

internal sealed class GetAttr(Expr target, string name, int pos) : Expr(pos)
{
    public readonly Expr Target = target;
    public readonly string Attribute = name;

    /// <summary>The attribute as a key.</summary>
    public readonly PyStr Key = new(name);

    private readonly Name? _name = target as Name;
    private readonly LoopField _loopField = LoopValue.FieldNamed(name);

    /// <summary>A dict has an attribute of this name, which goes before its keys.</summary>
    private readonly bool _dictMethod = Methods.OfDict(name);

    public override object? Eval(Frame f)
    {
        var target = _name is not null ? _name.Eval(f) : Target.Eval(f);
        return target is PyDict dict && !_dictMethod
            ? dict.TryGet(Key, out var value) ? value : new Undefined(dict, Key)
            : NotKey(f, target);
    }

    public override bool Truth(Frame f) => Py.Truth(Look(f));

    public override void Emit(Frame f, TextBuilder output) => Print(f, Look(f), output);

    public override object? AppendTo(Frame f, TextBuilder text) => Plain(Eval(f), text);

    public override object? Look(Frame f)
    {
        var target = _name is not null ? _name.Eval(f) : Target.Eval(f);
        return target is PyDict dict && !_dictMethod
            ? dict.TryGet(Key, out var value) ? value : Undefined.Any
            : NotKey(f, target);
    }

    private object? NotKey(Frame f, object? target)
    {
        f.State.Position = Pos;
        return target is LoopValue loop && _loopField != LoopField.None ? loop.Get(_loopField)
            : target is Namespace space && space.TryGet(Attribute, out var held) ? held
            : Attributes.GetAttr(f.State, target, Key);
    }
}

internal sealed class GetItem(Expr target, Expr index, int pos) : Expr(pos)
{
    public readonly Expr Target = target;
    public readonly Expr Index = index;

    private readonly Name? _name = target as Name;
    private readonly PyStr? _key = (index as Const)?.Value as PyStr;

    /// <summary>A dict without this key has an attribute of its name, or refuses it.</summary>
    private readonly bool _dictMethod = index is not Const { Value: PyStr key } || Methods.OfDict(key.Text);

    public override object? Eval(Frame f)
    {
        var target = _name is not null ? _name.Eval(f) : Target.Eval(f);
        if (_key is not null && target is PyDict dict)
        {
            if (dict.TryGet(_key, out var value))
                return value;
            if (!_dictMethod)
                return new Undefined(dict, _key);
        }
        return NotKey(f, target);
    }

    public override bool Truth(Frame f) => Py.Truth(Look(f));

    public override void Emit(Frame f, TextBuilder output) => Print(f, Look(f), output);

    public override object? AppendTo(Frame f, TextBuilder text) => Plain(Eval(f), text);

    public override object? Look(Frame f)
    {
        var target = _name is not null ? _name.Eval(f) : Target.Eval(f);
        if (_key is not null && target is PyDict dict)
        {
            if (dict.TryGet(_key, out var value))
                return value;
            if (!_dictMethod)
                return Undefined.Any;
        }
        return NotKey(f, target);
    }

    private object? NotKey(Frame f, object? target)
    {
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
