namespace Attune.Prompts.Jinja;

/// <summary>Statements: from tokens to the tree. Expressions are in the other half of this class.</summary>
internal sealed partial class Parser
{
    private const int MaxNesting = 100;

    private static readonly HashSet<string> Keywords =
        ["for", "if", "block", "extends", "print", "macro", "include", "from", "import", "set", "with", "autoescape"];

    private readonly List<Token> _tokens;
    private readonly List<string> _tags = [];
    private readonly List<string[]> _ends = [];
    private int _at;
    private int _nesting;

    private Parser(List<Token> tokens)
    {
        _tokens = tokens;
        _ = Readable(0);
    }

    /// <summary>The tree, and the error of what Python itself refuses: it compiles last, after Jinja found nothing wrong.</summary>
    public static (Stmt[] Body, PyError? Late) Parse(string normalised)
    {
        var parser = new Parser(new Lexer(normalised).Tokenize());
        return (parser.Body(null), parser.Late);
    }

    private PyError? Late { get; set; }

    private Token Current => _tokens[_at];

    private Token Next()
    {
        var token = Current;
        if (_at < _tokens.Count - 1)
            _ = Readable(++_at);
        return token;
    }

    private Token Look() => Readable(Math.Min(_at + 1, _tokens.Count - 1));

    private Token Readable(int at) => _tokens[at] is { Type: T.Error, Value: PyError error } ? throw error : _tokens[at];

    private bool IsName(string name) => Current.Type == T.Name && Current.Text == name;

    private bool IsOp(string op) => Current.Type == T.Operator && Current.Text == op;

    private bool SkipName(string name) => IsName(name) && Next().Type == T.Name;

    private bool SkipOp(string op) => IsOp(op) && Next().Type == T.Operator;

    private static PyError Fail(string message, int position) => PyError.Syntax(message, position);

    private Token ExpectOp(string op) => IsOp(op) ? Next() : throw Expected($"token '{op}'");

    private Token ExpectName(string? name = null) =>
        Current.Type == T.Name && (name is null || Current.Text == name) ? Next()
        : throw Expected(name is null ? "token 'name'" : $"token '{name}'");

    private Token Expect(T type, string description) => Current.Type == type ? Next() : throw Expected($"token '{description}'");

    private PyError Expected(string what) => Current.Type == T.Eof
        ? Fail($"unexpected end of template, expected {what["token ".Length..]}.", Current.Position)
        : Fail($"expected {what}, got {PyRepr.Quote(Describe(Current))}", Current.Position);

    private static string Describe(Token token) => token.Type switch
    {
        T.Name or T.Operator => token.Text,
        T.Data => "template data / text",
        T.VariableBegin => "begin of print statement",
        T.VariableEnd => "end of print statement",
        T.BlockBegin => "begin of statement block",
        T.BlockEnd => "end of statement block",
        T.Eof => "end of template",
        T.String => "string",
        T.Integer => "integer",
        _ => "float",
    };

    private Stmt[] Body(string[]? ends)
    {
        var body = new List<Stmt>();
        var output = new List<Expr>();
        if (ends is not null)
            _ends.Add(ends);
        while (Current.Type != T.Eof)
        {
            var token = Current;
            if (token.Type == T.Data)
            {
                Next();
                output.Add(new Const(new PyStr(token.Text), token.Position) { IsData = true });
                continue;
            }
            if (token.Type == T.VariableBegin)
            {
                Next();
                output.Add(Tuple());
                Expect(T.VariableEnd, "end of print statement");
                continue;
            }
            Flush(body, output);
            Next();
            if (ends is not null && Current.Type == T.Name && ends.Contains(Current.Text))
            {
                _ends.RemoveAt(_ends.Count - 1);
                return [.. body];
            }
            body.Add(Statement());
            Expect(T.BlockEnd, "end of statement block");
        }
        Flush(body, output);
        if (ends is not null)
            _ends.RemoveAt(_ends.Count - 1);
        return [.. body];
    }

