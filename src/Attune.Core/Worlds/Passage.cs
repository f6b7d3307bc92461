using System.Text;
using Attune.Core.Randomness;

namespace Attune.Core.Worlds;

/// <summary>One document: a person, which of their facts it tells, and its text.</summary>
/// <param name="Person">Whom it is about, with the values that it tells.</param>
/// <param name="Attributes">The attributes that it tells, in order.</param>
/// <param name="Text">Its sentences.</param>
internal sealed record Document(Person Person, int[] Attributes, string Text);

/// <summary>How a passage is made.</summary>
internal sealed record PassageShape
{
    public required WorldSplit Split { get; init; }

    public int MinDocuments { get; init; } = 1;

    public int MaxDocuments { get; init; } = 3;

    public int MinFacts { get; init; } = 1;

    public int MaxFacts { get; init; } = 3;

    /// <summary>Share of passages whose documents all tell the same kinds of fact.</summary>
    public double Hard { get; init; }

    /// <summary>Share of passages whose second person shares a name with the first.</summary>
    public double SharedName { get; init; }
}

/// <summary>Documents that stand together, each about another person.</summary>
/// <param name="Documents">In order.</param>
internal sealed record Passage(IReadOnlyList<Document> Documents)
{
    /// <summary>A passage of fresh people. <paramref name="first"/>, when given, is whom one of the documents is about.</summary>
    public static Passage Make(World world, PassageShape shape, RandomStream random, Person? first = null)
    {
        var count = random.Between(shape.MinDocuments, shape.MaxDocuments);
        var hard = random.Chance(shape.Hard);
        var shared = random.Chance(shape.SharedName);
        var use = People.DocumentUse(shape.Split);
        var documents = new List<Document>(count);
        for (var i = 0; i < count; i++)
        {
            Person person;
            do
            {
                person = i == 0 && first is not null ? first
                    : i == 1 && shared ? world.People.Namesake(documents[0].Person, use, random)
                    : world.People.Fresh(use, random);
            }
            while (documents.Exists(d => d.Person.Name == person.Name));
            var attributes = random.Permutation(world.Language.Attributes.Count)[..random.Between(shape.MinFacts, shape.MaxFacts)];
            if (hard && i > 0)
            {
                attributes = [.. documents[0].Attributes];
                random.Shuffle<int>(attributes);
            }
            // A value that two documents share would make the question no question of reading.
            foreach (var a in attributes)
            {
                while (documents.Exists(d => d.Person.Values[a] == person.Values[a]) && person.Rank < 0)
                    person = person.With(a, random.Pick(world.Language.Attributes[a].Values));
            }
            documents.Add(Tell(world, person, attributes, shape.Split, random));
        }
        var order = documents.ToArray();
        random.Shuffle<Document>(order);
        return new Passage(order);
    }

    /// <summary>A document that tells those facts of a person.</summary>
    public static Document Tell(World world, Person person, int[] attributes, WorldSplit split, RandomStream random) =>
        new(person, attributes, string.Join(world.Language.Join, attributes.Select(a => world.State(person, a, split, random))));

    /// <summary>The documents, one a line, each with its label.</summary>
    public string Labelled(World world)
    {
        var text = new StringBuilder();
        foreach (var document in Documents) text.Append(world.Language.Pages.Document).Append(document.Text).Append('\n');
        return text.ToString();
    }

    /// <summary>The documents, one a line, without labels.</summary>
    public string Bare() => string.Concat(Documents.Select(d => d.Text + "\n"));

    /// <summary>Whether someone of that name is in it.</summary>
    public bool Has(Person person) => Documents.Any(d => d.Person.Name == person.Name);

    /// <summary>A fact that it tells.</summary>
    public (Person Person, int Attribute) Fact(RandomStream random)
    {
        var document = random.Pick(Documents);
        return (document.Person, random.Pick(document.Attributes));
    }
}
