namespace Attune.Core.Tokens;

/// <summary>Tokens as they come out: ids, and the range of the text in UTF-16 code units that each came from.</summary>
internal sealed class TokenBuffer
{
    public int[] Ids = new int[64];
    public int[] Starts = new int[64];
    public int[] Ends = new int[64];
    public int Count;

    public void Add(int id, int start, int end)
    {
        if (Count == Ids.Length)
            Grow(Count + 1);
        Ids[Count] = id;
        Starts[Count] = start;
        Ends[Count++] = end;
    }

    /// <summary>Makes room for <paramref name="more"/> tokens.</summary>
    public void Reserve(int more)
    {
        if (Count + more > Ids.Length)
            Grow(Count + more);
    }

    private void Grow(int least)
    {
        var size = Math.Max(least, Ids.Length * 2);
        Array.Resize(ref Ids, size);
        Array.Resize(ref Starts, size);
        Array.Resize(ref Ends, size);
    }
}
