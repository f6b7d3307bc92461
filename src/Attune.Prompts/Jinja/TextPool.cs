namespace Attune.Prompts.Jinja;

/// <summary>Text builders that renders use again, one render after the other.</summary>
internal sealed class TextPool
{
    private const int Size = 16;
    private const int MaxKept = 1 << 16;

    private readonly TextBuilder[] _free = new TextBuilder[Size];
    private int _count;

    public TextBuilder Take(int limit) => (_count > 0 ? _free[--_count] : new TextBuilder()).Limited(limit);

    /// <summary>Takes back a builder that nobody looks at any more.</summary>
    public void Return(TextBuilder text)
    {
        if (_count < Size)
            _free[_count++] = Emptied(text, MaxKept);
    }

    /// <summary>The builder without its text; another one where it has grown too large to be kept.</summary>
    public static TextBuilder Emptied(TextBuilder text, int maxKept)
    {
        if (text.Capacity > maxKept)
            return new TextBuilder();
        text.Clear();
        return text;
    }
}
