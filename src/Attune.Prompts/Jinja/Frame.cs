namespace Attune.Prompts.Jinja;

/// <summary>The variables of one function (the template itself, a macro, the body of a call): Python's locals.</summary>
internal sealed class Frame(RenderState state, int size, Frame? up, TextBuilder output)
{
    /// <summary>In a slot: the name has no value here.</summary>
    public static readonly object Missing = new();

    public readonly RenderState State = state;
    public readonly object?[] Slots = new object?[size];
    public readonly Frame? Up = up;
    public TextBuilder Out = output;
}

/// <summary>One render: its input, its budget, where it is, and the spans that it found.</summary>
internal sealed class RenderState(Program program, IReadOnlyDictionary<string, object?> variables, TemplateLimits limits, DateTime now)
{
    private long _fuel = limits.MaxSteps;
    private long _memory = limits.MaxAllocation;
    private int _depth;

    public readonly object?[] Context = new object?[program.ContextNames.Length];
    public readonly TextBuilder Root = RootBuilder(limits);
    public readonly List<TextSpan> Spans = [];

    /// <summary>Offset in the template of what runs now.</summary>
    public int Position;

    /// <summary>The variables of the template itself.</summary>
    public Frame? RootFrame;

    /// <summary>Inside an autoescape block.</summary>
    public bool Autoescape;

    public Program Program => program;
    public IReadOnlyDictionary<string, object?> Variables => variables;
    public TemplateLimits Limits => limits;
    public DateTime Now => now;

    /// <summary>A builder for text that will become a value.</summary>
    public TextBuilder NewText() => (s_free > 0 ? s_pool![--s_free] : new TextBuilder()).Limited(limits.MaxOutput);

    /// <summary>The text as a value; its builder is used again by whoever asks next on this thread, and must not be touched any more.</summary>
    public PyStr Finish(TextBuilder text, bool markup = false)
    {
        var made = text.ToPyStr(markup);
        if (s_free < PoolSize && text.Capacity <= 1 << 16)
        {
            text.Clear();
            (s_pool ??= new TextBuilder[PoolSize])[s_free++] = text;
        }
        return made;
    }

    private const int PoolSize = 16;

    [ThreadStatic]
    private static TextBuilder[]? s_pool;

    [ThreadStatic]
    private static int s_free;

    public void Step()
    {
        if (--_fuel < 0)
            throw PyError.Limit($"The template takes more than {limits.MaxSteps} steps.");
    }

    public void Steps(long count)
    {
        if (count > 0 && (_fuel -= count) < 0)
            throw PyError.Limit($"The template takes more than {limits.MaxSteps} steps.");
    }

    /// <summary>Charges for characters or elements about to be made.</summary>
    public void Charge(long count)
    {
        if (count > limits.MaxOutput || (_memory -= count) < 0)
            throw PyError.Limit($"The template makes more than {limits.MaxAllocation} characters and elements, or one value of more than {limits.MaxOutput}.");
    }

    public void Enter()
    {
        if (++_depth > limits.MaxDepth || !System.Runtime.CompilerServices.RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw PyError.Limit($"Macros or loops call each other deeper than {limits.MaxDepth}.");
        Step();
    }

    public void Leave() => _depth--;

    /// <summary>A variable of the caller, else a global, else <see cref="Frame.Missing"/>.</summary>
    public object? Resolve(string name) =>
        variables.TryGetValue(name, out var value) ? value
        : Globals.Table.TryGetValue(name, out var global) ? global : Frame.Missing;

    public object? ContextAt(int index)
    {
        // Null is None, so an entry not looked up yet needs a mark of its own: it is stored as Missing + index.
        var value = Context[index];
        if (value is null)
        {
            value = Resolve(program.ContextNames[index]) ?? None;
            Context[index] = value;
        }
        return ReferenceEquals(value, None) ? null : value;
    }

    private static readonly object None = new();

    [ThreadStatic]
    private static TextBuilder? s_root;

    private static TextBuilder RootBuilder(TemplateLimits limits)
    {
        var root = s_root ?? new TextBuilder(4096);
        s_root = null;
        root.Clear();
        return root.Limited(limits.MaxOutput);
    }

    /// <summary>Gives the root builder back to this thread for its next render.</summary>
    public void Release()
    {
        if (Root.Capacity <= 1 << 20)
            s_root = Root;
    }
}
