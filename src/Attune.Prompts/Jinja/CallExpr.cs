namespace Attune.Prompts.Jinja;

internal sealed class Call(Expr callee, Arguments args, int pos) : Expr(pos)
{
    public readonly Expr Callee = callee;
    public readonly Arguments Args = args;

    // A method that a str or a dict has is called without making a bound method first.
    private readonly Method? _strMethod = callee is GetAttr g && g.Attribute is not ("format" or "format_map") ? Methods.Str.GetValueOrDefault(g.Attribute) : null;
    private readonly Method? _dictMethod = callee is GetAttr d ? Methods.Dict.GetValueOrDefault(d.Attribute) : null;
    private readonly bool _dictRefuses = callee is GetAttr r && Methods.Mutating(isDict: true, r.Attribute);

    public override object? Eval(Frame f)
    {
        f.State.Step();
        if (Callee is GetAttr attribute)
            return Method(f, attribute, null);
        var callee = Callee.Eval(f);
        if (callee is MacroValue macro && macro.Bind(f, Args) is { } frame)
        {
            f.State.Position = Pos;
            return macro.Text(frame);
        }
        return Invoke(f, callee, null);
    }

    public override void Emit(Frame f, TextBuilder output)
    {
        var value = AppendTo(f, output);
        if (!ReferenceEquals(value, Appended))
            Print(f, value, output);
    }

    /// <summary>A macro's text goes straight to where it is wanted, if it is nothing but text.</summary>
    public override object? AppendTo(Frame f, TextBuilder text)
    {
        if (Callee is GetAttr || !f.State.Program.PlainMacros)
            return base.AppendTo(f, text);
        f.State.Step();
        var callee = Callee.Eval(f);
        if (callee is not MacroValue macro || macro.Bind(f, Args) is not { } frame)
            return Plain(Invoke(f, callee, null), text);
        f.State.Position = Pos;
        macro.Emit(frame, text);
        return Appended;
    }

    /// <summary>Calls with the body of a call block.</summary>
    public object? With(Frame f, MacroValue caller)
    {
        f.State.Step();
        return Callee is GetAttr attribute ? Method(f, attribute, caller) : Invoke(f, Callee.Eval(f), caller);
    }

    private object? Method(Frame f, GetAttr attribute, MacroValue? caller)
    {
        var target = attribute.Target.Eval(f);
        var method = target is PyStr ? _strMethod : target is PyDict ? _dictMethod : null;
        if (method is not null && caller is null)
        {
            var args = Args.Eval(f);
            f.State.Position = Pos;
            return method(f.State, target!, args);
        }
        f.State.Position = attribute.Pos;
        var callee = target is PyDict dict && _dictMethod is null && dict.TryGet(attribute.Key, out var held) && !_dictRefuses ? held
            : Attributes.GetAttr(f.State, target, attribute.Key);
        return Invoke(f, callee, caller);
    }

    private object? Invoke(Frame f, object? callee, MacroValue? caller)
    {
        var given = Args.Eval(f);
        if (caller is not null)
            given = new CallArgs(given.Positional, [.. given.Names, "caller"], [.. given.Named, caller]);
        f.State.Position = Pos;
        return callee is ICallable callable ? callable.Call(f.State, given)
            : callee is Undefined undefined ? throw undefined.Fail()
            : throw PyError.TypeError($"'{Py.TypeName(callee)}' object is not callable");
    }
}
