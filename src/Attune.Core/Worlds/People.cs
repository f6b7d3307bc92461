using Attune.Core.Randomness;

namespace Attune.Core.Worlds;

/// <summary>What a full name is for. No name serves two uses, so no person is in two of them.</summary>
public enum NameUse
{
    /// <summary>A known person: the biographies of pretraining are about them.</summary>
    Known,

    /// <summary>Documents of training files.</summary>
    TrainDocument,

    /// <summary>Documents of validation questions only.</summary>
    ValidDocument,

    /// <summary>Documents of test questions only.</summary>
    TestDocument,

    /// <summary>Validation questions only, in no document and no biography.</summary>
    ValidNowhere,

    /// <summary>Test questions only, in no document and no biography.</summary>
    TestNowhere,
}

/// <summary>A person and their facts.</summary>
/// <param name="First">First name.</param>
/// <param name="Last">Last name.</param>
/// <param name="Name">Full name, in the order of the language.</param>
/// <param name="Gender">Which of the language's genders.</param>
/// <param name="Values">One value for each attribute.</param>
/// <param name="Rank">Exposure rank from 0 (best known), or −1 for a person whom pretraining does not know.</param>
/// <param name="Split">Who may ask about them.</param>
public sealed record Person(string First, string Last, string Name, int Gender, IReadOnlyList<string> Values, int Rank, WorldSplit Split)
{
    /// <summary>The same person with another value.</summary>
    public Person With(int attribute, string value)
    {
        string[] values = [.. Values];
        values[attribute] = value;
        return this with { Values = values };
    }
}

/// <summary>Everyone in a world: the known people by exposure, and the names left for documents and for nowhere.</summary>
public sealed class People
{
    private readonly record struct FullName(string First, string Last, int Gender);

    private readonly WorldLanguage _language;
    private readonly FullName[][] _names;
    private readonly Dictionary<WorldSplit, double[]> _exposure = [];
    private readonly double[] _allExposure;

    internal People(WorldLanguage language, WorldOptions options)
    {
        _language = language;
        var random = RandomStream.Of(options.Seed, "world", language.Code, "people");
        var all = (from gender in Enumerable.Range(0, language.Genders.Count)
                   from first in language.Genders[gender].FirstNames
                   from last in language.LastNames
                   select new FullName(first, last, gender)).ToArray();
        random.Shuffle<FullName>(all);
        if (options.People > all.Length / 4)
            throw WorldException.BadOption(nameof(WorldOptions.People), $"There are names for {all.Length / 4} known people, not for {options.People}.", "Ask for fewer.");
        _names = DealNames(all, options.People);

        var splits = DealSplits(options, random);
        Known = [.. _names[(int)NameUse.Known].Select((name, rank) => Make(name, rank, splits[rank], random))];
        BySplit = Enum.GetValues<WorldSplit>().ToDictionary(s => s, s => (IReadOnlyList<Person>)[.. Known.Where(p => p.Split == s)]);
        _allExposure = Cumulate(Known, options);
        foreach (var (split, people) in BySplit) _exposure[split] = Cumulate(people, options);
    }

    /// <summary>The known people, best known first.</summary>
    public IReadOnlyList<Person> Known { get; }

    /// <summary>The known people by who may ask about them, best known first.</summary>
    public IReadOnlyDictionary<WorldSplit, IReadOnlyList<Person>> BySplit { get; }

    /// <summary>All full names of a use.</summary>
    public IEnumerable<string> Names(NameUse use) => _names[(int)use].Select(n => NameOf(n.First, n.Last));

    /// <summary>A known person by exposure.</summary>
    public Person Draw(RandomStream random) => Known[Draw(_allExposure, random)];

    /// <summary>A known person of a split by exposure.</summary>
    public Person Draw(WorldSplit split, RandomStream random) => BySplit[split][Draw(_exposure[split], random)];

    /// <summary>A person who is known to no one: a name of that use, values drawn afresh.</summary>
    public Person Fresh(NameUse use, RandomStream random) => Make(random.Pick(_names[(int)use]), -1, SplitOf(use), random);

    /// <summary>A fresh person who shares the first or the last name with another, where the use has such a name.</summary>
    public Person Namesake(Person other, NameUse use, RandomStream random)
    {
        var byFirst = random.Chance(0.5);
        var alike = _names[(int)use].Where(n => byFirst
            ? n.First == other.First && n.Last != other.Last
            : n.Last == other.Last && n.First != other.First).ToArray();
        return alike.Length == 0 ? Fresh(use, random) : Make(random.Pick(alike), -1, SplitOf(use), random);
    }

    /// <summary>Whether a person is in the better-known half.</summary>
    public bool IsTop(Person person) => person.Rank >= 0 && person.Rank < Known.Count / 2;

    /// <summary>The names that documents of a split may use.</summary>
    public static NameUse DocumentUse(WorldSplit split) => split switch
    {
        WorldSplit.Train => NameUse.TrainDocument,
        WorldSplit.Valid => NameUse.ValidDocument,
        _ => NameUse.TestDocument,
    };

    private static WorldSplit SplitOf(NameUse use) => use switch
    {
        NameUse.ValidDocument or NameUse.ValidNowhere => WorldSplit.Valid,
        NameUse.TestDocument or NameUse.TestNowhere => WorldSplit.Test,
        _ => WorldSplit.Train,
    };

    // Of the names that are not known: 5% and 15% for documents of validation and tests, 2% and 6% for nowhere.
    private static FullName[][] DealNames(FullName[] all, int known)
    {
        var rest = all.Length - known;
        int[] sizes = [known, 0, rest / 20, rest * 3 / 20, rest / 50, rest * 3 / 50];
        sizes[(int)NameUse.TrainDocument] = all.Length - sizes.Sum();
        var start = 0;
        return [.. sizes.Select(size => all[start..(start += size)])];
    }

    // Each half of the ranking gets the same shares, so that no split is better known than another.
    private static WorldSplit[] DealSplits(WorldOptions options, RandomStream random)
    {
        var splits = new WorldSplit[options.People];
        var half = options.People / 2;
        foreach (var part in new[] { 0..half, half..options.People })
        {
            var span = splits.AsSpan(part);
            var train = (int)Math.Round(span.Length * options.TrainShare);
            var valid = Math.Max(1, (int)Math.Round(span.Length * options.ValidShare));
            span.Fill(WorldSplit.Test);
            span[..train].Fill(WorldSplit.Train);
            span.Slice(train, valid).Fill(WorldSplit.Valid);
            random.Shuffle(span);
        }
        return splits;
    }

    private static double[] Cumulate(IReadOnlyList<Person> people, WorldOptions options)
    {
        var sum = 0.0;
        return [.. people.Select(p => sum += Math.Pow(p.Rank + 1 + options.ExposureShift, -options.ExposureExponent))];
    }

    private static int Draw(double[] cumulative, RandomStream random)
    {
        var at = Array.BinarySearch(cumulative, random.NextDouble() * cumulative[^1]);
        return Math.Min(at < 0 ? ~at : at, cumulative.Length - 1);
    }

    private Person Make(FullName name, int rank, WorldSplit split, RandomStream random) => new(
        name.First, name.Last, NameOf(name.First, name.Last), name.Gender,
        [.. _language.Attributes.Select(a => random.Pick(a.Values))], rank, split);

    private string NameOf(string first, string last) => _language.NamePattern
        .Replace("{first}", first, StringComparison.Ordinal).Replace("{last}", last, StringComparison.Ordinal);
}
