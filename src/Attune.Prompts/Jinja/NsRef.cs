namespace Attune.Prompts.Jinja;

/// <summary>A namespace's attribute as the target of an assignment.</summary>
internal sealed class NsRef(Name name, string attribute, int pos) : Expr(pos)
{
    public readonly Name Target = name;
    public readonly string Attribute = attribute;

    private readonly PyStr _key = new(attribute);

    public override object? Eval(Frame f) => Attributes.GetAttr(f.State, Target.Eval(f), _key);

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