    private static void Flush(List<Stmt> body, List<Expr> output)
    {
        if (output.Count > 0)
            body.Add(new Output([.. output], output[0].Pos));
        output.Clear();
    }

    /// <summary>The body of a tag, up to one of its ends, which is the current token afterwards or is eaten.</summary>
    private Stmt[] Statements(string[] ends, bool drop)
    {
        SkipOp(":");
        Expect(T.BlockEnd, "end of statement block");
        var body = Body(ends);
        if (Current.Type == T.Eof)
            throw Eof(ends);
        if (drop)
            Next();
        return body;
    }

    private Stmt Statement()
    {
        var token = Current;
        if (token.Type != T.Name)
            throw Fail("tag name expected", token.Position);
        if (++_nesting > MaxNesting)
            throw new PyError(PyError.LimitType, $"Blocks are nested deeper than {MaxNesting}.", token.Position);
        _tags.Add(token.Text);
        Stmt statement = token.Text switch
        {
            "for" => For(),
            "if" => If(),
            "set" => Set(),
            "macro" => Macro(),
            "call" => CallBlock(),
            "filter" => FilterBlock(),
            "with" => With(),
            "print" => Print(),
            "block" => Block(),
            "autoescape" => Autoescape(),
            "generation" => Generation(),
            "break" => new Break(Next().Position),
            "continue" => new Continue(Next().Position),
            "extends" or "include" or "import" or "from" => Load(),
            _ => throw Unknown(token),
        };
        _tags.RemoveAt(_tags.Count - 1);
        _nesting--;
        return statement;
    }

    private PyError Unknown(Token token)
    {
        _tags.RemoveAt(_tags.Count - 1);
        return Fail(Looking($"Encountered unknown tag {PyRepr.Quote(token.Text)}.", token.Text, _ends), token.Position);
    }

    private PyError Eof(string[] ends) => Fail(Looking("Unexpected end of template.", null, [.. _ends, ends]), Current.Position);

    private string Looking(string message, string? name, List<string[]> ends)
    {
        if (ends.Count > 0)
        {
            var looking = string.Join(" or ", ends[^1].Select(PyRepr.Quote));
            message += name is not null && ends.Any(e => e.Contains(name))
                ? $" You probably made a nesting mistake. Jinja is expecting this tag, but currently looking for {looking}."
                : $" Jinja was looking for the following tags: {looking}.";
        }
        return _tags.Count > 0 ? message + $" The innermost block that needs to be closed is {PyRepr.Quote(_tags[^1])}." : message;
    }

    private For For()
    {
        var at = ExpectName("for").Position;
        var target = Target(untilIn: true);
        ExpectName("in");
        var items = Tuple(conditions: false, end: "recursive");
        var test = SkipName("if") ? Expression() : null;
        var recursive = SkipName("recursive");
        var body = Statements(["endfor", "else"], drop: false);
        Stmt[] other = Next().Text == "endfor" ? [] : Statements(["endfor"], drop: true);
        return new For(target, items, test, recursive, body, other, at);
    }

    private If If()
    {
        var at = ExpectName("if").Position;
        var branches = new List<(Expr, Stmt[])>();
        while (true)
        {
            var test = Tuple(conditions: false);
            branches.Add((test, Statements(["elif", "else", "endif"], drop: false)));
            var token = Next();
            if (token.Text == "elif")
                continue;
            Stmt[] other = token.Text == "else" ? Statements(["endif"], drop: true) : [];
            return new If([.. branches], other, at);
        }
    }

    private Stmt Set()
    {
        var at = Next().Position;
        var target = Target(namespaces: true);
        if (SkipOp("="))
            return new Set(target, Tuple(), at);
        var filter = FilterChain(null, inline: false);
        return new SetBlock(target, filter, Statements(["endset"], drop: true), at);
    }

    private Macro Macro()
    {
        Next();
        var name = ExpectName();
        var (args, defaults) = Signature();
        return new Macro(name.Text, args, defaults, Statements(["endmacro"], drop: true), name.Position);
    }

