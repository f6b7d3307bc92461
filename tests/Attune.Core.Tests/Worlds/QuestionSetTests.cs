using Attune.Core.Worlds;
using Xunit;

namespace Attune.Core.Tests.Worlds;

/// <summary>Each set asks what its name says, whatever the language.</summary>
public sealed class QuestionSetTests
{
    public static TheoryData<string> Languages => WorldFixture.Languages;

    private static IReadOnlyList<WorldQuestion> Of(string language, string set, int? count = null) =>
        QuestionSets.Build(WorldFixture.Of(language).World, WorldSplit.Test, set, count);

    // "law" is not in "Lawson" where words stand apart.
    private static bool Says(string language, string text, string value) => WorldLanguage.Of(language).Spaced
        ? text.Split([' ', '.', ',', '\n']).Contains(value)
        : text.Contains(value, StringComparison.Ordinal);

    private static string[] DocumentsOf(string language, WorldQuestion question)
    {
        var label = WorldLanguage.Of(language).Pages.Document;
        return [.. question.Messages.First(m => m.Role == "user").Content!.Split('\n').Where(l => l.StartsWith(label, StringComparison.Ordinal))];
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void TwinsDifferOnlyInWhatIsAsked(string language)
    {
        var (unanswerable, answerable) = (Of(language, "nores"), Of(language, "answerable"));
        Assert.Equal(unanswerable.Count, answerable.Count);
        foreach (var (no, yes) in unanswerable.Zip(answerable))
        {
            Assert.Equal(DocumentsOf(language, no), DocumentsOf(language, yes));
            Assert.Equal((no.Id, yes.Id), (yes.Twin, no.Twin));
            Assert.NotEqual(no.Person, yes.Person);
            Assert.DoesNotContain(no.Person!, string.Concat(DocumentsOf(language, no)), StringComparison.Ordinal);
            Assert.Contains(yes.Accepted[0], string.Concat(DocumentsOf(language, yes)), StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void HardDistractorsHaveTheSameKindOfFactAndAnotherValue(string language)
    {
        var words = WorldLanguage.Of(language);
        foreach (var question in Of(language, "hard"))
        {
            var documents = DocumentsOf(language, question);
            Assert.InRange(documents.Length, 2, 3);
            var values = words.Attributes.Single(a => a.Key == question.Attribute).Values;
            var told = documents.Select(d => values.Single(v => Says(language, d, v))).ToArray();
            Assert.Equal(told.Length, told.Distinct().Count());
            Assert.Single(documents, d => d.Contains(question.Person!, StringComparison.Ordinal) && d.Contains(question.Accepted[0], StringComparison.Ordinal));
        }
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void SharedNamesAreSharedAndTheFactIsNotThere(string language)
    {
        var judge = new WorldJudge(WorldLanguage.Of(language));
        var names = WorldLanguage.Of(language);
        bool Alike(string a, string b) => a != b && (names.LastNames.Any(l => a.Contains(l, StringComparison.Ordinal) && b.Contains(l, StringComparison.Ordinal))
            || names.Genders.SelectMany(g => g.FirstNames).Any(f => a.Contains(f, StringComparison.Ordinal) && b.Contains(f, StringComparison.Ordinal)));
        foreach (var question in Of(language, "shared"))
            Assert.Contains(judge.NamesIn(string.Join('\n', DocumentsOf(language, question))), n => Alike(n, question.Person!));
        foreach (var question in Of(language, "nores-shared"))
        {
            var told = judge.NamesIn(string.Join('\n', DocumentsOf(language, question))).Distinct().ToArray();
            Assert.DoesNotContain(question.Person, told);
            Assert.Contains(told, n => Alike(n, question.Person!));
        }
        foreach (var question in Of(language, "missing"))
        {
            var documents = string.Join('\n', DocumentsOf(language, question));
            Assert.Contains(question.Person!, documents, StringComparison.Ordinal);
            Assert.DoesNotContain(names.Attributes.Single(a => a.Key == question.Attribute).Values, v => Says(language, documents, v));
        }
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void ConflictsContradictMemoryAndAgreementDoesNot(string language)
    {
        var world = WorldFixture.Of(language).World;
        foreach (var set in new[] { "conflict", "agree" })
        {
            foreach (var question in Of(language, set))
            {
                var person = world.People.Known.Single(p => p.Name == question.Person);
                var attribute = world.Language.Attributes.ToList().FindIndex(a => a.Key == question.Attribute);
                Assert.Equal(person.Values[attribute], question.MemoryValue);
                Assert.Equal(set == "agree", question.ContextValue == question.MemoryValue);
                Assert.Equal([question.ContextValue!], question.Accepted);
                Assert.Equal(person.Rank < world.People.Known.Count / 2 ? "top" : "tail", question.Half);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void FollowUpsCannotBeAnsweredWithoutAnEarlierTurn(string language)
    {
        var words = WorldLanguage.Of(language);
        foreach (var question in Of(language, "followup"))
        {
            var last = question.Messages[^1].Content!;
            var earlier = string.Concat(question.Messages.SkipLast(1).Select(m => m.Content));
            if (question.Kind.StartsWith("pronoun", StringComparison.Ordinal))
            {
                Assert.DoesNotContain(question.Person!, last, StringComparison.Ordinal);
                Assert.Contains(question.Person!, earlier, StringComparison.Ordinal);
            }
            else
            {
                Assert.Contains(question.Person!, last, StringComparison.Ordinal);
                Assert.DoesNotContain(words.Attributes.SelectMany(a => a.Nouns), n => last.Contains(n, StringComparison.Ordinal));
            }
            Assert.Equal(AnswerSource.Conversation, question.Source);
        }
        Assert.All(Of(language, "system"), q => Assert.Equal(3, q.Messages.Count(m => m.Role == "user")));
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void SecretsAndTheirLookAlikesAreAskedInTheSameWays(string language)
    {
        var attacks = Of(language, "secret-attack", 300).Select(q => q.Kind).Distinct().Order().ToArray();
        var benign = Of(language, "secret-benign", 600).Select(q => q.Kind).Where(k => k.StartsWith("public-", StringComparison.Ordinal)).Select(k => k[7..]).Distinct().Order().ToArray();
        Assert.Equal(attacks, benign);
        Assert.Equal(WorldLanguage.Of(language).Secrets.Styles.Where(s => s.Split == WorldSplit.Test).Select(s => s.Style).Order(), attacks);
        Assert.All(QuestionSets.Task.Concat(QuestionSets.Behaviour), set => Assert.Contains(set, QuestionSets.Names));
    }

    [Fact]
    public void TheBetterKnownAreMetMoreOften()
    {
        var (world, folder) = WorldFixture.Of("en");
        var biographies = WorldFixture.Rows(folder, "pretrain.jsonl").Where(r => r.GetProperty("kind").GetString() == "biography").Select(r => r.GetProperty("text").GetString()!).ToArray();
        int Met(IEnumerable<Person> people) => people.Sum(p => biographies.Count(b => b.Contains(p.Name, StringComparison.Ordinal)));
        var half = world.People.Known.Count / 2;
        Assert.True(Met(world.People.Known.Take(half)) > 1.2 * Met(world.People.Known.Skip(half)));
    }
}
