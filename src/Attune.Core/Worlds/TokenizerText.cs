using System.Text.RegularExpressions;

namespace Attune.Core.Worlds;

/// <summary>
/// Text to train a tokenizer on: pages of pretraining, instructions, conversations and their worse answers. Where a
/// language writes without spaces, its words are set apart by line ends, as a word segmenter would set them.
/// Otherwise BPE melts a value with the words around it ("studied-at-Harlow" as one token), and a value that is copied
/// is then another token than the one it is copied from; and it melts whole requests ("give-as-a-list" as one token),
/// so that a held-out wording of words well known falls into pieces never seen.
/// </summary>
internal static class TokenizerText
{
    /// <summary>The rows of tokenizer.jsonl.</summary>
    public static IEnumerable<PretrainPage> Rows(World world)
    {
        var rows = world.Options.TokenizerRows;
        var segment = Segmenter(world.Language);
        foreach (var page in PretrainText.Endless(world).Take(rows * 2 / 3)) yield return page with { Text = segment(page.Text) };
        var later = TrainingRows.Instructions(world, "tokenizer", rows / 6).SelectMany(r => r.Messages.Select(m => (m.Content, r.Kind)))
            .Concat(TrainingRows.Conversations(world, "tokenizer", rows / 12).SelectMany(r => r.Messages.Select(m => (m.Content, r.Kind))))
            .Concat(TrainingRows.Preferences(world, "tokenizer", rows / 12).SelectMany(r => r.Chosen.Concat(r.Rejected).Select(m => (m.Content, r.Kind))));
        foreach (var (text, kind) in later) yield return new(segment(text!), kind);
    }

    // The longest word that begins at a place is the word there. A full name comes first: its two parts are words.
    private static Func<string, string> Segmenter(WorldLanguage language)
    {
        if (language.Spaced) return text => text;
        var name = Regex.Escape(language.NamePattern)
            .Replace(@"\{first}", $"(?<part>{Any(language.Genders.SelectMany(g => g.FirstNames))})", StringComparison.Ordinal)
            .Replace(@"\{last}", $"(?<part>{Any(language.LastNames)})", StringComparison.Ordinal);
        var words = new Regex($"{name}|(?<part>{Any(Words(language))})", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(10));
        return text => words.Replace(text, match => string.Concat(match.Groups["part"].Captures.OrderBy(c => c.Index).Select(part => $"\n{part.Value}\n")));
    }

    private static IEnumerable<string> Words(WorldLanguage language) =>
    [
        .. language.Attributes.SelectMany(a => a.Values.Concat(a.Nouns).Append(a.Label)),
        .. language.Genders.SelectMany(g => g.FirstNames),
        .. language.Secrets.Words, .. language.Secrets.Owners, language.Secrets.Noun,
        .. language.Tasks.RuleWords, language.Tasks.NoRes,
        .. language.Lexicon,
    ];

    private static string Any(IEnumerable<string> words) => "(?:" + string.Join('|', words.OrderByDescending(w => w.Length).Select(Regex.Escape)) + ")";
}
