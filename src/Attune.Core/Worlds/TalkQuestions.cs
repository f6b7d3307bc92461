namespace Attune.Core.Worlds;

// What takes more than one turn, or judges how something is said.
internal sealed partial class QuestionWriter
{
    /// <summary>
    /// A follow-up that needs an earlier turn: by pronoun (the person was named before), or "And X?" (the question was asked before).
    /// Over documents, or from memory; sometimes after a change of topic. <paramref name="pronouns"/>: the share by pronoun.
    /// </summary>
    public WorldQuestion FollowUp(double pronouns = 0.6)
    {
        var documents = random.Chance(0.5);
        var byPronoun = random.Chance(pronouns);
        var changed = random.Chance(0.3);
        var (person, other, attributes, text) = documents ? CastOfDocuments(byPronoun, changed) : CastOfMemory();
        var asked = attributes[1];

        var turns = new List<Turn>();
        if (changed) turns.Add(Told(other, attributes[0], changed: false));
        turns.Add(byPronoun ? Told(person, attributes[0], changed) : Told(other, asked, changed));
        var wording = random.Pick(world.Wordings.FollowUps(asked, split));
        turns.Add(new Turn("", byPronoun ? world.Pronouns(wording.Text, person) : Text(Language.Tasks.Ellipsis).Replace("{X}", person.Name, StringComparison.Ordinal), world.Answer(person, asked)));
        turns[0] = turns[0] with { Documents = text };

        var kind = $"{(byPronoun ? "pronoun" : "ellipsis")}-{(documents ? "document" : "memory")}{(changed ? "-topic" : "")}";
        // Wrong as one is who forgot the turn before: the fact just told again, or the fact of the person spoken of before.
        var wrong = byPronoun && !changed ? world.Answer(person, attributes[0]) : world.Answer(other, asked);
        return About(Question("followup", kind, documents ? UseDocuments() : FromMemory(), turns), person, asked, wording) with
        {
            Source = AnswerSource.Conversation,
            Documents = text.Count(c => c == '\n'),
            ContextValue = documents ? person.Values[asked] : null,
            Wording = byPronoun ? wording.Id : "ellipsis",
            Rejected = wrong,
        };
    }

    private (Person Person, Person Other, int[] Attributes, string Text) CastOfDocuments(bool byPronoun, bool changed)
    {
        var passage = Passage.Make(world, new PassageShape
        {
            Split = split,
            MinDocuments = byPronoun && !changed ? 1 : 2,
            MaxDocuments = 2,
            MinFacts = 2,
            MaxFacts = 2,
            Hard = 1,
        }, random);
        return (passage.Documents[^1].Person, passage.Documents[0].Person, passage.Documents[^1].Attributes, passage.Labelled(world));
    }

    private (Person Person, Person Other, int[] Attributes, string Text) CastOfMemory()
    {
        var person = random.Pick(People.BySplit[split]);
        Person other;
        do other = random.Pick(People.BySplit[split]);
        while (other.Name == person.Name);
        return (person, other, random.Permutation(AttributeCount)[..2], "");
    }

    private Turn Told(Person person, int attribute, bool changed)
    {
        var ask = Wordings.Fill(Asking(attribute).Text, person.Name);
        if (changed) ask = random.Pick(Language.Tasks.TopicChange).Replace("{q}", ask, StringComparison.Ordinal);
        return new Turn("", ask, world.Answer(person, attribute));
    }

    /// <summary>A rule of the system prompt about the form of every answer, after one to three turns; the word is one of <paramref name="words"/>, or of the language's rule words.</summary>
    public WorldQuestion Rule(int turnCount, IReadOnlyList<string>? words = null)
    {
        var start = random.Chance(0.5);
        var word = random.Pick(words ?? Language.Tasks.RuleWords);
        var rule = Text(start ? Language.Tasks.StartRules : Language.Tasks.EndRules).Replace("{w}", word, StringComparison.Ordinal);
        var form = start ? Language.Tasks.StartForm : Language.Tasks.EndForm;
        string Ruled(string answer) => form.Replace("{w}", word, StringComparison.Ordinal).Replace("{a}", answer, StringComparison.Ordinal);

        var documents = random.Chance(0.6);
        var passage = Passage.Make(world, new PassageShape { Split = split, MaxDocuments = 1, MinFacts = 3, MaxFacts = 3 }, random);
        var turns = new List<Turn>();
        Person person = passage.Documents[0].Person;
        var attribute = 0;
        Wording? wording = null;
        for (var i = 0; i < turnCount; i++)
        {
            if (!documents) person = random.Pick(People.BySplit[split]);
            attribute = documents ? passage.Documents[0].Attributes[i] : AnyAttribute();
            wording = Asking(attribute);
            turns.Add(new Turn(documents && i == 0 ? passage.Labelled(world) : "", Wordings.Fill(wording.Text, person.Name), Ruled(world.Answer(person, attribute))));
        }
        var system = rule + Language.Join + (documents ? Language.Tasks.UseDocuments[0] : Language.Tasks.FromMemory[0]);
        var question = Question("system", $"{(start ? "start" : "end")}-{turnCount}", system, turns, systemIsText: true);
        return About(question, person, attribute, wording) with
        {
            Source = documents ? AnswerSource.Document : AnswerSource.Memory,
            Documents = documents ? 1 : 0,
            ContextValue = documents ? person.Values[attribute] : null,
            Expect = Expectation.Format,
            Format = new AnswerFormat(start ? "start" : "end", Word: word),
            Rejected = world.Answer(person, attribute),
        };
    }

    /// <summary>Small talk. The reference has the wanted tone, the rejected answer the other.</summary>
    public WorldQuestion Tone()
    {
        var talk = random.Pick(Language.Tone.Talks);
        var system = random.Next(3) switch { 0 => null, 1 => Language.Tasks.UseDocuments[0], _ => Language.Tasks.FromMemory[0] };
        return Question("tone", talk.Kind, system, [new Turn("", Text(talk.Prompts), random.Pick(talk.Polite))]) with
        {
            Source = AnswerSource.Instruction,
            Expect = Expectation.Tone,
            Rejected = random.Pick(talk.Curt),
            Wording = talk.Kind,
        };
    }
}
