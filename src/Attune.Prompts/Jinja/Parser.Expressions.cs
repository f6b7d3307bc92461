namespace Attune.Prompts.Jinja;

/// <summary>Expressions, from the loosest operator (inline if) to what an expression is made of; what follows one is in Parser.Postfix.cs.</summary>
internal sealed partial class Parser
{
    /// <summary>Evaluation recurses over the tree: its height is bounded so that no stack runs out.</summary>
    private const int MaxHeight = 200;

    private int _depth;

    private static TExpr Grown<TExpr>(TExpr expr, params ReadOnlySpan<Expr?> parts)
        where TExpr : Expr
    {
        var height = 0;
        foreach (var part in parts)
            height = Math.Max(height, part?.Height ?? 0);
        expr.Height = height + 1;
        return expr.Height <= MaxHeight ? expr
            : throw new PyError(PyError.LimitType, $"The expression is nested deeper than {MaxHeight}.", expr.Pos);
    }

    private Expr Expression(bool conditions = true)
    {
        if (++_depth > MaxHeight / 4)
            throw new PyError(PyError.LimitType, $"The expression is nested deeper than {MaxHeight / 4}.", Current.Position);
        var expr = conditions ? Conditional() : Or();
        _depth--;
        return expr;
    }

    private Expr Conditional()
    {
        var at = Current.Position;
        var value = Or();
        while (SkipName("if"))
        {
            var test = Or();
            var other = SkipName("else") ? Expression() : null;
            value = Grown(new CondExpr(test, value, other, at), test, value, other);
            at = Current.Position;
        }
        return value;
    }

    private Expr Or()
    {
        var left = And();
        while (IsName("or"))
        {
            var at = Next().Position;
            var right = And();
            left = Grown(new BoolOp(left, right, isOr: true, at), left, right);
        }
        return left;
    }

    private Expr And()
    {
        var left = Not();
        while (IsName("and"))
        {
            var at = Next().Position;
            var right = Not();
            left = Grown(new BoolOp(left, right, isOr: false, at), left, right);
        }
        return left;
    }

    private Expr Not()
    {
        if (!IsName("not"))
            return Comparison();
        var at = Next().Position;
        if (++_depth > MaxHeight / 4)
            throw new PyError(PyError.LimitType, $"The expression is nested deeper than {MaxHeight / 4}.", at);
        var operand = Not();
        _depth--;
        return Grown(new NotExpr(operand, at), operand);
    }

    private Expr Comparison()
    {
        var at = Current.Position;
        var first = Sum();
        var ops = new List<(CompareOp Op, Expr Right)>();
        while (true)
        {
            if (Current.Type == T.Operator && Current.Text is "==" or "!=" or "<" or "<=" or ">" or ">=")
                ops.Add((Operator(Next().Text), Sum()));
            else if (SkipName("in"))
                ops.Add((CompareOp.In, Sum()));
            else if (IsName("not") && Look() is { Type: T.Name, Text: "in" })
            {
                Next();
                Next();
                ops.Add((CompareOp.NotIn, Sum()));
            }
            else
                break;
        }
        return ops.Count == 0 ? first : Grown(new Compare(first, [.. ops], at), [first, .. ops.Select(o => o.Right)]);
    }

    private static CompareOp Operator(string text) => text switch
    {
        "==" => CompareOp.Equal,
        "!=" => CompareOp.NotEqual,
        "<" => CompareOp.Less,
        "<=" => CompareOp.LessOrEqual,
        ">" => CompareOp.Greater,
        _ => CompareOp.GreaterOrEqual,
    };

    private Expr Sum()
    {
        var left = Concat();
        while (IsOp("+") || IsOp("-"))
        {
            var op = Next();
            var right = Concat();
            left = op.Text == "-" ? Grown(new Binary("-", left, right, op.Position), left, right)
                : left is AddChain chain ? Grown(chain.With(right), [.. chain.Parts, right])
                : Grown(new AddChain([left, right], op.Position), left, right);
        }
        return left;
    }

    private Expr Concat()
    {
        var at = Current.Position;
        var first = Product();
        if (!IsOp("~"))
            return first;
        var parts = new List<Expr> { first };
        while (SkipOp("~"))
            parts.Add(Product());
        return Grown(new ConcatExpr([.. parts], at), [.. parts]);
    }

    private Expr Product()
    {
        var left = Power();
        while (Current.Type == T.Operator && Current.Text is "*" or "/" or "//" or "%")
        {
            var op = Next();
            var right = Power();
            left = Grown(new Binary(op.Text, left, right, op.Position), left, right);
        }
        return left;
    }

