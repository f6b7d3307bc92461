namespace Attune.Core.Worlds;

// Tasks whose answer has an asked shape that a parser verifies.
internal sealed partial class QuestionWriter
{
    /// <summary>One value as JSON: {"birthplace": "Boston"}.</summary>
    public WorldQuestion JsonOne(PassageShape shape)
    {
        var passage = Passage.Make(world, shape, random);
        var (person, attribute) = passage.Fact(random);
        var wording = Asking(attribute);
        var ask = Text(Language.Tasks.JsonOne).Replace("{q}", Wordings.Fill(wording.Text, person.Name), StringComparison.Ordinal);
        (string Key, string Value)[] facts = [(Language.Attributes[attribute].Label, person.Values[attribute])];
        var turn = new Turn(passage.Labelled(world), ask, Formats.Json(facts));
        return About(Question("json", "one", UseDocuments(), [turn]), person, attribute, wording) with
        {
            Documents = passage.Documents.Count,
            ContextValue = person.Values[attribute],
            Expect = Expectation.Format,
            Format = Shape("json", facts),
            Rejected = world.Answer(person, attribute),
        };
    }

    /// <summary>Several values of one document as JSON, in the order asked.</summary>
    public WorldQuestion JsonMany()
    {
        var (passage, facts, _) = OneDocument(withName: true);
        var keys = facts.Select(f => f.Key).ToArray();
        var (comma, and) = Language.Tasks.KeyJoin;
        var list = string.Join(comma, keys[..^1]) + and + keys[^1];
        var ask = Text(Language.Tasks.JsonMany).Replace("{k}", list, StringComparison.Ordinal);
        return Shaped("json", "many", passage, ask, Shape("json", facts), Formats.Json(facts));
    }

    /// <summary>A document rewritten as a list or as pairs.</summary>
    public WorldQuestion Rewrite(bool list)
    {
        var (passage, facts, _) = OneDocument(withName: false);
        return list
            ? Shaped("format", "list", passage, Text(Language.Tasks.AsList), Shape("list", facts), Formats.List(Language.Pages, facts))
            : Shaped("format", "pairs", passage, Text(Language.Tasks.AsPairs), Shape("pairs", facts), Formats.Pairs(Language.Pages, facts));
    }

    /// <summary>The value and nothing else.</summary>
    public WorldQuestion OneWord(PassageShape shape)
    {
        var passage = Passage.Make(world, shape, random);
        var (person, attribute) = passage.Fact(random);
        var wording = Asking(attribute);
        var ask = Text(Language.Tasks.AsWord).Replace("{q}", Wordings.Fill(wording.Text, person.Name), StringComparison.Ordinal);
        var turn = new Turn(passage.Labelled(world), ask, person.Values[attribute]);
        return About(Question("format", "word", UseDocuments(), [turn]), person, attribute, wording) with
        {
            Documents = passage.Documents.Count,
            ContextValue = person.Values[attribute],
            Expect = Expectation.Format,
            Format = new AnswerFormat("word"),
            Rejected = world.Answer(person, attribute),
        };
    }

    private WorldQuestion Shaped(string set, string kind, Passage passage, string ask, AnswerFormat format, string answer)
    {
        var document = passage.Documents[0];
        return Question(set, kind, UseDocuments(), [new Turn(passage.Labelled(world), ask, answer)]) with
        {
            Person = document.Person.Name,
            Documents = 1,
            Expect = Expectation.Format,
            Format = format,
            Rejected = document.Text,
            Wording = kind,
        };
    }

    private (Passage Passage, (string Key, string Value)[] Facts, Document Document) OneDocument(bool withName)
    {
        var passage = Passage.Make(world, new PassageShape { Split = split, MaxDocuments = 1, MinFacts = 2, MaxFacts = 3 }, random);
        var document = passage.Documents[0];
        var facts = document.Attributes.Select(a => (Language.Attributes[a].Label, document.Person.Values[a]));
        if (withName && random.Chance(0.5)) facts = facts.Prepend((Language.Pages.Name, document.Person.Name));
        return (passage, [.. facts], document);
    }

    private static AnswerFormat Shape(string kind, (string Key, string Value)[] facts) =>
        new(kind, facts.ToDictionary(f => f.Key, f => f.Value, StringComparer.Ordinal));
}
