using System.Diagnostics.CodeAnalysis;

namespace Attune.Core.Tokens.Models;

/// <summary>Texts and ids of a model's tokens, both ways.</summary>
internal sealed class Vocabulary
{
    /// <summary>No real vocabulary comes near; a larger id is a broken file, not a reason to allocate.</summary>
    public const int LargestId = (1 << 22) - 1;

    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _bySpan;
    private readonly string?[] _texts;

    /// <param name="entries">Texts with their ids. A text given twice keeps its last id.</param>
    public Vocabulary(IReadOnlyCollection<KeyValuePair<string, int>> entries)
    {
        _ids = new Dictionary<string, int>(entries.Count, StringComparer.Ordinal);
        foreach (var (text, id) in entries)
            _ids[text] = id;
        _bySpan = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
        Size = _ids.Count == 0 ? 0 : _ids.Values.Max() + 1;
        _texts = new string?[Size];
        foreach (var (text, id) in _ids)
            _texts[id] = text;
    }

    /// <summary>One more than the largest id.</summary>
    public int Size { get; }

    /// <summary>How many texts there are.</summary>
    public int Count => _ids.Count;

    public IEnumerable<KeyValuePair<string, int>> Entries => _ids;

    public bool TryGetId(ReadOnlySpan<char> text, out int id) => _bySpan.TryGetValue(text, out id);

    public bool TryGetText(int id, [NotNullWhen(true)] out string? text)
    {
        text = (uint)id < (uint)_texts.Length ? _texts[id] : null;
        return text is not null;
    }
}
