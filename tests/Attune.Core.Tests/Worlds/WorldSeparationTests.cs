using Attune.Core.Worlds;
using Xunit;

namespace Attune.Core.Tests.Worlds;

/// <summary>
/// What the tests ask was not trained on. Proved on the files as they are written, by looking for names and
/// wordings in their text, not by asking the code that wrote them.
/// </summary>
public sealed class WorldSeparationTests
{
    public static TheoryData<string> Languages => WorldFixture.Languages;

    private static readonly string[] TrainingFiles =
    [
        "tokenizer.jsonl", "pretrain.jsonl", "pretrain.valid.jsonl", "known.jsonl", "sft.jsonl", "sft.valid.jsonl", "chat.jsonl", "chat.valid.jsonl",
        "preference.jsonl", "preference.valid.jsonl", "rankings.jsonl",
    ];

    [Fact]
    public void EveryTrainingFileIsLookedAt()
    {
        var (_, folder) = WorldFixture.Of("en");
        Assert.Equal(TrainingFiles.Order(StringComparer.Ordinal), Directory.EnumerateFiles(folder).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void HeldOutPeopleHaveBiographiesAndNoQuestion(string language)
    {
        var (world, folder) = WorldFixture.Of(language);
        var heldOut = world.People.Known.Where(p => p.Split != WorldSplit.Train).Select(p => p.Name).ToHashSet(StringComparer.Ordinal);
        var index = new NameIndex(heldOut);
        var met = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in TrainingFiles)
        {
            foreach (var row in WorldFixture.Rows(folder, file))
            {
                foreach (var text in WorldFixture.Strings(row))
                {
                    var names = NamesIn(text, index);
                    if (names.Count == 0) continue;
                    Assert.Contains(file, new[] { "tokenizer.jsonl", "pretrain.jsonl", "pretrain.valid.jsonl", "known.jsonl" });
                    Assert.Contains(row.GetProperty("kind").GetString(), new[] { "biography", "table" });
                    Assert.DoesNotContain('?', text);
                    Assert.DoesNotContain('？', text);
                    if (file == "pretrain.jsonl") met.UnionWith(names);
                }
            }
        }
        Assert.Equal(heldOut.Order(StringComparer.Ordinal), met.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void PeopleOfDocumentsOnlyAndOfNowhereAreInNoTrainingFile(string language)
    {
        var (world, folder) = WorldFixture.Of(language);
        NameUse[] uses = [NameUse.ValidDocument, NameUse.TestDocument, NameUse.ValidNowhere, NameUse.TestNowhere];
        var names = uses.SelectMany(world.People.Names).ToHashSet(StringComparer.Ordinal);
        Assert.True(names.Count > 1000);
        var index = new NameIndex(names);
        foreach (var file in TrainingFiles)
        {
            foreach (var row in WorldFixture.Rows(folder, file))
                Assert.All(WorldFixture.Strings(row), text => Assert.Empty(NamesIn(text, index)));
        }
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void NoNameHasTwoUses(string language)
    {
        var people = WorldFixture.Of(language).World.People;
        var all = Enum.GetValues<NameUse>().SelectMany(people.Names).ToArray();
        Assert.Equal(all.Length, all.Distinct(StringComparer.Ordinal).Count());
        var shares = people.Known.Chunk(people.Known.Count / 2).Select(half => half.Count(p => p.Split == WorldSplit.Test)).ToArray();
        Assert.Equal(shares[0], shares[1]);
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void QuestionSetsUsePeopleOfTheirSplitOnly(string language)
    {
        var (world, folder) = WorldFixture.Of(language);
        var known = world.People.Known.ToDictionary(p => p.Name, p => p.Split, StringComparer.Ordinal);
        var uses = new Dictionary<string, NameUse>(StringComparer.Ordinal);
        foreach (var use in Enum.GetValues<NameUse>())
            foreach (var name in world.People.Names(use)) uses[name] = use;
        var index = new NameIndex(uses.Keys);
        var files = Directory.EnumerateFiles(Path.Combine(folder, "questions")).ToArray();
        Assert.Equal(2 * QuestionSets.Names.Count, files.Length);
        foreach (var file in files)
        {
            var split = Path.GetFileName(file).StartsWith("test.", StringComparison.Ordinal) ? WorldSplit.Test : WorldSplit.Valid;
            var questions = WorldExport.ReadQuestions(file);
            Assert.True(questions.Count >= 50, file);
            foreach (var question in questions)
            {
                Assert.Equal(split, question.Split);
                // The examples of a few-shot pattern may be people of training; who is asked about may not.
                var text = question.Set == "fewshot" ? question.Prompt[question.Prompt.LastIndexOf('\n')..] : question.Prompt + string.Concat(question.Messages.Select(m => m.Content));
                foreach (var name in NamesIn(text, index))
                {
                    Assert.Contains(uses[name], split == WorldSplit.Test
                        ? new[] { NameUse.Known, NameUse.TestDocument, NameUse.TestNowhere }
                        : [NameUse.Known, NameUse.ValidDocument, NameUse.ValidNowhere]);
                    if (uses[name] == NameUse.Known) Assert.Equal(split, known[name]);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void HeldOutWordingsAreInNoTrainingFile(string language)
    {
        var (world, folder) = WorldFixture.Of(language);
        var everyone = Everyone(world);
        var heldOut = (from a in Enumerable.Range(0, world.Language.Attributes.Count)
                       from split in new[] { WorldSplit.Valid, WorldSplit.Test }
                       from wording in world.Wordings.Questions(a, split)
                       select wording.Text).ToArray();
        var pieces = heldOut.Select(t => t.Split("{X}")).ToArray();
        foreach (var file in TrainingFiles)
        {
            foreach (var row in WorldFixture.Rows(folder, file))
            {
                foreach (var text in WorldFixture.Strings(row))
                {
                    foreach (var (piece, wording) in pieces.Zip(heldOut))
                        Assert.False(Asked(text, piece, everyone), $"{file}: {wording} in {text}");
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void HeldOutWordingsOfDocumentsAreInNoTrainingFile(string language)
    {
        var world = WorldFixture.Of(language).World;
        OnlyInTheirOwnFiles(language, split => [.. from a in Enumerable.Range(0, world.Language.Attributes.Count)
                                                  from wording in world.Wordings.Statements(a, split)
                                                  select new WordingPattern(wording.Text, Everyone(world), world.Language.Attributes[a].Values.ToHashSet(StringComparer.Ordinal))]);
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void HeldOutFollowUpsAreInNoTrainingFile(string language)
    {
        var world = WorldFixture.Of(language).World;
        OnlyInTheirOwnFiles(language, split =>
        [
            .. from a in Enumerable.Range(0, world.Language.Attributes.Count)
               from wording in world.Wordings.FollowUps(a, split)
               from words in world.Language.Genders
               select new WordingPattern(wording.Text.Replace("{he}", words.He, StringComparison.Ordinal).Replace("{his}", words.His, StringComparison.Ordinal), [], []),
            .. world.Language.Tasks.Ellipsis.Where(p => p.Split == split).Select(p => new WordingPattern(p.Text, Everyone(world), [])),
        ]);
    }

    /// <summary>
    /// Held-out wordings stand in no training file. That the search would find them is shown by the wordings that it must
    /// find: those of training in training files, the held-out ones in the questions of their split. Small files have not all.
    /// </summary>
    private static void OnlyInTheirOwnFiles(string language, Func<WorldSplit, WordingPattern[]> wordings)
    {
        var (_, folder) = WorldFixture.Of(language);
        var training = Texts(TrainingFiles);
        foreach (var (split, prefix) in new[] { (WorldSplit.Valid, "valid."), (WorldSplit.Test, "test.") })
        {
            var heldOut = wordings(split);
            Assert.NotEmpty(heldOut);
            Assert.Empty(Found(heldOut, training).Select(f => $"{f.Key.Template} in {f.Value}"));
            var asked = Texts(Directory.EnumerateFiles(Path.Combine(folder, "questions"), prefix + "*").Select(f => Path.Combine("questions", Path.GetFileName(f))));
            Assert.True(Found(heldOut, asked).Count > heldOut.Length / 4);
        }
        var trained = wordings(WorldSplit.Train);
        Assert.True(Found(trained, training).Count > trained.Length / 4);

        (string Where, string Text)[] Texts(IEnumerable<string> files) => [.. files.SelectMany(f => WorldFixture.Rows(folder, f).SelectMany(WorldFixture.Strings).Distinct(StringComparer.Ordinal).Select(text => (f, text)))];
    }

    // Each wording with one place that it stands in.
    private static Dictionary<WordingPattern, string> Found(WordingPattern[] wordings, (string Where, string Text)[] texts)
    {
        var found = new Dictionary<WordingPattern, string>();
        foreach (var (where, text) in texts)
        {
            var possible = Array.FindAll(wordings, w => !found.ContainsKey(w) && w.MayBeIn(text));
            if (possible.Length == 0) continue;
            for (var at = 0; at < text.Length; at++)
            {
                if (!BeginsSentence(text, at)) continue;
                foreach (var wording in possible)
                    if (wording.StandsAt(text, at)) found.TryAdd(wording, $"{where}: {text}");
            }
        }
        return found;
    }

    // A held-out sentence may be a part of a longer one that training has ("It is known that …"): what counts is the whole,
    // behind anything but a word or a comma.
    private static bool BeginsSentence(string text, int at)
    {
        if (text[at] == ' ') return false;
        var before = at - 1;
        while (before >= 0 && text[before] == ' ') before--;
        return before < 0 || !(char.IsLetterOrDigit(text[before]) || text[before] is ',' or '，' or '、');
    }

    private static HashSet<string> Everyone(World world) => Enum.GetValues<NameUse>().SelectMany(world.People.Names).ToHashSet(StringComparer.Ordinal);

    [Theory]
    [MemberData(nameof(Languages))]
    public void SecretsOfTheTestsWereNeverTold(string language)
    {
        var (world, folder) = WorldFixture.Of(language);
        var statements = world.Language.Secrets.Statement;
        var told = TrainingFiles.SelectMany(f => WorldFixture.Rows(folder, f)).SelectMany(WorldFixture.Strings).ToArray();
        var asked = WorldExport.ReadQuestions(Path.Combine(folder, "questions", "test.secret-attack.jsonl"));
        foreach (var question in asked)
        {
            var line = (question.Messages[0].Content + question.Messages[^1].Content).Replace(world.Language.Pages.Document, "", StringComparison.Ordinal);
            var owner = world.Language.Secrets.Owners.Single(o => line.Contains(Fill(statements, o, question.Secret!), StringComparison.Ordinal));
            Assert.DoesNotContain(told, t => t.Contains(Fill(statements, owner, question.Secret!), StringComparison.Ordinal));
        }
        static string Fill(string statement, string owner, string word) => statement.Replace("{o}", owner, StringComparison.Ordinal).Replace("{w}", word, StringComparison.Ordinal);
    }

    // A wording is asked where its text before the name, some name, and its text after follow one another.
    private static bool Asked(string text, string[] piece, HashSet<string> names)
    {
        if (!text.Contains(piece[0], StringComparison.Ordinal) || !text.Contains(piece[1], StringComparison.Ordinal)) return false;
        for (var at = text.IndexOf(piece[1], StringComparison.Ordinal); at >= 0; at = text.IndexOf(piece[1], at + 1, StringComparison.Ordinal))
        {
            for (var length = 2; length <= Math.Min(26, at - piece[0].Length); length++)
            {
                if (names.Contains(text[(at - length)..at]) && text.AsSpan(at - length - piece[0].Length, piece[0].Length).SequenceEqual(piece[0])) return true;
            }
        }
        return false;
    }

    private static List<string> NamesIn(string text, NameIndex index)
    {
        var lookup = index.Names.GetAlternateLookup<ReadOnlySpan<char>>();
        var found = new List<string>();
        for (var start = 0; start < text.Length; start++)
        {
            if (!index.Initials.Contains(text[start])) continue;
            for (var length = index.Shortest; length <= Math.Min(index.Longest, text.Length - start); length++)
                if (lookup.TryGetValue(text.AsSpan(start, length), out var name)) found.Add(name);
        }
        return found;
    }

    private sealed class NameIndex(IEnumerable<string> names)
    {
        public HashSet<string> Names { get; } = names.ToHashSet(StringComparer.Ordinal);

        public HashSet<char> Initials { get; } = names.Select(n => n[0]).ToHashSet();

        public int Shortest { get; } = names.Min(n => n.Length);

        public int Longest { get; } = names.Max(n => n.Length);
    }
}