    private (string[] Args, Expr[] Defaults) Signature()
    {
        var (args, defaults) = (new List<string>(), new List<Expr>());
        ExpectOp("(");
        while (!IsOp(")"))
        {
            if (args.Count > 0)
                ExpectOp(",");
            var arg = ExpectName();
            AssertAssignable(arg);
            if (SkipOp("="))
                defaults.Add(Expression());
            else if (defaults.Count > 0)
                throw Fail("non-default argument follows default argument", Current.Position);
            args.Add(arg.Text);
        }
        ExpectOp(")");
        return ([.. args], [.. defaults]);
    }

    private CallBlock CallBlock()
    {
        var at = Next().Position;
        var (args, defaults) = IsOp("(") ? Signature() : ([], []);
        return Expression() is Call call
            ? new CallBlock(call, new Macro("caller", args, defaults, Statements(["endcall"], drop: true), at) { IsCaller = true }, at)
            : throw Fail("expected call", at);
    }

    private FilterBlock FilterBlock()
    {
        var at = Next().Position;
        var filter = FilterChain(null, inline: true)!;
        return new FilterBlock(filter, Statements(["endfilter"], drop: true), at);
    }

    private With With()
    {
        var at = Next().Position;
        var (targets, values) = (new List<Expr>(), new List<Expr>());
        while (Current.Type != T.BlockEnd)
        {
            if (targets.Count > 0)
                ExpectOp(",");
            targets.Add(Target());
            ExpectOp("=");
            values.Add(Expression());
        }
        return new With([.. targets], [.. values], Statements(["endwith"], drop: true), at);
    }

    private Output Print()
    {
        var at = Next().Position;
        var values = new List<Expr>();
        while (Current.Type != T.BlockEnd)
        {
            if (values.Count > 0)
                ExpectOp(",");
            values.Add(Expression());
        }
        return new Output([.. values], at);
    }

    private Block Block()
    {
        var at = Next().Position;
        var name = ExpectName().Text;
        SkipName("scoped");
        SkipName("required");
        if (IsOp("-"))
            throw Fail("Block names in Jinja have to be valid Python identifiers and may not contain hyphens, use an underscore instead.", Current.Position);
        var body = Statements(["endblock"], drop: true);
        SkipName(name);
        return new Block(name, body, at);
    }

    private Autoescape Autoescape()
    {
        var at = Next().Position;
        var value = Expression();
        return new Autoescape(value, Statements(["endautoescape"], drop: true), at);
    }

    private Generation Generation()
    {
        var at = Next().Position;
        return new Generation(Statements(["endgeneration"], drop: true), at);
    }

    /// <summary>Tags that load another template: a chat template has none to load, so they parse and then fail.</summary>
    private Load Load()
    {
        var token = Next();
        var load = new Load(Expression(), token.Position);
        while (Current.Type is not (T.BlockEnd or T.Eof))
        {
            if (token.Text is "import" && IsName("as") && Look().Type == T.Name)
                load.Names.Add(Look().Text);
            else if (token.Text is "from" && Current.Type == T.Name && Current.Text is not ("import" or "as" or "with" or "without" or "context"))
                load.Names.Add(Current.Text);
            Next();
        }
        return load;
    }

    private static void AssertAssignable(Token name)
    {
        if (name.Text is "true" or "false" or "none" or "True" or "False" or "None")
            throw Fail($"can't assign to {PyRepr.Quote("const")}", name.Position);
    }

    private Expr Target(bool untilIn = false, bool namespaces = false)
    {
        var at = Current.Position;
        var target = Tuple(simple: true, end: untilIn ? "in" : null, namespaces: namespaces);
        AssertTarget(target, at);
        return target;
    }

    private static void AssertTarget(Expr target, int at)
    {
        if (target is TupleExpr tuple)
        {
            foreach (var item in tuple.Items)
                AssertTarget(item, at);
        }
        else if (target is not (Name or NsRef))
        {
            throw Fail($"can't assign to {PyRepr.Quote(target.GetType().Name.Replace("Expr", "", StringComparison.Ordinal).ToLowerInvariant())}", at);
        }
    }
}
