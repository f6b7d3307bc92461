using System.Text;
using Attune.Core.Randomness;
using Attune.Prompts;

namespace Attune.Core.Worlds;

/// <summary>One turn: what the user says (documents before the request) and what is answered.</summary>
internal sealed record Turn(string Documents, string Ask, string Answer);

/// <summary>
/// Writes questions of one split from one random stream. Instructions, conversations, preference pairs and question
/// sets all come from here, so that a test asks as training does, with people and wordings of its own.
/// </summary>
internal sealed partial class QuestionWriter(World world, WorldSplit split, RandomStream random)
{
    private WorldLanguage Language => world.Language;

    private People People => world.People;

    private NameUse DocumentUse => People.DocumentUse(split);

    private int AttributeCount => world.Language.Attributes.Count;

    private int AnyAttribute() => random.Next(AttributeCount);

    private string Text(IReadOnlyList<Phrase> phrases) => random.Pick([.. phrases.Where(p => p.Split == split)]).Text;

    // Training sees the variants of a system prompt, and none at all; the tests take the usual one.
    private string? System(IReadOnlyList<string> variants)
    {
        var draw = random.NextDouble();
        if (split != WorldSplit.Train || draw < 0.7) return variants[0];
        return draw < 0.85 ? null : variants[1];
    }

    private string? UseDocuments() => System(Language.Tasks.UseDocuments);

    private string? FromMemory() => System(Language.Tasks.FromMemory);

    private string NoRes => Language.Tasks.NoRes;

    private Wording Asking(int attribute) => world.Asking(attribute, split, random);

    // A system prompt that holds facts or rules is told to a Base as a first line; one that only says how to answer is not.
    private WorldQuestion Question(string set, string kind, string? system, IReadOnlyList<Turn> turns, bool systemIsText = false)
    {
        var messages = new List<Message>();
        var prompt = new StringBuilder();
        var pages = Language.Pages;
        if (system is not null) messages.Add(new("system", system));
        if (system is not null && systemIsText) prompt.Append(system).Append('\n');
        for (var i = 0; i < turns.Count; i++)
        {
            var turn = turns[i];
            messages.Add(new("user", turn.Documents + turn.Ask));
            prompt.Append(turn.Documents).Append(pages.Question).Append(turn.Ask).Append('\n').Append(pages.Answer);
            if (i == turns.Count - 1) break;
            messages.Add(new("assistant", turn.Answer));
            prompt.Append(pages.AnswerGap).Append(turn.Answer).Append('\n');
        }
        return new WorldQuestion
        {
            Set = set,
            Kind = kind,
            Split = split,
            Source = AnswerSource.Document,
            Expect = Expectation.Value,
            Prompt = prompt.ToString(),
            Stops = ["\n"],
            Messages = messages,
            Reference = turns[^1].Answer,
            Rejected = "",
            Wording = "",
        };
    }

    // What is known of a person: rank, half and the value in memory.
    private WorldQuestion About(WorldQuestion question, Person person, int attribute, Wording? wording) => question with
    {
        Attribute = Language.Attributes[attribute].Key,
        Person = person.Name,
        Accepted = question.Accepted.Count == 0 ? [person.Values[attribute]] : question.Accepted,
        Rank = person.Rank,
        Half = person.Rank < 0 ? null : People.IsTop(person) ? "top" : "tail",
        MemoryValue = person.Rank < 0 ? null : People.Known[person.Rank].Values[attribute],
        Wording = wording?.Id ?? question.Wording,
    };

    private string WrongValue(Person person, int attribute) =>
        world.Answer(person.With(attribute, world.OtherValue(attribute, random, person.Values[attribute])), attribute);
}
