using Attune.Core.Tokens.Patterns;

namespace Attune.Core.Tokens.PreTokenizers;

/// <summary>Reads the pre_tokenizer of tokenizer.json.</summary>
internal static class PreTokenizerReader
{
    public static PreTokenizer? Read(JsonField field) => field.IsNull ? null : ReadOne(field);

    /// <summary>
    /// The scanner that cuts as the whole pre-tokenizer does, where its words are then taken as bytes:
    /// ByteLevel alone, or a known Split and ByteLevel after it.
    /// </summary>
    public static WordSplit? Scanner(PreTokenizer? preTokenizer) => preTokenizer switch
    {
        ByteLevel { AddPrefixSpace: false, UseRegex: true } => WordSplit.Gpt2,
        PreTokenizerSequence { Steps: [ByteLevel { AddPrefixSpace: false, UseRegex: true }] } => WordSplit.Gpt2,
        PreTokenizerSequence { Steps: [Split { Known: { } split }, ByteLevel { AddPrefixSpace: false, UseRegex: false }] } => split,
        _ => null,
    };

    /// <summary>What comes after a first step that parts words at white space, where it does the same to a word wherever it stands; else null.</summary>
    public static PreTokenizer? AfterWhiteSpace(PreTokenizer? preTokenizer) =>
        preTokenizer is PreTokenizerSequence { Steps: [var first, .. var rest] } && ReferenceEquals(first, CharacterSplit.WhiteSpace)
        && rest.All(step => step is not (PreTokenizerSequence or Metaspace { Scheme: PrependScheme.First }))
            ? new PreTokenizerSequence([.. rest])
            : null;

    public static (char Mark, PrependScheme Scheme) ReadMetaspace(JsonField field)
    {
        var replacement = field["replacement"].TextOr("\u2581");
        if (replacement.Length != 1)
            throw field["replacement"].Bad("One character is expected here.");
        // Files of before 2024 say add_prefix_space instead.
        var scheme = field["prepend_scheme"].TextOr(field["add_prefix_space"].Flag(true) ? "always" : "never");
        return (replacement[0], scheme.ToUpperInvariant() switch
        {
            "ALWAYS" => PrependScheme.Always,
            "FIRST" => PrependScheme.First,
            "NEVER" => PrependScheme.Never,
            _ => throw field["prepend_scheme"].Unsupported(scheme),
        });
    }

    private static PreTokenizer ReadOne(JsonField field)
    {
        var kind = field["type"].Text();
        switch (kind)
        {
            case "Sequence":
                return new PreTokenizerSequence([.. field["pretokenizers"].Items().Select(ReadOne)]);
            case "ByteLevel":
                return new ByteLevel(field["add_prefix_space"].Flag(true), field["use_regex"].Flag(true));
            case "Split":
                return new Split(PatternReader.Read(field["pattern"]), Behavior(field["behavior"]), field["invert"].Flag());
            case "Metaspace":
                var (mark, scheme) = ReadMetaspace(field);
                return new Metaspace(mark, scheme, field["split"].Flag(true));
            case "Whitespace":
                return new Split(new Pattern(@"\w+|[^\w\s]+", field.Path), SplitBehavior.Removed, invert: true);
            case "WhitespaceSplit":
                return CharacterSplit.WhiteSpace;
            case "BertPreTokenizer":
                return new PreTokenizerSequence([CharacterSplit.WhiteSpace, CharacterSplit.Punctuation(SplitBehavior.Isolated)]);
            case "Punctuation":
                return CharacterSplit.Punctuation(field["behavior"].IsNull ? SplitBehavior.Isolated : Behavior(field["behavior"]));
            case "Digits":
                return CharacterSplit.Digits(field["individual_digits"].Flag());
            case "CharDelimiterSplit":
                return new Split(new Pattern(field["delimiter"].Text()), SplitBehavior.Removed, invert: false);
            default:
                throw field["type"].Unsupported(kind);
        }
    }

    private static SplitBehavior Behavior(JsonField field) => field.Text() switch
    {
        "Removed" => SplitBehavior.Removed,
        "Isolated" => SplitBehavior.Isolated,
        "MergedWithPrevious" => SplitBehavior.MergedWithPrevious,
        "MergedWithNext" => SplitBehavior.MergedWithNext,
        "Contiguous" => SplitBehavior.Contiguous,
        var other => throw field.Unsupported(other),
    };
}
