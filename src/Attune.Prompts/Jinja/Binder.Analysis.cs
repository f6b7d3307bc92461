namespace Attune.Prompts.Jinja;

/// <summary>The first pass: what a scope's own statements load and store, not looking into scopes within it.</summary>
internal sealed partial class Binder
{
    private enum From { Resolve, Alias, Nothing, Parameter }

    private sealed class Var(Function function)
    {
        public readonly Function Function = function;
        public int Slot = -1;
        public int Context = -1;
    }

    private sealed class Scope(Scope? parent, Function function)
    {
        public readonly Scope? Parent = parent;
        public readonly Function Function = function;
        public Dictionary<string, Var> Refs = [];
        public Dictionary<string, (From From, Var? Source)> Loads = [];
        public HashSet<string> Stores = [];
        private readonly Dictionary<string, Var> _all = [];

        private Scope(Scope other) : this(other.Parent, other.Function)
        {
            _all = other._all;
            Refs = new(other.Refs);
            Loads = new(other.Loads);
            Stores = [.. other.Stores];
        }

        public Scope Copy() => new(this);

        public Var? Find(string name) => Refs.TryGetValue(name, out var found) ? found : Parent?.Find(name);

        private void Define(string name, From from, Var? source = null)
        {
            if (!_all.TryGetValue(name, out var variable))
                _all[name] = variable = new Var(Function);
            Refs[name] = variable;
            Loads[name] = (from, source);
        }

        public void Load(string name)
        {
            if (Find(name) is null)
                Define(name, From.Resolve);
        }

        public void Store(string name)
        {
            Stores.Add(name);
            if (Refs.ContainsKey(name))
                return;
            if (Parent?.Find(name) is { } outer)
                Define(name, From.Alias, outer);
            else
                Define(name, From.Nothing);
        }

        public void Parameter(string name)
        {
            Stores.Add(name);
            Define(name, From.Parameter);
        }

        public void Merge(Scope[] branches)
        {
            var stored = branches.SelectMany(b => b.Stores).Where(n => !Stores.Contains(n)).ToHashSet();
            foreach (var branch in branches)
            {
                foreach (var (name, variable) in branch.Refs)
                    Refs[name] = variable;
                foreach (var (name, load) in branch.Loads)
                    Loads[name] = load;
                Stores.UnionWith(branch.Stores);
            }
            foreach (var name in stored)
                Loads[name] = Parent?.Find(name) is { } outer ? (From.Alias, outer) : (From.Resolve, null);
        }
    }

    private static void Analyse(Stmt[] body, Scope scope)
    {
        foreach (var statement in body)
            Analyse(statement, scope);
    }

    private static void Analyse(Stmt statement, Scope scope)
    {
        switch (statement)
        {
            case Output output:
                Analyse(output.Parts, scope);
                break;
            case If branch:
                AnalyseIf(branch, scope);
                break;
            case Set set:
                Analyse(set.Value, scope);
                AnalyseTarget(set.Target, scope, parameter: false);
                break;
            case SetBlock set:
                AnalyseTarget(set.Target, scope, parameter: false);
                break;
            case Macro macro:
                scope.Store(macro.Id);
                break;
            case For loop:
                Analyse(loop.Items, scope);
                break;
            case CallBlock call:
                Analyse(call.Call, scope);
                break;
            case FilterBlock filter:
                Analyse(filter.Filter, scope);
                break;
            case With with:
                Analyse(with.Values, scope);
                break;
            case Load load:
                Analyse(load.Template, scope);
                load.Names.ForEach(scope.Store);
                break;
        }
    }

    private static void AnalyseIf(If branch, Scope scope)
    {
        // An elif is an if inside the elif branch: its test and body are seen by the copy of that branch.
        var (test, body) = branch.Branches[0];
        Analyse(test, scope);
        var first = scope.Copy();
        Analyse(body, first);
        var middle = scope.Copy();
        foreach (var (elifTest, elifBody) in branch.Branches.Skip(1))
        {
            Analyse(elifTest, middle);
            var inner = middle.Copy();
            Analyse(elifBody, inner);
            middle.Merge([inner, middle.Copy(), middle.Copy()]);
        }
        var last = scope.Copy();
        Analyse(branch.Other, last);
        scope.Merge([first, middle, last]);
    }

    private static void AnalyseTarget(Expr target, Scope scope, bool parameter)
    {
        switch (target)
        {
            case Name name when parameter:
                scope.Parameter(name.Id);
                break;
            case Name name:
                scope.Store(name.Id);
                break;
            case NsRef ns:
                scope.Load(ns.Target.Id);
                break;
            case TupleExpr tuple:
                foreach (var item in tuple.Items)
                    AnalyseTarget(item, scope, parameter);
                break;
        }
    }

    private static void Analyse(Expr[] exprs, Scope scope)
    {
        foreach (var expr in exprs)
            Analyse(expr, scope);
    }

    private static void Analyse(Expr? expr, Scope scope)
    {
        if (expr is Name name)
            scope.Load(name.Id);
        else if (expr is not null)
            Tree.EachChild(expr, child => Analyse(child, scope));
    }
}
