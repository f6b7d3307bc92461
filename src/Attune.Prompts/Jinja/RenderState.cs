using System.Diagnostics.CodeAnalysis;

namespace Attune.Prompts.Jinja;

/// <summary>
/// One render: its input, its budget, where it is, and the spans that it found. A thread's renders take turns with one
/// of these and with the buffers it holds; nothing of a render is left in it when the next begins.
/// </summary>
internal sealed class RenderState
{
    private const int MaxRootKept = 1 << 20;

    [ThreadStatic]
    private static RenderState? s_idle;

    private readonly TextPool _pool = new();
    private PyDict _variables = PyDict.Empty;
    private object?[] _context = [];
    private long _maxOutput;
    private long _fuel;
    private long _memory;
    private int _depth;
    private List<TextSpan>? _spans;

    private RenderState() => RootFrame = new Frame(this, 0, null, Root);

    public Program Program { get; private set; } = Program.Empty;

    public TemplateLimits Limits { get; private set; } = TemplateLimits.Default;

    public DateTime Now { get; private set; }

    /// <summary>The render itself.</summary>
    public TextBuilder Root { get; private set; } = new(4096);

    /// <summary>The variables of the template itself.</summary>
    public Frame RootFrame { get; private set; }

    /// <summary>A state to render with; <see cref="End"/> must follow, whatever happens.</summary>
    public static RenderState Begin(Program program, PyDict variables, TemplateLimits limits, DateTime now)
    {
        var state = s_idle ?? new RenderState();
        s_idle = null;
        state.Program = program;
        state.Limits = limits;
        state.Now = now;
        state.Root.Limited(limits.MaxOutput);
        state._variables = variables;
        state._fuel = limits.MaxSteps;
        state._memory = limits.MaxAllocation;
        state._maxOutput = limits.MaxOutput;
        state._depth = 0;
        state.Position = 0;
        state.Autoescape = false;
        if (state._context.Length < program.ContextNames.Length)
            state._context = new object?[program.ContextNames.Length];
        if (state.RootFrame.Slots.Length < program.Slots)
            state.RootFrame = new Frame(state, program.Slots, null, state.Root);
        return state;
    }

    /// <summary>Forgets the render, so that its conversation is not kept alive, and serves this thread's next one.</summary>
    public void End()
    {
        Root = TextPool.Emptied(Root, MaxRootKept);
        RootFrame.Out = Root;
        Array.Clear(RootFrame.Slots);
        Array.Clear(_context);
        _variables = PyDict.Empty;
        _spans = null;
        s_idle = this;
    }

    /// <summary>What generation blocks rendered so far.</summary>
    public List<TextSpan> Spans => _spans ??= [];

    /// <summary>The spans of a render that is over.</summary>
    public IReadOnlyList<TextSpan> FoundSpans => _spans ?? (IReadOnlyList<TextSpan>)[];

    /// <summary>Offset in the template of what runs now.</summary>
    public int Position;

    /// <summary>Inside an autoescape block.</summary>
    public bool Autoescape;

    /// <summary>A builder for text that will become a value.</summary>
    public TextBuilder NewText() => _pool.Take((int)_maxOutput);

    /// <summary>The text as a value; its builder goes to whoever asks next in this render, and must not be touched any more.</summary>
    public PyStr Finish(TextBuilder text, bool markup = false)
    {
        var made = text.ToPyStr(markup);
        _pool.Return(text);
        return made;
    }

    public void Step()
    {
        if (--_fuel < 0)
            ThrowSteps();
    }

    public void Steps(long count)
    {
        if (count > 0 && (_fuel -= count) < 0)
            ThrowSteps();
    }

    /// <summary>Charges for characters or elements about to be made.</summary>
    public void Charge(long count)
    {
        if (count > _maxOutput || (_memory -= count) < 0)
            ThrowAllocation();
    }

    public void Enter()
    {
        if (++_depth > Limits.MaxDepth || !System.Runtime.CompilerServices.RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw PyError.Limit($"Macros or loops call each other deeper than {Limits.MaxDepth}.");
        Step();
    }

    public void Leave() => _depth--;

    // Out of line, so that the counters themselves are inlined where they count.

    [DoesNotReturn]
    private void ThrowSteps() => throw PyError.Limit($"The template takes more than {Limits.MaxSteps} steps.");

    [DoesNotReturn]
    private void ThrowAllocation() =>
        throw PyError.Limit($"The template makes more than {Limits.MaxAllocation} characters and elements, or one value of more than {Limits.MaxOutput}.");

    /// <summary>A variable of the caller, else a global, else <see cref="Frame.Missing"/>.</summary>
    public object? ContextAt(int index) => _context[index] is { } value
        ? ReferenceEquals(value, None) ? null : value
        : Resolve(index);

    private object? Resolve(int index)
    {
        var name = Program.ContextNames[index];
        if (!_variables.TryGet(name.Key, out var value))
            value = name.Global;
        // Null is None here and "not looked up yet" in the array: None is stored as a mark of its own.
        _context[index] = value ?? None;
        return value;
    }

    private static readonly object None = new();
}