    private Expr Power()
    {
        var left = Unary();
        while (IsOp("**"))
        {
            var op = Next();
            var right = Unary();
            // The reference folds -2 to a constant and prints it before **, where Python reads -(2 ** x).
            if (left is Unary { Negative: true, Operand: Const { Value: long or double } number } && right is not (Const or Unary { Operand: Const }))
                left = Grown(new Unary(negative: true, Grown(new Binary("**", number, right, op.Position), right), op.Position), left, right);
            else
                left = Grown(new Binary("**", left, right, op.Position), left, right);
        }
        return left;
    }

    private Expr Unary(bool filters = true)
    {
        Expr node;
        if (IsOp("-") || IsOp("+"))
        {
            var op = Next();
            if (++_depth > MaxHeight / 4)
                throw new PyError(PyError.LimitType, $"The expression is nested deeper than {MaxHeight / 4}.", op.Position);
            var operand = Unary(filters: false);
            _depth--;
            node = Grown(new Unary(op.Text == "-", operand, op.Position), operand);
        }
        else
        {
            node = Primary();
        }
        node = Postfix(node);
        return filters ? FiltersAndTests(node) : node;
    }

    private Expr Primary(bool namespaces = false)
    {
        var token = Current;
        switch (token.Type)
        {
            case T.Name:
                Next();
                if (token.Text is "true" or "True" or "false" or "False")
                    return new Const(Py.Bool(token.Text is "true" or "True"), token.Position);
                if (token.Text is "none" or "None")
                    return new Const(null, token.Position);
                if (!namespaces || !SkipOp("."))
                    return new Name(token.Text, token.Position);
                return new NsRef(new Name(token.Text, token.Position), ExpectName().Text, token.Position);
            case T.String:
                var text = "";
                while (Current.Type == T.String)
                    text += (string)Next().Value!;
                return new Const(new PyStr(text), token.Position);
            case T.Integer or T.Float:
                return new Const(Next().Value, token.Position);
            case T.Operator when token.Text == "(":
                Next();
                var tuple = Tuple(parentheses: true);
                ExpectOp(")");
                return tuple;
            case T.Operator when token.Text == "[":
                return List();
            case T.Operator when token.Text == "{":
                return Dict();
            default:
                throw Fail($"unexpected {PyRepr.Quote(Describe(token))}", token.Position);
        }
    }

    private bool TupleEnds(string? end) =>
        Current.Type is T.VariableEnd or T.BlockEnd || IsOp(")") || (end is not null && IsName(end));

    private Expr Tuple(bool simple = false, bool conditions = true, string? end = null, bool parentheses = false, bool namespaces = false)
    {
        var at = Current.Position;
        var items = new List<Expr>();
        var isTuple = false;
        while (true)
        {
            if (items.Count > 0)
                ExpectOp(",");
            if (TupleEnds(end))
                break;
            if (simple && ++_depth > MaxHeight / 4)
                throw new PyError(PyError.LimitType, $"The expression is nested deeper than {MaxHeight / 4}.", at);
            items.Add(simple ? Primary(namespaces) : Expression(conditions));
            if (simple)
                _depth--;
            if (!IsOp(","))
                break;
            isTuple = true;
        }
        if (!isTuple && items.Count > 0)
            return items[0];
        if (!isTuple && !parentheses)
            throw Fail($"Expected an expression, got {PyRepr.Quote(Describe(Current))}", Current.Position);
        return Grown(new TupleExpr([.. items], at), [.. items]);
    }

    private ListExpr List()
    {
        var at = ExpectOp("[").Position;
        var items = new List<Expr>();
        while (!IsOp("]"))
        {
            if (items.Count > 0)
                ExpectOp(",");
            if (IsOp("]"))
                break;
            items.Add(Expression());
        }
        ExpectOp("]");
        return Grown(new ListExpr([.. items], at), [.. items]);
    }

    private DictExpr Dict()
    {
        var at = ExpectOp("{").Position;
        var (keys, values) = (new List<Expr>(), new List<Expr>());
        while (!IsOp("}"))
        {
            if (keys.Count > 0)
                ExpectOp(",");
            if (IsOp("}"))
                break;
            keys.Add(Expression());
            ExpectOp(":");
            values.Add(Expression());
        }
        ExpectOp("}");
        return Grown(new DictExpr([.. keys], [.. values], at), [.. keys, .. values]);
    }
}
