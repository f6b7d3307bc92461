using System.Text.RegularExpressions;

namespace Attune.Core.Tests.Worlds;

/// <summary>A wording as it stands in a text: its words, and between them any of the names and values.</summary>
/// <param name="template">With {X} for a name and {V} for a value.</param>
/// <param name="names">What {X} may be.</param>
/// <param name="values">What {V} may be.</param>
internal sealed partial class WordingPattern(string template, HashSet<string> names, HashSet<string> values)
{
    private readonly (string? Words, HashSet<string> Set, int Longest)[] _parts = [.. Places().Split(template).Where(p => p.Length > 0).Select(part => part switch
    {
        "{X}" => ((string?)null, names, names.Max(n => n.Length)),
        "{V}" => (null, values, values.Max(v => v.Length)),
        _ => (part, names, 0),
    })];

    /// <summary>The wording.</summary>
    public string Template => template;

    /// <summary>Whether a text has all its words: what has not needs no closer look.</summary>
    public bool MayBeIn(string text) => Array.TrueForAll(_parts, p => p.Words is null || text.Contains(p.Words, StringComparison.Ordinal));

    /// <summary>Whether it stands at a place of a text.</summary>
    public bool StandsAt(string text, int at) => StandsAt(text, at, 0);

    private bool StandsAt(string text, int at, int part)
    {
        if (part == _parts.Length) return true;
        var (words, set, longest) = _parts[part];
        if (words is not null)
            return string.CompareOrdinal(text, at, words, 0, words.Length) == 0 && StandsAt(text, at + words.Length, part + 1);
        for (var length = Math.Min(longest, text.Length - at); length > 0; length--)
        {
            if (set.Contains(text.Substring(at, length)) && StandsAt(text, at + length, part + 1)) return true;
        }
        return false;
    }

    [GeneratedRegex(@"(\{[XV]\})")]
    private static partial Regex Places();
}
