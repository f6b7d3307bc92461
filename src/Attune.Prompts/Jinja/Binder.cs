namespace Attune.Prompts.Jinja;

/// <summary>
/// Jinja's scoping, settled before the first render: which assignment is seen where. An assignment in an if is
/// seen after it, one in a loop, macro, call, with or generation block is not, and a macro sees what the names
/// around it hold when it is called.
/// </summary>
internal sealed partial class Binder
{
    private readonly List<string> _context = [];
    private Scope? _root;
    private int _loops;

    /// <summary>Names that come from the caller's context, by index.</summary>
    public ContextName[] ContextNames => [.. _context.Select(n => new ContextName(n))];

    /// <summary>What Python refuses when it compiles what Jinja made of the template.</summary>
    public PyError? Late { get; private set; }

    public (Function Function, SlotLoad[] Loads) BindTemplate(Stmt[] body)
    {
        var function = new Function(null);
        _root = new Scope(null, function);
        Analyse(body, _root);
        var loads = Enter(_root);
        Bind(body, _root, soft: false);
        return (function, loads);
    }

    /// <summary>Gives the scope's variables their slots, once all its names are known.</summary>
    private SlotLoad[] Enter(Scope scope)
    {
        var loads = new List<SlotLoad>();
        foreach (var (name, variable) in scope.Refs)
        {
            var (from, source) = scope.Loads[name];
            if (from == From.Resolve && !scope.Stores.Contains(name))
            {
                variable.Context = ContextIndex(name);
                continue;
            }
            variable.Slot = scope.Function.Size++;
            switch (from)
            {
                case From.Nothing:
                    loads.Add(new(variable.Slot, null));
                    break;
                case From.Resolve:
                    loads.Add(new(variable.Slot, new Name(name, 0) { Depth = -1, Slot = ContextIndex(name) }));
                    break;
                case From.Alias:
                    loads.Add(new(variable.Slot, Bound(new Name(name, 0), source!, scope.Function)));
                    break;
            }
        }
        return [.. loads];
    }

    private int ContextIndex(string name)
    {
        var index = _context.IndexOf(name);
        if (index < 0)
        {
            index = _context.Count;
            _context.Add(name);
        }
        return index;
    }

    private static Name Bound(Name name, Var variable, Function function)
    {
        name.Depth = variable.Context >= 0 ? -1 : function.Depth - variable.Function.Depth;
        name.Slot = variable.Context >= 0 ? variable.Context : variable.Slot;
        return name;
    }

    // The second pass: every name gets its place, every scope its entry, every filter must exist.

    private void Bind(Stmt[] body, Scope scope, bool soft)
    {
        foreach (var statement in body)
            Bind(statement, scope, soft);
    }

    private void Bind(Stmt statement, Scope scope, bool soft)
    {
        switch (statement)
        {
            case Output output:
                Bind(output.Parts, scope, soft);
                break;
            case If branch:
                foreach (var (test, body) in branch.Branches)
                {
                    Bind(test, scope, soft: true);
                    Bind(body, scope, soft: true);
                }
                Bind(branch.Other, scope, soft: true);
                break;
            case Set set:
                Bind(set.Value, scope, soft);
                Bind(set.Target, scope, soft);
                break;
            case SetBlock set:
                set.Loads = BindInner(set.Body, scope);
                Bind(set.Filter, scope, soft: false);
                Bind(set.Target, scope, soft);
                break;
            case FilterBlock filter:
                filter.Loads = BindInner(filter.Body, scope);
                Bind(filter.Filter, scope, soft: false);
                break;
            case Autoescape escape:
                escape.Loads = BindInner(escape.Body, scope, escape.Value);
                break;
            case Generation generation:
                if (_root is not null && ContainsJump(generation.Body))
                    Late ??= Jump(generation.Pos);
                generation.Loads = BindInner(generation.Body, scope);
                break;
            case Block block:
                block.Loads = BindInner(block.Body, _root!);
                break;
            case With with:
                BindWith(with, scope, soft);
                break;
            case Macro macro:
                BindMacro(macro, scope);
                Bound(macro.Target, scope.Find(macro.Id)!, scope.Function);
                break;
            case CallBlock call:
                BindMacro(call.Caller, scope);
                Bind(call.Call, scope, soft);
                break;
            case For loop:
                BindFor(loop, scope, soft);
                break;
            case Load load:
                Bind(load.Template, scope, soft);
                break;
            case Break or Continue when _loops == 0:
                Late ??= Jump(statement.Pos);
                break;
        }
    }

    private static bool ContainsJump(Stmt[] body) => Array.Exists(body, s =>
        s is Break or Continue || (s is If branch && (branch.Branches.Any(b => ContainsJump(b.Body)) || ContainsJump(branch.Other))));

    private static PyError Jump(int position) => new("SyntaxError", "'break' or 'continue' outside loop", position);

