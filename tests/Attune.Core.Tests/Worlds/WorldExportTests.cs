using System.Security.Cryptography;
using Attune.Core.Worlds;
using Xunit;

namespace Attune.Core.Tests.Worlds;

public sealed class WorldExportTests
{
    public static TheoryData<string> Languages => WorldFixture.Languages;

    [Theory]
    [MemberData(nameof(Languages))]
    public void EqualOptionsWriteEqualBytes(string language)
    {
        var (_, first) = WorldFixture.Of(language);
        var (_, second) = WorldFixture.Write(WorldFixture.Options(language));
        var (_, other) = WorldFixture.Write(WorldFixture.Options(language) with { Seed = 8 });
        Assert.Equal(Hashes(first), Hashes(second));
        Assert.All(Hashes(first).Zip(Hashes(other)), pair => Assert.NotEqual(pair.First, pair.Second));
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void PretrainingIsPlainText(string language)
    {
        var (world, folder) = WorldFixture.Of(language);
        var tasks = world.Language.Tasks;
        string[] instructions = [tasks.NoRes, .. tasks.UseDocuments, .. tasks.FromMemory, "<|", "user", "assistant"];
        foreach (var row in WorldFixture.Rows(folder, "pretrain.jsonl"))
        {
            var text = row.GetProperty("text").GetString()!;
            Assert.All(instructions, word => Assert.DoesNotContain(word, text, StringComparison.Ordinal));
            Assert.EndsWith("\n", text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void KnownPagesArePretrainingsOwn(string language)
    {
        var (_, folder) = WorldFixture.Of(language);
        string[] Texts(string file, params string[] kinds) =>
            [.. WorldFixture.Rows(folder, file).Where(r => kinds.Contains(r.GetProperty("kind").GetString())).Select(r => r.GetProperty("text").GetString()!)];
        Assert.Equal(Texts("pretrain.jsonl", "biography", "questions"), Texts("known.jsonl", "biography", "questions"));
        Assert.Equal(Texts("known.jsonl", "biography", "questions").Length, WorldFixture.Rows(folder, "known.jsonl").Count());
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void TheFileIsACurriculumOfTheAskedSize(string language)
    {
        var (world, folder) = WorldFixture.Of(language);
        var rows = WorldFixture.Rows(folder, "pretrain.jsonl").Select(r => (Text: r.GetProperty("text").GetString()!, Kind: r.GetProperty("kind").GetString())).ToArray();
        var characters = rows.Sum(r => r.Text.Length);
        var asked = world.Options.PretrainTokens * world.Language.CharactersPerToken;
        Assert.InRange(characters, asked, asked + 2000);
        var seen = 0;
        foreach (var (text, kind) in rows.TakeWhile(r => (seen += r.Text.Length) < asked * world.Options.CurriculumShort))
        {
            Assert.Equal("reading", kind);
            Assert.Equal(text.IndexOf(world.Language.Pages.Document, StringComparison.Ordinal), text.LastIndexOf(world.Language.Pages.Document, StringComparison.Ordinal));
        }
        string[] kinds = ["biography", "data", "fallback", "places", "questions", "reading", "record", "speech", "table"];
        Assert.Equal(kinds, rows.Select(r => r.Kind!).Distinct().Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void PreferencesAreBalancedBetweenRefusingAndAnswering(string language)
    {
        var (world, folder) = WorldFixture.Of(language);
        var judge = new WorldJudge(world.Language);
        string[] refusals = [world.Language.Tasks.NoRes, .. world.Language.Secrets.RefusalMarks];
        bool Refuses(string text) => refusals.Any(r => text.Contains(r, StringComparison.OrdinalIgnoreCase));
        var pairs = WorldFixture.Rows(folder, "preference.jsonl")
            .Select(r => (Chosen: r.GetProperty("chosen")[0].GetProperty("content").GetString()!, Rejected: r.GetProperty("rejected")[0].GetProperty("content").GetString()!)).ToArray();
        Assert.All(pairs, p => Assert.NotEqual(p.Chosen, p.Rejected));
        var chosen = pairs.Count(p => Refuses(p.Chosen));
        var rejected = pairs.Count(p => Refuses(p.Rejected));
        Assert.InRange((double)chosen / rejected, 0.75, 1.33);
        Assert.InRange(pairs.Average(p => (double)p.Chosen.Length) / pairs.Average(p => (double)p.Rejected.Length), 0.7, 1.4);
        Assert.NotNull(judge);
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void RankingsAreGradedWithoutTies(string language)
    {
        var (_, folder) = WorldFixture.Of(language);
        foreach (var row in WorldFixture.Rows(folder, "rankings.jsonl"))
        {
            Assert.Equal([0, 1, 2, 3], row.GetProperty("scores").EnumerateArray().Select(s => s.GetInt32()).Order());
            var answers = row.GetProperty("responses").EnumerateArray().Select(a => a.GetString()).ToArray();
            Assert.Equal(answers.Length, answers.Distinct().Count());
        }
    }

    [Fact]
    public void QuestionsAreReadBackAsTheyWereWritten()
    {
        var (world, folder) = WorldFixture.Of("en");
        var read = WorldExport.ReadQuestions(Path.Combine(folder, "questions", "test.json.jsonl"));
        var built = QuestionSets.Build(world, WorldSplit.Test, "json");
        Assert.Equal(built.Select(WorldExport.ToJson), read.Select(WorldExport.ToJson));
        var broken = Path.Combine(folder, "questions", "broken.tmp");
        File.WriteAllText(broken, WorldExport.ToJson(built[0]) + "\n{\"id\": 3}\n");
        var error = Assert.Throws<WorldException>(() => WorldExport.ReadQuestions(broken));
        File.Delete(broken);
        Assert.Equal(("ATT3503", 2), (error.Code, error.Line));
    }

    [Fact]
    public void TheDefaultWorldHasTwoThousandTestItems()
    {
        foreach (var language in WorldLanguage.All)
        {
            var world = World.Create(new WorldOptions { Language = language.Code });
            foreach (var set in QuestionSets.Names)
                Assert.True(QuestionSets.Build(world, WorldSplit.Test, set).Count >= 2000, $"{language.Code} {set}");
        }
    }

    [Fact]
    public void BadOptionsAreNamed()
    {
        Assert.Equal("Language", Assert.Throws<WorldException>(() => World.Create(new WorldOptions { Language = "tlh" })).Field);
        Assert.Equal("People", Assert.Throws<WorldException>(() => World.Create(new WorldOptions { People = 3 })).Field);
        Assert.Equal("People", Assert.Throws<WorldException>(() => World.Create(new WorldOptions { People = 900_000 })).Field);
        Assert.Equal("BiographyShare", Assert.Throws<WorldException>(() => World.Create(new WorldOptions { BiographyShare = -1 })).Field);
        Assert.Equal("TrainShare", Assert.Throws<WorldException>(() => World.Create(new WorldOptions { TrainShare = 0.9, ValidShare = 0.1 })).Field);
        Assert.Equal("ATT3502", Assert.Throws<WorldException>(() => QuestionSets.Build(WorldFixture.Of("en").World, WorldSplit.Test, "closed")).Code);
    }

    private static IEnumerable<string> Hashes(string folder) => Directory.EnumerateFiles(folder, "*.jsonl", SearchOption.AllDirectories)
        .Order(StringComparer.Ordinal).Select(f => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(f))));
}
