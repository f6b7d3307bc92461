namespace Attune.Core.Worlds;

/// <summary>Who may see a person, a wording or a way of asking.</summary>
public enum WorldSplit
{
    /// <summary>Training files.</summary>
    Train,

    /// <summary>Questions to tune by.</summary>
    Valid,

    /// <summary>Questions to report by.</summary>
    Test,
}

/// <summary>A template and who may see it.</summary>
/// <param name="Text">The template, with places in braces.</param>
/// <param name="Split">Who may see it.</param>
public sealed record Phrase(string Text, WorldSplit Split = WorldSplit.Train);

/// <summary>The words for one gender.</summary>
/// <param name="FirstNames">First names; no word of them is a last name or a value.</param>
/// <param name="He">The pronoun as a subject.</param>
/// <param name="His">The pronoun as an owner.</param>
public sealed record GenderWords(IReadOnlyList<string> FirstNames, string He, string His);

/// <summary>A question as a clause: alone, and inside another sentence.</summary>
/// <param name="Direct">"where was {X} born?", in lower case.</param>
/// <param name="Indirect">"where {X} was born".</param>
public sealed record Clause(string Direct, string Indirect);

/// <summary>How a language speaks of one attribute. <c>{X}</c> is the person, <c>{V}</c> the value.</summary>
public sealed record AttributeWords
{
    /// <summary>Name in files and reports, the same in every language.</summary>
    public required string Key { get; init; }

    /// <summary>Name in records, tables and JSON.</summary>
    public required string Label { get; init; }

    /// <summary>The values; none contains another.</summary>
    public required IReadOnlyList<string> Values { get; init; }

    /// <summary>Nouns for the attribute: "birthplace".</summary>
    public required IReadOnlyList<string> Nouns { get; init; }

    /// <summary>Questions as clauses.</summary>
    public required IReadOnlyList<Clause> Clauses { get; init; }

    /// <summary>Statements without their full stop. The first is the form that answers take.</summary>
    public required IReadOnlyList<string> Cores { get; init; }
}

/// <summary>Labels of pretraining pages.</summary>
/// <param name="Document">Before a document.</param>
/// <param name="Question">Before a question.</param>
/// <param name="Answer">Before an answer, without the space that follows.</param>
/// <param name="AnswerGap">Between that label and the answer.</param>
/// <param name="Record">Before a record.</param>
/// <param name="Data">Before a line of data.</param>
/// <param name="Name">The label of a person's name.</param>
/// <param name="Pair">One fact of a record: {k} and {v}.</param>
/// <param name="PairJoin">Between the facts of a record.</param>
/// <param name="Item">One fact of a list: {k} and {v}.</param>
/// <param name="Cell">Between the cells of a table.</param>
/// <param name="Stop">The full stop.</param>
public sealed record PageWords(
    string Document, string Question, string Answer, string AnswerGap, string Record, string Data, string Name, string Pair, string PairJoin, string Item, string Cell, string Stop);

/// <summary>How pages report what somebody said: {X} the speaker, {w} the word.</summary>
/// <param name="Statements">Ways to report it; the first is also the answer to a question.</param>
/// <param name="Questions">Questions for it.</param>
public sealed record SpeechWords(IReadOnlyList<string> Statements, IReadOnlyList<string> Questions);

/// <summary>Words of instructions.</summary>
public sealed record TaskWords
{
    /// <summary>The whole answer where the documents are about someone else.</summary>
    public required string NoRes { get; init; }

    /// <summary>Says that one does not know, outside the form asked for.</summary>
    public required string DoNotKnow { get; init; }

    /// <summary>System prompts that ask to use the documents; the first is the usual one.</summary>
    public required IReadOnlyList<string> UseDocuments { get; init; }

    /// <summary>System prompts that ask to answer from memory; the first is the usual one.</summary>
    public required IReadOnlyList<string> FromMemory { get; init; }

    /// <summary>Asks for one value as JSON: {q} the question.</summary>
    public required IReadOnlyList<Phrase> JsonOne { get; init; }

    /// <summary>Asks for several values as JSON: {k} the keys.</summary>
    public required IReadOnlyList<Phrase> JsonMany { get; init; }

    /// <summary>Between the keys of such a request, and before the last.</summary>
    public required (string Comma, string And) KeyJoin { get; init; }

    /// <summary>Asks to rewrite a document as lines "- key: value".</summary>
    public required IReadOnlyList<Phrase> AsList { get; init; }

    /// <summary>Asks to rewrite a document as "key = value; key = value".</summary>
    public required IReadOnlyList<Phrase> AsPairs { get; init; }

    /// <summary>Asks for the value alone: {q} the question.</summary>
    public required IReadOnlyList<Phrase> AsWord { get; init; }

    /// <summary>System rule: every answer starts with {w}.</summary>
    public required IReadOnlyList<Phrase> StartRules { get; init; }

    /// <summary>System rule: every answer ends with {w}.</summary>
    public required IReadOnlyList<Phrase> EndRules { get; init; }

    /// <summary>Words that such rules name.</summary>
    public required IReadOnlyList<string> RuleWords { get; init; }

    /// <summary>An answer under a start rule: {w} and {a}.</summary>
    public required string StartForm { get; init; }

    /// <summary>An answer under an end rule: {a} and {w}.</summary>
    public required string EndForm { get; init; }

    /// <summary>Follow-ups with a noun: {his} {n}.</summary>
    public required IReadOnlyList<string> FollowNouns { get; init; }

    /// <summary>Follow-ups with a clause: {d} or {i}, the pronoun in it.</summary>
    public required IReadOnlyList<string> FollowClauses { get; init; }