    private SlotLoad[] BindInner(Stmt[] body, Scope outer, Expr? value = null)
    {
        var scope = new Scope(outer, outer.Function);
        Analyse(value, scope);
        Analyse(body, scope);
        var loads = Enter(scope);
        Bind(value, scope, soft: false);
        Bind(body, scope, soft: false);
        return loads;
    }

    private void BindWith(With with, Scope outer, bool soft)
    {
        Bind(with.Values, outer, soft);
        var scope = new Scope(outer, outer.Function);
        foreach (var target in with.Targets)
            AnalyseTarget(target, scope, parameter: true);
        Analyse(with.Body, scope);
        with.Loads = Enter(scope);
        Bind(with.Targets, scope, soft: false);
        Bind(with.Body, scope, soft: false);
    }

    private void BindFor(For loop, Scope outer, bool soft)
    {
        Bind(loop.Items, outer, soft);
        if (loop.Recursive)
            loop.Function = new Function(outer.Function);
        var function = loop.Function ?? outer.Function;
        var scope = new Scope(outer, function);
        if (loop.Recursive || Tree.Uses(loop.Body, "loop"))
        {
            scope.Parameter("loop");
            loop.LoopName = new Name("loop", loop.Pos);
        }
        if (Tree.AssignsLoop(loop))
            throw new PyError("TemplateAssertionError", "Can't assign to special loop variable in for-loop target", loop.Pos);
        AnalyseTarget(loop.Target, scope, parameter: true);
        Analyse(loop.Body, scope);
        loop.Loads = Enter(scope);
        Bind(loop.Target, scope, soft: false);
        if (loop.LoopName is not null)
            Bound(loop.LoopName, scope.Refs["loop"], function);
        if (loop.Test is not null)
        {
            var test = new Scope(outer, function);
            AnalyseTarget(loop.TestTarget!, test, parameter: true);
            Analyse(loop.Test, test);
            loop.TestLoads = Enter(test);
            Bind(loop.TestTarget, test, soft: false);
            Bind(loop.Test, test, soft: false);
        }
        _loops++;
        Bind(loop.Body, scope, soft: false);
        _loops--;
        var other = new Scope(outer, function);
        Analyse(loop.Other, other);
        loop.OtherLoads = Enter(other);
        Bind(loop.Other, other, soft: false);
    }

    private void BindMacro(Macro macro, Scope outer)
    {
        macro.Function = new Function(outer.Function);
        var scope = new Scope(outer, macro.Function);
        foreach (var arg in macro.Args)
            scope.Parameter(arg);
        Analyse(macro.Defaults, scope);
        Analyse(macro.Body, scope);
        var explicitCaller = Array.IndexOf(macro.Args, "caller");
        var (caller, kwargs, varargs) = (Tree.Uses(macro.Body, "caller"), Tree.Uses(macro.Body, "kwargs"), Tree.Uses(macro.Body, "varargs"));
        if (caller && explicitCaller >= 0 && explicitCaller < macro.Args.Length - macro.Defaults.Length)
            throw new PyError("TemplateAssertionError", "When defining macros or call blocks the special \"caller\" argument must be omitted or be given a default.", macro.Pos);
        caller &= explicitCaller < 0;
        kwargs &= !macro.Args.Contains("kwargs");
        varargs &= !macro.Args.Contains("varargs");
        foreach (var (uses, name) in (ReadOnlySpan<(bool, string)>)[(caller, "caller"), (kwargs, "kwargs"), (varargs, "varargs")])
        {
            if (uses)
                scope.Parameter(name);
        }
        macro.Loads = Enter(scope);
        macro.ArgSlots = [.. macro.Args.Select(a => scope.Refs[a].Slot)];
        macro.CallerSlot = caller ? scope.Refs["caller"].Slot : -1;
        macro.KwargsSlot = kwargs ? scope.Refs["kwargs"].Slot : -1;
        macro.VarargsSlot = varargs ? scope.Refs["varargs"].Slot : -1;
        var loops = _loops;
        _loops = 0;
        Bind(macro.Defaults, scope, soft: false);
        Bind(macro.Body, scope, soft: false);
        _loops = loops;
    }

    private void Bind(Expr[] exprs, Scope scope, bool soft)
    {
        foreach (var expr in exprs)
            Bind(expr, scope, soft);
    }

    private void Bind(Expr? expr, Scope scope, bool soft)
    {
        switch (expr)
        {
            case null:
                return;
            case Name name:
                Bound(name, scope.Find(name.Id)!, scope.Function);
                return;
            case CondExpr:
                soft = true;
                break;
            case FilterExpr { Filter: null } filter when !soft:
                throw new PyError("TemplateAssertionError", $"No filter named {PyRepr.Quote(filter.FilterName)}.", filter.Pos);
            case TestExpr { Test: null } test when !soft:
                throw new PyError("TemplateAssertionError", $"No test named {PyRepr.Quote(test.TestName)}.", test.Pos);
        }
        Tree.EachChild(expr, child => Bind(child, scope, soft));
    }
}
