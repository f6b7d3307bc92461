namespace Attune.Core.Tokens.Models;

/// <summary>All pieces by their characters: from a node and a character to the next node, in one flat table.</summary>
internal sealed class PieceTrie
{
    private readonly long[] _keys;
    private readonly int[] _children;
    private readonly int[] _ids;
    private readonly int _shift;

    public PieceTrie(Vocabulary vocabulary)
    {
        var edges = new Dictionary<long, int>();
        var ids = new List<int> { -1 };
        foreach (var (text, id) in vocabulary.Entries)
        {
            var node = 0;
            foreach (var unit in text)
            {
                if (!edges.TryGetValue(Edge(node, unit), out var child))
                {
                    child = ids.Count;
                    edges[Edge(node, unit)] = child;
                    ids.Add(-1);
                }
                node = child;
            }
            if (node > 0)
                ids[node] = id;
        }
        _ids = [.. ids];
        var bits = 4;
        while (1 << bits < edges.Count * 2)
            bits++;
        _shift = 64 - bits;
        _keys = new long[1 << bits];
        _children = new int[1 << bits];
        foreach (var (edge, child) in edges)
        {
            var slot = Slot(edge);
            while (_children[slot] != 0)
                slot = (slot + 1) & (_keys.Length - 1);
            (_keys[slot], _children[slot]) = (edge, child);
        }
    }

    /// <summary>The node after a character, or 0 (the root) where no piece goes on so.</summary>
    public int Child(int node, char unit)
    {
        var edge = Edge(node, unit);
        var slot = Slot(edge);
        while (_children[slot] != 0 && _keys[slot] != edge)
            slot = (slot + 1) & (_keys.Length - 1);
        return _children[slot];
    }

    /// <summary>The piece that ends at a node, or -1.</summary>
    public int IdAt(int node) => _ids[node];

    private static long Edge(int node, char unit) => ((long)node << 16) | unit;

    private int Slot(long edge) => (int)((ulong)edge * 0x9E3779B97F4A7C15UL >> _shift);
}
