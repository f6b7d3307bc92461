using System.Globalization;

namespace Attune.Core.Worlds;

/// <summary>The question sets of a world: easy cases and hard ones, each complete with what a judge needs.</summary>
public static class QuestionSets
{
    /// <summary>Every set, in the order of a report.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "closed.top", "closed.tail", "reading", "nores", "answerable", "reading-several", "hard", "shared", "nores-several", "nores-shared",
        "missing", "other", "conflict", "agree", "nowhere", "json", "format", "system", "followup", "tone",
        "secret-direct", "secret-attack", "secret-benign", "secret-held", "fewshot",
    ];

    /// <summary>Sets whose scores a later version must keep: what the tasks are.</summary>
    public static IReadOnlyList<string> Task { get; } = ["closed.top", "closed.tail", "reading", "nores", "answerable", "json"];

    /// <summary>The kinds of behaviour that are judged, with their sets: a win rate between versions is their mean, each kind alike.</summary>
    public static IReadOnlyList<(string Kind, IReadOnlyList<string> Sets)> Behaviours { get; } =
    [
        ("secrets", ["secret-direct", "secret-attack", "secret-benign"]),
        ("tone", ["tone"]),
        ("followup", ["followup"]),
        ("format", ["format", "system"]),
    ];

    /// <summary>Every set of <see cref="Behaviours"/>.</summary>
    public static IReadOnlyList<string> Behaviour { get; } = [.. Behaviours.SelectMany(b => b.Sets)];

    /// <summary>
    /// The questions of a set, in random order: the first ones are as good a sample as any. Questions about known people
    /// end when each person, attribute and wording has been used; the others go on to <see cref="WorldOptions.BenchItems"/>.
    /// </summary>
    /// <param name="world">The world.</param>
    /// <param name="split">Valid to tune by, Test to report by; Train asks about the people and wordings of training, as a check of what was learned at all.</param>
    /// <param name="set">One of <see cref="Names"/>.</param>
    /// <param name="count">How many at most; <see cref="WorldOptions.BenchItems"/> by default.</param>
    /// <exception cref="WorldException">ATT3502 for an unknown set.</exception>
    public static IReadOnlyList<WorldQuestion> Build(World world, WorldSplit split, string set, int? count = null)
    {
        var name = split.ToString().ToLowerInvariant();
        var items = count ?? world.Options.BenchItems;
        // Twins come from one stream, so item i of one set and item i of the other share their passage.
        var stream = world.Stream("questions", name, set == "answerable" ? "nores" : set);
        var writer = new QuestionWriter(world, split, stream);
        var one = new PassageShape { Split = split, MaxDocuments = 1, MaxFacts = world.Options.MaxFacts };
        var several = one with { MinDocuments = Math.Min(2, world.Options.MaxDocuments), MaxDocuments = world.Options.MaxDocuments };

        IEnumerable<WorldQuestion> questions = set switch
        {
            "closed.top" => OfKnown(world, split, stream, top: true).Select(k => writer.Memory(k.Person, k.Attribute, k.Wording)),
            "closed.tail" => OfKnown(world, split, stream, top: false).Select(k => writer.Memory(k.Person, k.Attribute, k.Wording)),
            "reading" => Endless(() => writer.Reading(set, one)),
            "nores" => Endless(() => writer.NoResTwins(set, one).NoRes),
            "answerable" => Endless(() => writer.NoResTwins("nores", one).Answerable),
            "reading-several" => Endless(() => writer.Reading(set, several)),
            "hard" => Endless(() => writer.Reading(set, several with { Hard = 1 })),
            "shared" => Endless(() => writer.Reading(set, several with { Hard = 1, SharedName = 1, MaxDocuments = 2 })),
            "nores-several" => Endless(() => writer.NoResTwins(set, several).NoRes),
            "nores-shared" => Endless(() => writer.NoResTwins(set, one, shared: true).NoRes),
            "missing" => Endless(() => writer.Missing(one)),
            "other" => OfKnown(world, split, stream).Select(k => writer.NoResTwins(set, one, asked: k.Person).NoRes),
            "conflict" => OfKnown(world, split, stream).Select(k => writer.Known(set, k.Person, k.Attribute, contradict: true)),
            "agree" => OfKnown(world, split, stream).Select(k => writer.Known(set, k.Person, k.Attribute, contradict: false)),
            "nowhere" => Endless(writer.Nowhere),
            "json" => Endless(() => stream.Chance(0.5) ? writer.JsonOne(one) : writer.JsonMany()),
            "format" => Endless(() => stream.Next(3) switch { 0 => writer.Rewrite(true), 1 => writer.Rewrite(false), _ => writer.OneWord(one) }),
            "system" => Endless(() => writer.Rule(3)),
            "followup" => Endless(() => writer.FollowUp()),
            "tone" => Endless(writer.Tone),
            "secret-direct" => Endless(() => writer.SecretDirect(true)),
            "secret-attack" => Endless(() => writer.SecretAttack(true)),
            "secret-benign" => Endless(() => stream.Next(3) switch { 0 => writer.SecretDirect(false), 1 => writer.SecretAttack(false), _ => writer.SecretAside() }),
            "secret-held" => Endless(() => writer.SecretHeld(true)),
            "fewshot" => Endless(() => writer.FewShot(recall: stream.Chance(0.5))),
            _ => throw WorldException.UnknownSet(set),
        };
        return [.. questions.Take(items).Select((q, i) => q with { Id = Id(name, set, i), Twin = set switch { "nores" => Id(name, "answerable", i), "answerable" => Id(name, "nores", i), _ => null } })];
    }

    private static string Id(string split, string set, int index) => string.Create(CultureInfo.InvariantCulture, $"{split}.{set}.{index:D4}");

    private static IEnumerable<WorldQuestion> Endless(Func<WorldQuestion> next)
    {
        while (true) yield return next();
    }

    // Every (person, attribute, wording) once, in random order.
    private static IEnumerable<(Person Person, int Attribute, Wording Wording)> OfKnown(World world, WorldSplit split, Randomness.RandomStream stream, bool? top = null)
    {
        var all = (from person in world.People.BySplit[split]
                   where top is null || world.People.IsTop(person) == top
                   from attribute in Enumerable.Range(0, world.Language.Attributes.Count)
                   from wording in world.Wordings.Questions(attribute, split)
                   select (person, attribute, wording)).ToArray();
        stream.Shuffle<(Person, int, Wording)>(all);
        return all;
    }
}
