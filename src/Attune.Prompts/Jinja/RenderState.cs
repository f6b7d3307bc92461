using System.Diagnostics.CodeAnalysis;

namespace Attune.Prompts.Jinja;

/// <summary>One render: its input, its budget, where it is, and the spans that it found.</summary>
internal sealed class RenderState
{
    private readonly PyDict _variables;
    private readonly TextPool _pool;
    private readonly object?[] _context;
    private readonly long _maxOutput;
    private long _fuel;
    private long _memory;
    private int _depth;
    private List<TextSpan>? _spans;

    public RenderState(Program program, PyDict variables, TemplateLimits limits, DateTime now)
    {
        Program = program;
        Limits = limits;
        Now = now;
        _variables = variables;
        _fuel = limits.MaxSteps;
        _memory = limits.MaxAllocation;
        _maxOutput = limits.MaxOutput;
        _context = new object?[program.ContextNames.Length];
        _pool = TextPool.OfThisThread;
        Root = _pool.TakeRoot(limits.MaxOutput);
    }

    public readonly Program Program;
    public readonly TemplateLimits Limits;
    public readonly DateTime Now;
    public readonly TextBuilder Root;

    /// <summary>What generation blocks rendered so far.</summary>
    public List<TextSpan> Spans => _spans ??= [];

    /// <summary>The spans of a render that is over.</summary>
    public IReadOnlyList<TextSpan> FoundSpans => _spans ?? (IReadOnlyList<TextSpan>)[];

    /// <summary>Offset in the template of what runs now.</summary>
    public int Position;

    /// <summary>The variables of the template itself.</summary>
    public Frame? RootFrame;

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

    /// <summary>Gives the root builder back to this thread for its next render.</summary>
    public void Release() => _pool.ReturnRoot(Root);
}
