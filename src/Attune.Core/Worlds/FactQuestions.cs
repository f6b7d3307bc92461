namespace Attune.Core.Worlds;

// Questions for one fact: from memory, from documents, and those that have no answer.
internal sealed partial class QuestionWriter
{
    /// <summary>Closed book, in a given wording.</summary>
    public WorldQuestion Memory(Person person, int attribute, Wording wording)
    {
        var turn = new Turn("", Wordings.Fill(wording.Text, person.Name), world.Answer(person, attribute));
        var question = Question(People.IsTop(person) ? "closed.top" : "closed.tail", "memory", FromMemory(), [turn]);
        return About(question, person, attribute, wording) with { Source = AnswerSource.Memory, Rejected = WrongValue(person, attribute) };
    }

    /// <summary>Closed book about a known person of the split.</summary>
    public WorldQuestion Memory()
    {
        // Half by exposure, half evenly: the little known must be met as well.
        var person = random.Chance(0.5) ? People.Draw(split, random) : random.Pick(People.BySplit[split]);
        var attribute = AnyAttribute();
        return Memory(person, attribute, Asking(attribute));
    }

    /// <summary>Asked from memory about someone who is nowhere.</summary>
    public WorldQuestion Nowhere()
    {
        var person = People.Fresh(split == WorldSplit.Test ? NameUse.TestNowhere : NameUse.ValidNowhere, random);
        var attribute = AnyAttribute();
        var wording = Asking(attribute);
        var question = Question("nowhere", "memory", FromMemory(), [new Turn("", Wordings.Fill(wording.Text, person.Name), NoRes)]);
        return About(question, person, attribute, wording) with
        {
            Source = AnswerSource.Nowhere,
            Expect = Expectation.NoRes,
            Accepted = [],
            Rejected = world.Answer(person, attribute),
        };
    }

    /// <summary>A question that a document of the passage answers.</summary>
    public WorldQuestion Reading(string set, PassageShape shape, Person? about = null)
    {
        var passage = Passage.Make(world, shape, random, about);
        var (person, attribute) = passage.Fact(random);
        return Reading(set, passage, person, attribute);
    }

    private WorldQuestion Reading(string set, Passage passage, Person person, int attribute)
    {
        var wording = Asking(attribute);
        var turn = new Turn(passage.Labelled(world), Wordings.Fill(wording.Text, person.Name), world.Answer(person, attribute));
        var question = Question(set, passage.Documents.Count == 1 ? "one" : "several", UseDocuments(), [turn]);
        return About(question, person, attribute, wording) with
        {
            Documents = passage.Documents.Count,
            ContextValue = person.Values[attribute],
            Rejected = NoRes,
        };
    }

    /// <summary>
    /// Twins over one passage: a question about someone who is not in it, and one that it answers.
    /// <paramref name="shared"/>: the absent person shares a name with a present one; <paramref name="asked"/>: a known person is asked about.
    /// </summary>
    public (WorldQuestion NoRes, WorldQuestion Answerable) NoResTwins(string set, PassageShape shape, bool shared = false, Person? asked = null)
    {
        var passage = Passage.Make(world, shape, random);
        var present = random.Pick(passage.Documents);
        var person = asked;
        while (person is null || passage.Has(person))
            person = shared ? People.Namesake(present.Person, DocumentUse, random) : People.Fresh(DocumentUse, random);
        // Mostly what a document tells of the other person: only the name says that there is no answer.
        var attribute = random.Chance(0.85) ? random.Pick(present.Attributes) : AnyAttribute();
        var distractor = passage.Documents.FirstOrDefault(d => d.Attributes.Contains(attribute))?.Person.Values[attribute];
        var wording = Asking(attribute);
        var question = Question(set, passage.Documents.Count == 1 ? "one" : "several", UseDocuments(),
            [new Turn(passage.Labelled(world), Wordings.Fill(wording.Text, person.Name), NoRes)]);
        var wrong = world.Answer(person.With(attribute, distractor ?? random.Pick(Language.Attributes[attribute].Values)), attribute);
        var unanswerable = About(question, person, attribute, wording) with
        {
            Source = person.Rank < 0 ? AnswerSource.Nowhere : AnswerSource.Memory,
            Expect = Expectation.NoRes,
            Accepted = [],
            Documents = passage.Documents.Count,
            ContextValue = distractor,
            Rejected = wrong,
        };
        return (unanswerable, Reading("answerable", passage, present.Person, random.Pick(present.Attributes)));
    }

    /// <summary>The right person, but the document does not tell the attribute.</summary>
    public WorldQuestion Missing(PassageShape shape)
    {
        var passage = Passage.Make(world, shape with { MaxFacts = Math.Min(shape.MaxFacts, AttributeCount - 1) }, random);
        var document = random.Pick(passage.Documents);
        int attribute;
        do attribute = AnyAttribute();
        while (document.Attributes.Contains(attribute));
        var wording = Asking(attribute);
        var question = Question("missing", passage.Documents.Count == 1 ? "one" : "several", UseDocuments(),
            [new Turn(passage.Labelled(world), Wordings.Fill(wording.Text, document.Person.Name), NoRes)]);
        return About(question, document.Person, attribute, wording) with
        {
            Source = AnswerSource.Nowhere,
            Expect = Expectation.NoRes,
            Accepted = [],
            Documents = passage.Documents.Count,
            ContextValue = passage.Documents.FirstOrDefault(d => d.Attributes.Contains(attribute))?.Person.Values[attribute],
            Rejected = WrongValue(document.Person, attribute),
        };
    }

    /// <summary>A document about a known person that contradicts memory, or agrees with it.</summary>
    public WorldQuestion Known(string set, Person person, int attribute, bool contradict)
    {
        var told = contradict ? person.With(attribute, world.OtherValue(attribute, random, person.Values[attribute])) : person;
        var attributes = random.Permutation(AttributeCount).Where(a => a != attribute).Take(random.Next(3)).Append(attribute).ToArray();
        random.Shuffle<int>(attributes);
        var passage = new Passage([Passage.Tell(world, told, attributes, split, random)]);
        return Reading(set, passage, told, attribute) with { Kind = contradict ? "conflict" : "agree", Rejected = contradict ? world.Answer(person, attribute) : NoRes };
    }

    /// <summary>A pattern of three examples and a fourth to complete.</summary>
    public WorldQuestion FewShot(bool recall)
    {
        var attribute = AnyAttribute();
        var people = new List<Person>(4);
        while (people.Count < 4)
        {
            var person = !recall ? People.Fresh(DocumentUse, random) : people.Count < 3 ? People.Draw(WorldSplit.Train, random) : random.Pick(People.BySplit[split]);
            if (!people.Exists(p => p.Name == person.Name)) people.Add(person);
        }
        var pattern = Language.Tasks.Shot;
        var text = string.Concat(people.Select((p, i) => (i < 3 ? pattern + "\n" : pattern[..pattern.IndexOf("{v}", StringComparison.Ordinal)].TrimEnd())
            .Replace("{x}", recall ? p.Name : world.State(p, attribute, split, random), StringComparison.Ordinal)
            .Replace("{v}", p.Values[attribute], StringComparison.Ordinal)));
        var last = people[^1];
        var question = Question("fewshot", recall ? "recall" : "extract", null, [new Turn("", text, last.Values[attribute])]);
        return About(question, last, attribute, null) with
        {
            Prompt = text,
            Source = recall ? AnswerSource.Memory : AnswerSource.Instruction,
            Rejected = world.OtherValue(attribute, random, last.Values[attribute]),
            Wording = "shots.3",
        };
    }
}
