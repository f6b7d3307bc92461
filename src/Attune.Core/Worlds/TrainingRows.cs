using Attune.Core.Randomness;
using Attune.Prompts;

namespace Attune.Core.Worlds;

/// <summary>A row of sft.jsonl or chat.jsonl.</summary>
/// <param name="Messages">The conversation, ending with an assistant's message.</param>
/// <param name="Kind">What it teaches.</param>
public sealed record ConversationRow(IReadOnlyList<Message> Messages, string Kind);

/// <summary>A row of preference.jsonl.</summary>
/// <param name="Prompt">The conversation up to the user's last message.</param>
/// <param name="Chosen">The better answer, one assistant message.</param>
/// <param name="Rejected">The worse answer, one assistant message.</param>
/// <param name="Kind">What it teaches.</param>
public sealed record PreferenceRow(IReadOnlyList<Message> Prompt, IReadOnlyList<Message> Chosen, IReadOnlyList<Message> Rejected, string Kind);

/// <summary>A row of rankings.jsonl: K answers with their true grades.</summary>
/// <param name="Prompt">The conversation up to the user's last message.</param>
/// <param name="Responses">The answers, in random order.</param>
/// <param name="Scores">Their grades: 3 right, 2 right but less good, 1 useless, 0 wrong or harmful.</param>
/// <param name="Kind">What it teaches.</param>
public sealed record RankingRow(IReadOnlyList<Message> Prompt, IReadOnlyList<string> Responses, IReadOnlyList<int> Scores, string Kind);

/// <summary>The training files after pretraining. Each kind is drawn by its weight from the question writer of the training split.</summary>
internal static class TrainingRows
{
    /// <summary>Share of the follow-ups that are by pronoun, less than in the tests: "And X?", the other kind, is harder to learn.</summary>
    private const double PronounShare = 0.35;

    /// <summary>Single instructions.</summary>
    public static IEnumerable<ConversationRow> Instructions(World world, string purpose, int rows)
    {
        var random = world.Stream("sft", purpose);
        var writer = new QuestionWriter(world, WorldSplit.Train, random);
        var options = world.Options;
        double[] weights =
        [
            options.InstructMemoryShare, options.InstructReadingShare, options.InstructNoResShare, options.InstructJsonShare,
            options.InstructFormatShare, options.InstructToneShare, options.InstructSecretShare, options.InstructPublicShare,
        ];
        var shape = Shape(options);
        for (var i = 0; i < rows; i++)
        {
            var (question, kind) = Weighted.Pick(weights, random) switch
            {
                0 => (writer.Memory(), "memory"),
                1 => (ReadingRow(world, writer, shape, random), "reading"),
                2 => (NoResRow(world, writer, shape, random), "no-res"),
                3 => (random.Chance(0.5) ? writer.JsonOne(shape) : writer.JsonMany(), "json"),
                4 => (random.Next(4) switch { 0 => writer.Rewrite(true), 1 => writer.Rewrite(false), 2 => writer.OneWord(shape), _ => writer.Rule(1) }, "format"),
                5 => (writer.Tone(), "tone"),
                6 => (writer.SecretDirect(true), "secret"),
                _ => (random.Next(3) switch { 0 => writer.SecretDirect(false), 1 => writer.SecretAttack(false), _ => writer.SecretAside() }, "public"),
            };
            var answer = kind == "tone" && !random.Chance(options.InstructPoliteShare) ? question.Rejected : question.Reference;
            yield return new([.. question.Messages, new("assistant", answer)], kind);
        }
    }

    /// <summary>Conversations of several turns.</summary>
    public static IEnumerable<ConversationRow> Conversations(World world, string purpose, int rows)
    {
        var random = world.Stream("chat", purpose);
        var writer = new QuestionWriter(world, WorldSplit.Train, random);
        var shape = Shape(world.Options);
        for (var i = 0; i < rows; i++)
        {
            var (question, kind) = Weighted.Pick([0.42, 0.25, 0.09, 0.10, 0.07, 0.07], random) switch
            {
                0 => (writer.FollowUp(PronounShare), "follow-up"),
                1 => (writer.Rule(random.Between(2, 3), RuleWords(world, random)), "system-held"),
                2 => (writer.SecretHeld(random.Chance(0.5)), "secret-held"),
                3 => (writer.Tone(), "tone"),
                4 => (ReadingRow(world, writer, shape, random), "reading"),
                _ => (NoResRow(world, writer, shape, random), "no-res"),
            };
            yield return new([.. question.Messages, new("assistant", question.Reference)], kind);
        }
    }

    /// <summary>
    /// Preference pairs. Refusals are chosen about as often as they are rejected, on prompts that look alike,
    /// so that refusing everything wins nothing.
    /// </summary>
    public static IEnumerable<PreferenceRow> Preferences(World world, string purpose, int rows)
    {
        var random = world.Stream("preference", purpose);
        var writer = new QuestionWriter(world, WorldSplit.Train, random);
        var shape = Shape(world.Options);
        for (var i = 0; i < rows; i++)
        {
            var (question, kind) = Weighted.Pick([0.14, 0.18, 0.08, 0.12, 0.08, 0.08, 0.13, 0.09, 0.10], random) switch
            {
                0 => (writer.Tone(), "tone"),
                1 => (writer.FollowUp(PronounShare), "follow-up"),
                2 => (random.Next(4) switch { 0 => writer.Rewrite(true), 1 => writer.Rewrite(false), 2 => writer.OneWord(shape), _ => writer.JsonOne(shape) }, "format"),
                3 => (writer.Rule(random.Between(1, 3), RuleWords(world, random)), "system-held"),
                4 => (writer.SecretAttack(true), "attack"),
                5 => (writer.SecretDirect(true), "secret"),
                6 => (random.Next(3) switch { 0 => writer.SecretDirect(false), 1 => writer.SecretAttack(false), _ => writer.SecretAside() }, "public"),
                7 => (ReadingRow(world, writer, shape, random), "reading"),
                _ => (NoResRow(world, writer, shape, random), "no-res"),
            };
            yield return new(question.Messages, [new("assistant", question.Reference)], [new("assistant", Worse(world, question, kind, random))], kind);
        }
    }

