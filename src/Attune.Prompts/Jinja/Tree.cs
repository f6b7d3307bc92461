namespace Attune.Prompts.Jinja;

/// <summary>Walks the tree of a template.</summary>
internal static class Tree
{
    /// <summary>The direct parts of an expression, in the order Jinja visits them.</summary>
    public static void EachChild(Expr expr, Action<Expr> visit)
    {
        switch (expr)
        {
            case NsRef e: visit(e.Target); break;
            case TupleExpr e: Array.ForEach(e.Items, visit); break;
            case ListExpr e: Array.ForEach(e.Items, visit); break;
            case DictExpr e:
                Array.ForEach(e.Keys, visit);
                Array.ForEach(e.Values, visit);
                break;
            case CondExpr e:
                visit(e.Test);
                visit(e.Value);
                if (e.Other is not null)
                    visit(e.Other);
                break;
            case BoolOp e: visit(e.Left); visit(e.Right); break;
            case NotExpr e: visit(e.Operand); break;
            case Compare e:
                visit(e.First);
                foreach (var (_, right) in e.Ops)
                    visit(right);
                break;
            case Binary e: visit(e.Left); visit(e.Right); break;
            case Unary e: visit(e.Operand); break;
            case AddChain e: Array.ForEach(e.Parts, visit); break;
            case ConcatExpr e: Array.ForEach(e.Parts, visit); break;
            case GetAttr e: visit(e.Target); break;
            case GetItem e: visit(e.Target); visit(e.Index); break;
            case SliceExpr e:
                foreach (var part in e.Parts)
                {
                    if (part is not null)
                        visit(part);
                }
                break;
            case Call e: visit(e.Callee); Each(e.Args, visit); break;
            case FilterExpr e:
                if (e.Node is not null)
                    visit(e.Node);
                Each(e.Args, visit);
                break;
            case TestExpr e: visit(e.Node); Each(e.Args, visit); break;
        }
    }

    private static void Each(Arguments args, Action<Expr> visit)
    {
        foreach (var arg in args.All)
            visit(arg);
    }

    /// <summary>Every expression of a statement itself, and every body under it.</summary>
    public static (IEnumerable<Expr?> Exprs, IEnumerable<Stmt[]> Bodies) Parts(Stmt statement) => statement switch
    {
        Output s => (s.Parts, []),
        If s => (s.Branches.Select(b => b.Test), [.. s.Branches.Select(b => b.Body), s.Other]),
        Set s => ([s.Value, s.Target as NsRef], []),
        SetBlock s => ([s.Filter], [s.Body]),
        FilterBlock s => ([s.Filter], [s.Body]),
        With s => (s.Values, [s.Body]),
        Autoescape s => ([s.Value], [s.Body]),
        Generation s => ([], [s.Body]),
        Block s => ([], [s.Body]),
        Macro s => (s.Defaults, [s.Body]),
        CallBlock s => ([s.Call, .. s.Caller.Defaults], [s.Caller.Body]),
        For s => ([s.Items, s.Test], [s.Body, s.Other]),
        Load s => ([s.Template], []),
        _ => ([], []),
    };

    /// <summary>A body reads a name anywhere below it. (Blocks see top-level names only.)</summary>
    public static bool Uses(Stmt[] body, string name) => Array.Exists(body, s =>
    {
        if (s is Block)
            return false;
        var (exprs, bodies) = Parts(s);
        return exprs.Any(e => Uses(e, name)) || bodies.Any(b => Uses(b, name));
    });

    private static bool Uses(Expr? expr, string name)
    {
        if (expr is null)
            return false;
        if (expr is Name n)
            return n.Id == name;
        var found = false;
        EachChild(expr, child => found = found || Uses(child, name));
        return found;
    }

    /// <summary>An expression calls something.</summary>
    public static bool Calls(Expr expr)
    {
        var found = expr is Call;
        EachChild(expr, child => found = found || Calls(child));
        return found;
    }

    /// <summary>Something in a loop assigns to its loop variable, which Jinja refuses.</summary>
    public static bool AssignsLoop(Stmt statement)
    {
        IEnumerable<Expr> targets = statement switch
        {
            For s => [s.Target],
            Set s => [s.Target],
            SetBlock s => [s.Target],
            _ => [],
        };
        return targets.Any(IsLoop) || Parts(statement).Bodies.Any(b => Array.Exists(b, AssignsLoop));

        static bool IsLoop(Expr target) => target is Name { Id: "loop" } || (target is TupleExpr tuple && Array.Exists(tuple.Items, IsLoop));
    }

    /// <summary>Every statement and expression of a template, for a reader that looks for something.</summary>
    public static void Walk(Stmt[] body, Action<Stmt> onStatement, Action<Expr> onExpr)
    {
        foreach (var statement in body)
        {
            onStatement(statement);
            var (exprs, bodies) = Parts(statement);
            foreach (var expr in exprs)
                Walk(expr, onExpr);
            foreach (var inner in bodies)
                Walk(inner, onStatement, onExpr);
        }
    }

    private static void Walk(Expr? expr, Action<Expr> onExpr)
    {
        if (expr is null)
            return;
        onExpr(expr);
        EachChild(expr, child => Walk(child, onExpr));
    }
}
