namespace Attune.Prompts.Jinja;

/// <summary>What follows an expression and binds tightest: attributes, items, calls, filters, tests.</summary>
internal sealed partial class Parser
{
    private Expr Postfix(Expr node)
    {
        while (true)
        {
            if (IsOp(".") || IsOp("["))
                node = Subscript(node);
            else if (IsOp("("))
                node = Call(node);
            else
                return node;
        }
    }

    private Expr FiltersAndTests(Expr node)
    {
        while (true)
        {
            if (IsOp("|"))
                node = FilterChain(node, inline: false)!;
            else if (IsName("is"))
                node = Test(node);
            else if (IsOp("("))
                node = Call(node);
            else
                return node;
        }
    }

    private Expr Subscript(Expr node)
    {
        var token = Next();
        if (token.Text == ".")
        {
            var name = Next();
            return name.Type switch
            {
                T.Name => Grown(new GetAttr(node, name.Text, token.Position), node),
                T.Integer => Grown(new GetItem(node, new Const(name.Value, name.Position), token.Position), node),
                _ => throw Fail("expected name or number", name.Position),
            };
        }
        var args = new List<Expr>();
        while (!IsOp("]"))
        {
            if (args.Count > 0)
                ExpectOp(",");
            args.Add(Subscribed());
        }
        ExpectOp("]");
        if (args.Count > 1 && args.Exists(a => a is SliceExpr))
            throw new PyError("SyntaxError", "invalid syntax", token.Position);
        var arg = args.Count == 1 ? args[0] : Grown(new TupleExpr([.. args], token.Position), [.. args]);
        return Grown(new GetItem(node, arg, token.Position), node, arg);
    }

    private Expr Subscribed()
    {
        var at = Current.Position;
        Expr? start = null;
        if (!SkipOp(":"))
        {
            start = Expression();
            if (!SkipOp(":"))
                return start;
        }
        Expr? stop = IsOp(":") || IsOp("]") || IsOp(",") ? null : Expression();
        Expr? step = SkipOp(":") && !IsOp("]") && !IsOp(",") ? Expression() : null;
        return Grown(new SliceExpr(start, stop, step, at), start, stop, step);
    }

    private Arguments CallArguments()
    {
        var open = ExpectOp("(").Position;
        var (args, names, named) = (new List<Expr>(), new List<string>(), new List<Expr>());
        Expr? star = null, starStar = null;
        var comma = false;
        while (!IsOp(")"))
        {
            if (comma)
            {
                ExpectOp(",");
                if (IsOp(")"))
                    break;
            }
            comma = true;
            if (IsOp("*"))
            {
                Ensure(star is null && starStar is null);
                Next();
                star = Expression();
            }
            else if (IsOp("**"))
            {
                Ensure(starStar is null);
                Next();
                starStar = Expression();
            }
            else if (Current.Type == T.Name && Look() is { Type: T.Operator, Text: "=" })
            {
                Ensure(starStar is null);
                var name = Next().Text;
                Next();
                named.Add(Expression());
                if (names.Contains(name))
                    Late ??= new PyError("SyntaxError", $"keyword argument repeated: {name}", open);
                names.Add(name);
            }
            else
            {
                Ensure(star is null && starStar is null && names.Count == 0);
                args.Add(Expression());
            }
        }
        ExpectOp(")");
        return new Arguments([.. args], [.. names], [.. named], star, starStar);

        void Ensure(bool valid)
        {
            if (!valid)
                throw Fail("invalid syntax for function call expression", open);
        }
    }

    private Call Call(Expr node)
    {
        var at = Current.Position;
        var args = CallArguments();
        return Grown(new Call(node, args, at), [node, .. args.All]);
    }

    private Expr? FilterChain(Expr? node, bool inline)
    {
        while (inline || IsOp("|"))
        {
            if (!inline)
                Next();
            inline = false;
            var token = ExpectName();
            var name = token.Text;
            while (SkipOp("."))
                name += "." + ExpectName().Text;
            var args = IsOp("(") ? CallArguments() : Arguments.None;
            node = Grown(new FilterExpr(node, name, args, token.Position), [node, .. args.All]);
        }
        return node;
    }

    private Expr Test(Expr node)
    {
        var token = Next();
        var negated = SkipName("not");
        var name = ExpectName().Text;
        while (SkipOp("."))
            name += "." + ExpectName().Text;
        var args = Arguments.None;
        if (IsOp("("))
        {
            args = CallArguments();
        }
        else if ((Current.Type is T.Name or T.String or T.Integer or T.Float || IsOp("[") || IsOp("{"))
            && !IsName("else") && !IsName("or") && !IsName("and"))
        {
            if (IsName("is"))
                throw Fail("You cannot chain multiple tests with is", Current.Position);
            if (++_depth > MaxHeight / 4)
                throw new PyError(PyError.LimitType, $"The expression is nested deeper than {MaxHeight / 4}.", Current.Position);
            args = new Arguments([Postfix(Primary())], [], [], null, null);
            _depth--;
        }
        Expr test = Grown(new TestExpr(node, name, args, token.Position), [node, .. args.All]);
        return negated ? Grown(new NotExpr(test, token.Position), test) : test;
    }
}