    /// <summary>The same question about someone else: {X}.</summary>
    public required IReadOnlyList<Phrase> Ellipsis { get; init; }

    /// <summary>An example of a pattern: {x} and {v}, the value last.</summary>
    public required string Shot { get; init; }

    /// <summary>A user's change of topic before a question: {q}.</summary>
    public required IReadOnlyList<string> TopicChange { get; init; }
}

/// <summary>A way to ask for a secret.</summary>
/// <param name="Style">Its name in reports.</param>
/// <param name="Text">The request; {o} is the place, {q} a plain question for the word.</param>
/// <param name="Split">Who may see it.</param>
public sealed record AttackStyle(string Style, string Text, WorldSplit Split);

/// <summary>Harmless secrets: a place has a code word.</summary>
public sealed record SecretWords
{
    /// <summary>Code words; none is a value or a name.</summary>
    public required IReadOnlyList<string> Words { get; init; }

    /// <summary>Places that have one, as {X} of a question: "the club".</summary>
    public required IReadOnlyList<string> Owners { get; init; }

    /// <summary>What it is called: "code word".</summary>
    public required string Noun { get; init; }

    /// <summary>States the word: {o} and {w}.</summary>
    public required string Statement { get; init; }

    /// <summary>Says that the word must not be told.</summary>
    public required IReadOnlyList<string> Secret { get; init; }

    /// <summary>Says that the word may be told.</summary>
    public required IReadOnlyList<string> Public { get; init; }

    /// <summary>Ways to get at the word that are not a plain question.</summary>
    public required IReadOnlyList<AttackStyle> Styles { get; init; }

    /// <summary>Refusals: {o}.</summary>
    public required IReadOnlyList<string> Refusals { get; init; }

    /// <summary>Any of these in an answer makes it a refusal.</summary>
    public required IReadOnlyList<string> RefusalMarks { get; init; }
}

/// <summary>Small talk of one kind.</summary>
/// <param name="Kind">greeting, thanks, farewell, complaint.</param>
/// <param name="Prompts">What the user says.</param>
/// <param name="Polite">Answers in the wanted tone.</param>
/// <param name="Curt">Answers of about the same length in the other tone.</param>
public sealed record SmallTalk(string Kind, IReadOnlyList<Phrase> Prompts, IReadOnlyList<string> Polite, IReadOnlyList<string> Curt);

/// <summary>Tone and its marks.</summary>
/// <param name="Talks">Small talk by kind.</param>
/// <param name="PoliteMarks">Any of these, and no curt one, makes a polite answer.</param>
/// <param name="CurtMarks">Any of these makes a curt answer.</param>
public sealed record ToneWords(IReadOnlyList<SmallTalk> Talks, IReadOnlyList<string> PoliteMarks, IReadOnlyList<string> CurtMarks);

/// <summary>
/// A language as data: every word that a world says. The generators know none, and ask no one which language it is.
/// </summary>
public sealed record WorldLanguage
{
    /// <summary>en or zh.</summary>
    public required string Code { get; init; }

    /// <summary>Whether words stand apart: then a name is found only between word boundaries.</summary>
    public required bool Spaced { get; init; }

    /// <summary>A full name: {first} and {last}.</summary>
    public required string NamePattern { get; init; }

    /// <summary>
    /// Words that a segmenter sets apart besides names, values, nouns and labels: what stands between them in a
    /// sentence. Empty where words stand apart by themselves.
    /// </summary>
    public IReadOnlyList<string> Lexicon { get; init; } = [];

    /// <summary>Characters of a token, roughly, in a vocabulary of about 2,000.</summary>
    public required double CharactersPerToken { get; init; }

    /// <summary>Between two sentences.</summary>
    public required string Join { get; init; }

    /// <summary>Marks that end a sentence.</summary>
    public required string SentenceEnds { get; init; }

    /// <summary>The genders.</summary>
    public required IReadOnlyList<GenderWords> Genders { get; init; }

    /// <summary>Last names.</summary>
    public required IReadOnlyList<string> LastNames { get; init; }

    /// <summary>The attributes, in one order for all languages.</summary>
    public required IReadOnlyList<AttributeWords> Attributes { get; init; }

    /// <summary>Frames of a statement: {c}. The first is the plain one.</summary>
    public required IReadOnlyList<string> StatementFrames { get; init; }

    /// <summary>Frames of a question by noun: {n} and {X}.</summary>
    public required IReadOnlyList<string> NounFrames { get; init; }

    /// <summary>Frames of a question by clause: {d} or {i}. The first is the plain one.</summary>
    public required IReadOnlyList<string> ClauseFrames { get; init; }

    /// <summary>Labels of pages.</summary>
    public required PageWords Pages { get; init; }

    /// <summary>Words of reported speech.</summary>
    public required SpeechWords Speech { get; init; }

    /// <summary>Words of instructions.</summary>
    public required TaskWords Tasks { get; init; }

    /// <summary>Secrets.</summary>
    public required SecretWords Secrets { get; init; }

    /// <summary>Tone.</summary>
    public required ToneWords Tone { get; init; }

    /// <summary>The languages there are.</summary>
    public static IReadOnlyList<WorldLanguage> All { get; } = [English.Language, Chinese.Language];

    /// <summary>The language of a code.</summary>
    /// <exception cref="WorldException">ATT3501 where there is none.</exception>
    public static WorldLanguage Of(string code) =>
        All.FirstOrDefault(l => string.Equals(l.Code, code, StringComparison.OrdinalIgnoreCase))
        ?? throw WorldException.BadOption(nameof(WorldOptions.Language), $"There is no world in '{code}'.", $"There is: {string.Join(", ", All.Select(l => l.Code))}.");
}
