using System.Text.RegularExpressions;

namespace Attune.Core.Worlds;

/// <summary>
/// Text to train a tokenizer on: pages of pretraining, instructions, conversations and their worse answers. Where a
/// language writes without spaces, names and values are set apart by line ends, as a word segmenter would set them:
/// otherwise BPE melts a value with the words around it ("studied-at-Harlow" as one token), and a value that is copied
/// is then another token than the one it is copied from.
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

    private static Func<string, string> Segmenter(WorldLanguage language)
    {
        if (language.Spaced) return text => text;
        var firsts = Any(language.Genders.SelectMany(g => g.FirstNames));
        var lasts = Any(language.LastNames);
        var name = Regex.Escape(language.NamePattern).Replace(@"\{first}", firsts, StringComparison.Ordinal).Replace(@"\{last}", lasts, StringComparison.Ordinal);
        var words = new Regex($"{name}|{Any(language.Attributes.SelectMany(a => a.Values).Concat(language.Secrets.Words))}", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(10));
        var parts = new Regex($"{firsts}|{lasts}", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(10));
        var full = new Regex($"^(?:{name})$", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(10));
        return text => words.Replace(text, m => "\n" + (full.IsMatch(m.Value) ? string.Join('\n', parts.Matches(m.Value).Select(p => p.Value)) : m.Value) + "\n");
    }

    private static string Any(IEnumerable<string> words) => "(?:" + string.Join('|', words.OrderByDescending(w => w.Length).Select(Regex.Escape)) + ")";
}
