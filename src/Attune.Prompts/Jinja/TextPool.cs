namespace Attune.Prompts.Jinja;

/// <summary>
/// Text builders that a thread's renders use again. A render asks its thread for the pool once and keeps it:
/// thread-local storage costs more than the look into the pool.
/// </summary>
internal sealed class TextPool
{
    private const int Size = 16;
    private const int MaxKept = 1 << 16;
    private const int MaxRootKept = 1 << 20;

    [ThreadStatic]
    private static TextPool? s_ofThisThread;

    private readonly TextBuilder[] _free = new TextBuilder[Size];
    private int _count;
    private TextBuilder? _root;

    public static TextPool OfThisThread => s_ofThisThread ??= new TextPool();

    public TextBuilder Take(int limit) => (_count > 0 ? _free[--_count] : new TextBuilder()).Limited(limit);

    /// <summary>Takes back a builder that nobody looks at any more; very large ones are let go.</summary>
    public void Return(TextBuilder text)
    {
        if (_count == Size || text.Capacity > MaxKept)
            return;
        text.Clear();
        _free[_count++] = text;
    }

    /// <summary>The builder of the render itself, which is larger from the start.</summary>
    public TextBuilder TakeRoot(int limit)
    {
        var root = _root ?? new TextBuilder(4096);
        _root = null;
        return root.Limited(limit);
    }

    public void ReturnRoot(TextBuilder root)
    {
        if (root.Capacity > MaxRootKept)
            return;
        root.Clear();
        _root = root;
    }
}