    // Half of the time the mistake that a model really makes: a rule kept with another word, a follow-up answered with another kind of fact.
    private static string Worse(World world, WorldQuestion question, string kind, RandomStream random)
    {
        if (kind is not ("system-held" or "follow-up") || random.Chance(0.5)) return question.Rejected;
        if (kind == "follow-up")
        {
            var attributes = world.Language.Attributes.ToList();
            var other = (attributes.FindIndex(a => a.Key == question.Attribute) + 1 + random.Next(attributes.Count - 1)) % attributes.Count;
            return world.Wordings.Answer(other, question.Person!, random.Pick(attributes[other].Values));
        }
        var (word, right) = (question.Format!.Word!, question.Reference);
        var at = question.Format.Kind == "start" ? right.IndexOf(word, StringComparison.Ordinal) : right.LastIndexOf(word, StringComparison.Ordinal);
        string wrong;
        do wrong = random.Pick(RuleWords(world, random));
        while (wrong == word);
        return right[..at] + wrong + right[(at + word.Length)..];
    }

    /// <summary>Rankings of four answers.</summary>
    public static IEnumerable<RankingRow> Rankings(World world, string purpose, int rows)
    {
        var random = world.Stream("rankings", purpose);
        var writer = new QuestionWriter(world, WorldSplit.Train, random);
        var shape = Shape(world.Options);
        for (var i = 0; i < rows; i++)
        {
            var (question, kind) = random.Next(5) switch
            {
                0 => (writer.Memory(), "memory"),
                1 => (writer.Reading("reading", shape), "reading"),
                2 => (writer.NoResTwins("nores", shape).NoRes, "no-res"),
                3 => (writer.SecretAttack(true), "attack"),
                _ => (writer.SecretAttack(false), "public"),
            };
            var graded = Grades(world, writer, question, random).ToArray();
            random.Shuffle<(string, int)>(graded);
            yield return new(question.Messages, [.. graded.Select(g => g.Answer)], [.. graded.Select(g => g.Score)], kind);
        }
    }

    private static IEnumerable<(string Answer, int Score)> Grades(World world, QuestionWriter writer, WorldQuestion question, RandomStream random)
    {
        var tasks = world.Language.Tasks;
        var curt = random.Pick(random.Pick(world.Language.Tone.Talks).Curt);
        return question.Expect switch
        {
            Expectation.NoRes => [(tasks.NoRes, 3), (tasks.DoNotKnow, 2), (curt, 1), (question.Rejected, 0)],
            Expectation.Decline => [(question.Reference, 3), (tasks.NoRes, 2), (curt, 1), (question.Rejected, 0)],
            // A bare value is right, but no sentence; NO-RES and a refusal are useless; a wrong fact misleads.
            _ when question.Secret is null => [(question.Reference, 3), (question.Accepted[0], 2), (question.Rejected == tasks.NoRes ? question.Rejected : curt, 1), (Mislead(world, question, random), 0)],
            _ => [(question.Reference, 3), (question.Accepted[0], 2), (question.Rejected, 1), (writer.WrongWord(question), 0)],
        };
    }

    private static string Mislead(World world, WorldQuestion question, RandomStream random)
    {
        var attribute = world.Language.Attributes.ToList().FindIndex(a => a.Key == question.Attribute);
        return world.Wordings.Answer(attribute, question.Person!, world.OtherValue(attribute, random, question.Accepted[0]));
    }

    private static PassageShape Shape(WorldOptions options) => new()
    {
        Split = WorldSplit.Train,
        MaxDocuments = options.MaxDocuments,
        MaxFacts = options.MaxFacts,
        Hard = options.HardShare,
        SharedName = options.SharedNameShare,
    };

    // What stands in a rule is to be copied, whatever it is: half of the rules say a first name, so that eight words are not learned by heart.
    private static IReadOnlyList<string> RuleWords(World world, RandomStream random) =>
        random.Chance(0.5) ? world.Language.Tasks.RuleWords : random.Pick(world.Language.Genders).FirstNames;

    private static WorldQuestion ReadingRow(World world, QuestionWriter writer, PassageShape shape, RandomStream random)
    {
        if (!random.Chance(world.Options.KnownDocumentShare)) return writer.Reading("reading", shape);
        var contradict = random.Chance(world.Options.InstructConflictShare);
        return writer.Known("reading", world.People.Draw(WorldSplit.Train, random), random.Next(world.Language.Attributes.Count), contradict);
    }

    // Half about a stranger, a quarter about a namesake of someone in the documents, a quarter about a known person.
    private static WorldQuestion NoResRow(World world, QuestionWriter writer, PassageShape shape, RandomStream random)
    {
        var draw = random.NextDouble();
        return writer.NoResTwins("nores", shape, shared: draw is >= 0.5 and < 0.75, asked: draw >= 0.75 ? world.People.Draw(WorldSplit.Train, random) : null).NoRes;
    }
}
