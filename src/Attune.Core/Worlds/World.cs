using Attune.Core.Randomness;

namespace Attune.Core.Worlds;

/// <summary>
/// The synthetic world: people with facts, exact ground truth, and every way to speak of them. Made from options,
/// it is the same on every machine. Training files, questions and judges all read from it.
/// </summary>
public sealed class World
{
    private World(WorldOptions options, WorldLanguage language)
    {
        Options = options;
        Language = language;
        Wordings = new Wordings(language);
        People = new People(language, options);
    }

    /// <summary>What it was made from.</summary>
    public WorldOptions Options { get; }

    /// <summary>Its words.</summary>
    public WorldLanguage Language { get; }

    /// <summary>Its wordings, and who may see which.</summary>
    public Wordings Wordings { get; }

    /// <summary>Its people.</summary>
    public People People { get; }

    /// <summary>Makes the world.</summary>
    /// <exception cref="WorldException">ATT3501 where an option makes no sense.</exception>
    public static World Create(WorldOptions options)
    {
        options.Validate();
        return new World(options, WorldLanguage.Of(options.Language));
    }

    /// <summary>The random stream of a purpose in this world.</summary>
    internal RandomStream Stream(params ReadOnlySpan<string> purpose) =>
        RandomStream.Of(Options.Seed, ["world", Language.Code, .. purpose]);

    /// <summary>A statement of a fact. In training six in ten are plain, for texts mostly are.</summary>
    internal string State(Person person, int attribute, WorldSplit split, RandomStream random)
    {
        var wordings = Wordings.Statements(attribute, split);
        var wording = random.Pick(wordings);
        if (split == WorldSplit.Train && random.Chance(0.6))
            while (!wording.Plain) wording = random.Pick(wordings);
        return Wordings.Fill(wording.Text, person.Name, person.Values[attribute]);
    }

    /// <summary>A wording of a question. In training a third are the plain clause.</summary>
    internal Wording Asking(int attribute, WorldSplit split, RandomStream random)
    {
        var wordings = Wordings.Questions(attribute, split);
        var wording = random.Pick(wordings);
        if (split == WorldSplit.Train && random.Chance(0.25))
            while (!wording.Plain) wording = random.Pick(wordings);
        return wording;
    }

    /// <summary>A question about a person.</summary>
    internal string Ask(Person person, int attribute, WorldSplit split, RandomStream random) =>
        Wordings.Fill(Asking(attribute, split, random).Text, person.Name);

    /// <summary>The true answer as a sentence.</summary>
    internal string Answer(Person person, int attribute) => Wordings.Answer(attribute, person.Name, person.Values[attribute]);

    /// <summary>A value of an attribute other than the ones given.</summary>
    internal string OtherValue(int attribute, RandomStream random, params ReadOnlySpan<string> not)
    {
        string value;
        do value = random.Pick(Language.Attributes[attribute].Values);
        while (not.Contains(value));
        return value;
    }

    /// <summary>Puts the words of a person's gender into a follow-up.</summary>
    internal string Pronouns(string template, Person person)
    {
        var words = Language.Genders[person.Gender];
        return template.Replace("{he}", words.He, StringComparison.Ordinal).Replace("{his}", words.His, StringComparison.Ordinal);
    }
}
