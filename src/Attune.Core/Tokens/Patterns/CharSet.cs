using System.Globalization;
using System.Text;

namespace Attune.Core.Tokens.Patterns;

/// <summary>A set of code points. A table answers for ASCII, the rule for the rest.</summary>
internal sealed class CharSet
{
    private readonly Func<int, bool> _rule;
    private readonly UInt128 _ascii;

    public CharSet(Func<int, bool> rule)
    {
        _rule = rule;
        for (var c = 0; c < 128; c++)
        {
            if (rule(c))
                _ascii |= UInt128.One << c;
        }
    }

    public bool Contains(int codePoint) =>
        codePoint < 128 ? (_ascii >> codePoint & UInt128.One) != UInt128.Zero : _rule(codePoint);

    public CharSet Not() => new(c => !Contains(c));

    public static CharSet Of(int codePoint) => new(c => c == codePoint);

    public static CharSet Range(int first, int last) => new(c => c >= first && c <= last);

    public static CharSet Any(IReadOnlyList<CharSet> sets) => sets.Count == 1 ? sets[0] : new(c =>
    {
        foreach (var set in sets)
        {
            if (set.Contains(c))
                return true;
        }
        return false;
    });

    public static CharSet Both(CharSet a, CharSet b) => new(c => a.Contains(c) && b.Contains(c));

    /// <summary>The set with the other cases of its characters.</summary>
    public CharSet AnyCase() => new(c => Contains(c) || Contains(Lower(c)) || Contains(Upper(c)) || OtherCases(c).Any(Contains));

    public static CharSet Category(params UnicodeCategory[] categories)
    {
        var wanted = 0;
        foreach (var category in categories)
            wanted |= 1 << (int)category;
        return new(c => (wanted >> (int)CategoryOf(c) & 1) != 0);
    }

    public static UnicodeCategory CategoryOf(int codePoint) => CharUnicodeInfo.GetUnicodeCategory(codePoint);

    public static CharSet Space { get; } = new(c => c <= char.MaxValue && char.IsWhiteSpace((char)c));

    public static CharSet Digit { get; } = Category(UnicodeCategory.DecimalDigitNumber);

    public static CharSet Alphabetic { get; } = new(c => CategoryOf(c) <= UnicodeCategory.OtherLetter
        || CategoryOf(c) is UnicodeCategory.LetterNumber or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark
        || c is (>= 0x24B6 and <= 0x24E9));

    /// <summary>Letters, marks, decimal digits, letter numbers and connectors.</summary>
    public static CharSet Word { get; } = new(c => CategoryOf(c) is <= UnicodeCategory.OtherLetter or UnicodeCategory.NonSpacingMark
        or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark or UnicodeCategory.DecimalDigitNumber
        or UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation);

    private static int Lower(int c) => Rune.IsValid(c) ? Rune.ToLowerInvariant(new Rune(c)).Value : c;

    private static int Upper(int c) => Rune.IsValid(c) ? Rune.ToUpperInvariant(new Rune(c)).Value : c;

    /// <summary>Unicode folds these together although no simple case mapping does.</summary>
    private static int[] OtherCases(int c) => c switch
    {
        0x17F => ['s', 'S'],
        's' or 'S' => [0x17F],
        0x212A => ['k', 'K'],
        'k' or 'K' => [0x212A],
        0x212B => [0xE5, 0xC5],
        0xE5 or 0xC5 => [0x212B],
        _ => [],
    };
}
