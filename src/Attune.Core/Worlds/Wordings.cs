using System.Globalization;

namespace Attune.Core.Worlds;

/// <summary>One way to say or ask something: its name, its template, and who may see it.</summary>
/// <param name="Id">Stable name, such as <c>noun.1.4</c>: kind, phrase, frame.</param>
/// <param name="Text">Template with {X}, {V}, {he} or {his}.</param>
/// <param name="Split">Who may see it.</param>
/// <param name="Plain">True for the plain frame.</param>
public sealed record Wording(string Id, string Text, WorldSplit Split, bool Plain);

/// <summary>
/// Every wording of a language: frames × phrases. A Latin square gives each pair to training, validation or tests,
/// so a held-out wording is new as a whole, while each of its words and phrases is met in training in other pairs.
/// The square does not depend on seed or options: the tests were fixed before anything was tuned on them.
/// </summary>
public sealed class Wordings
{
    private readonly WorldLanguage _language;
    private readonly Wording[][][] _statements;
    private readonly Wording[][][] _questions;
    private readonly Wording[][][] _followUps;

    /// <summary>The wordings of a language.</summary>
    public Wordings(WorldLanguage language)
    {
        _language = language;
        var attributes = language.Attributes;
        _statements = [.. attributes.Select((words, a) => BySplit(Statements(words, a)))];
        _questions = [.. attributes.Select((words, a) => BySplit(Questions(words, a)))];
        _followUps = [.. attributes.Select((words, a) => BySplit(FollowUps(words, a)))];
    }

    /// <summary>Statements of an attribute: {X}, {V}.</summary>
    public IReadOnlyList<Wording> Statements(int attribute, WorldSplit split) => _statements[attribute][(int)split];

    /// <summary>Questions for an attribute: {X}.</summary>
    public IReadOnlyList<Wording> Questions(int attribute, WorldSplit split) => _questions[attribute][(int)split];

    /// <summary>Follow-up questions by pronoun: {he}, {his}.</summary>
    public IReadOnlyList<Wording> FollowUps(int attribute, WorldSplit split) => _followUps[attribute][(int)split];

    /// <summary>The sentence that answers: the first core in the plain frame.</summary>
    public string Answer(int attribute, string name, string value) =>
        Fill(Frame(_language.StatementFrames[0], _language.Attributes[attribute].Cores[0]), name, value);

    /// <summary>Puts a name and a value into a template.</summary>
    public static string Fill(string template, string name, string value = "") =>
        template.Replace("{X}", name, StringComparison.Ordinal).Replace("{V}", value, StringComparison.Ordinal);

    /// <summary>A first letter in upper case, where the script has one.</summary>
    public static string Capital(string text) =>
        text.Length > 0 && char.IsLower(text[0]) ? char.ToUpperInvariant(text[0]) + text[1..] : text;

    private static Wording[][] BySplit(IEnumerable<Wording> all)
    {
        var list = all.ToArray();
        return [.. Enum.GetValues<WorldSplit>().Select(split => list.Where(w => w.Split == split).ToArray())];
    }

    // One cell in five is for tests, one for validation; (phrase, frame) and (phrase + 1, frame + 3) share a cell class.
    private static WorldSplit Cell(int phrase, int frame, int attribute) => (((2 * phrase) + frame + attribute) % 5) switch
    {
        0 => WorldSplit.Test,
        1 => WorldSplit.Valid,
        _ => WorldSplit.Train,
    };

    private static string Frame(string frame, string core) =>
        Capital(frame.Replace("{c}", core, StringComparison.Ordinal));

    private static string Id(string kind, int phrase, int frame) =>
        string.Create(CultureInfo.InvariantCulture, $"{kind}.{phrase}.{frame}");

    private IEnumerable<Wording> Statements(AttributeWords words, int attribute)
    {
        for (var core = 0; core < words.Cores.Count; core++)
        {
            for (var frame = 0; frame < _language.StatementFrames.Count; frame++)
            {
                // The form of answers is met everywhere, so it can be no test.
                var split = core == 0 && frame == 0 ? WorldSplit.Train : Cell(core, frame, attribute);
                yield return new(Id("said", core, frame), Frame(_language.StatementFrames[frame], words.Cores[core]), split, frame == 0);
            }
        }
    }

    private IEnumerable<Wording> Questions(AttributeWords words, int attribute)
    {
        for (var noun = 0; noun < words.Nouns.Count; noun++)
        {
            for (var frame = 0; frame < _language.NounFrames.Count; frame++)
                yield return new(Id("noun", noun, frame), _language.NounFrames[frame].Replace("{n}", words.Nouns[noun], StringComparison.Ordinal), Cell(noun, frame, attribute), false);
        }
        for (var clause = 0; clause < words.Clauses.Count; clause++)
        {
            for (var frame = 0; frame < _language.ClauseFrames.Count; frame++)
            {
                // "Where was X born?" is what everyone asks first: it is trained.
                var split = frame == 0 ? WorldSplit.Train : Cell(clause, frame, attribute);
                yield return new(Id("clause", clause, frame), InClause(_language.ClauseFrames[frame], words.Clauses[clause]), split, frame == 0);
            }
        }
    }

    private IEnumerable<Wording> FollowUps(AttributeWords words, int attribute)
    {
        for (var noun = 0; noun < words.Nouns.Count; noun++)
        {
            for (var frame = 0; frame < _language.Tasks.FollowNouns.Count; frame++)
                yield return new(Id("follow-noun", noun, frame), _language.Tasks.FollowNouns[frame].Replace("{n}", words.Nouns[noun], StringComparison.Ordinal), Cell(noun, frame, attribute), false);
        }
        for (var clause = 0; clause < words.Clauses.Count; clause++)
        {
            for (var frame = 0; frame < _language.Tasks.FollowClauses.Count; frame++)
            {
                var text = InClause(_language.Tasks.FollowClauses[frame], words.Clauses[clause]).Replace("{X}", "{he}", StringComparison.Ordinal);
                yield return new(Id("follow-clause", clause, frame), text, Cell(clause, frame, attribute), false);
            }
        }
    }

    private static string InClause(string frame, Clause clause) =>
        Capital(frame.Replace("{d}", clause.Direct, StringComparison.Ordinal).Replace("{i}", clause.Indirect, StringComparison.Ordinal));
}
