namespace Attune.Prompts.Jinja;

/// <summary>
/// A node of an expression: it evaluates itself in a frame. The commonest nodes (literals, names, attributes) override
/// more than they must: a call within a sealed class is direct, and two virtual calls for every word cost a tenth of a render.
/// </summary>
internal abstract class Expr(int pos)
{
    /// <summary>Offset in the normalised source.</summary>
    public readonly int Pos = pos;

    /// <summary>Height of the tree below and with it.</summary>
    public int Height = 1;

    public abstract object? Eval(Frame f);

    /// <summary>
    /// The value for one who only looks at it and does not keep it: what is not there may come as
    /// <see cref="Undefined.Any"/>, which spares making an undefined value that knows what it lacks.
    /// </summary>
    public virtual object? Look(Frame f) => Eval(f);

    public virtual bool Truth(Frame f) => Py.Truth(Look(f));

    /// <summary>Writes the value as Jinja prints it.</summary>
    public virtual void Emit(Frame f, TextBuilder output) => Print(f, Look(f), output);

    /// <summary>What <see cref="AppendTo"/> gives where it has appended.</summary>
    protected static readonly object Appended = new();

    /// <summary>Appends the value if it is plain text, and gives <see cref="Appended"/>; appends nothing and gives the value if it is anything else.</summary>
    public virtual object? AppendTo(Frame f, TextBuilder text) => Plain(Eval(f), text);

    protected static object? Plain(object? value, TextBuilder text)
    {
        if (value is not PyStr { Markup: false } plain)
            return value;
        text.Append(plain);
        return Appended;
    }

    protected static void Print(Frame f, object? value, TextBuilder output)
    {
        if (value is PyStr text)
            output.Append(text);
        else if (value is not Undefined)
            output.Append(PyRepr.Str(f.State, value));
    }
}

internal sealed class Const(object? value, int pos) : Expr(pos)
{
    public readonly object? Value = value;

    /// <summary>Text of the template outside of tags.</summary>
    public bool IsData;

    private readonly bool _truth = Py.Truth(value);
    private readonly PyStr? _plain = value as PyStr;

    public override object? Eval(Frame f) => Value;

    public override bool Truth(Frame f) => _truth;

    public override void Emit(Frame f, TextBuilder output)
    {
        if (_plain is not null)
            output.Append(_plain.Text);
        else
            Print(f, Value, output);
    }

    public override object? AppendTo(Frame f, TextBuilder text)
    {
        if (_plain is null)
            return Value;
        text.Append(_plain.Text);
        return Appended;
    }
}

internal sealed class Name(string id, int pos) : Expr(pos)
{
    public readonly string Id = id;

    /// <summary>How many frames up the slot is; -1 for a name of the context.</summary>
    public int Depth = -2;

    public int Slot;

    public override object? Eval(Frame f) => Held(f) is var value && ReferenceEquals(value, Frame.Missing) ? new Undefined(Id) : value;

    public override object? Look(Frame f) => Held(f) is var value && ReferenceEquals(value, Frame.Missing) ? Undefined.Any : value;

    public override bool Truth(Frame f) => Held(f) is var value && value is bool known ? known : Py.Truth(value) && !ReferenceEquals(value, Frame.Missing);

    public override void Emit(Frame f, TextBuilder output) => Print(f, Look(f), output);

    public override object? AppendTo(Frame f, TextBuilder text) => Plain(Eval(f), text);

    /// <summary>What the slot holds: the value, or <see cref="Frame.Missing"/>.</summary>
    public object? Held(Frame f) => Depth == 0 ? f.Slots[Slot] : HeldElsewhere(f);

    private object? HeldElsewhere(Frame f) => Depth < 0 ? f.State.ContextAt(Slot) : Above(f).Slots[Slot];

    public void Store(Frame f, object? value) => (Depth > 0 ? Above(f) : f).Slots[Slot] = value;

    private Frame Above(Frame f)
    {
        for (var i = Depth; i > 0; i--)
            f = f.Up!;
        return f;
    }
}
