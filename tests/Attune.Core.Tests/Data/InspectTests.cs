using System.Text;
using System.Text.Json;
using Attune.Core.Data;
using Attune.Testing;
using Xunit;

namespace Attune.Core.Tests.Data;

public class DataInspectorTests
{
    private const string Tale = "once upon a time there was a small grey mouse that lived under the old stone bridge by the mill and every night it sang to the slow green river until the moon came up";

    private static TempFile Texts(params string[] texts) => new(".jsonl", string.Join('\n', texts.Select(t => JsonSerializer.Serialize(new { text = t }))));

    private static InspectReport Inspect(TempFile data, TempFile? test = null) =>
        DataInspector.Inspect(new InspectOptions { Data = [data.Path], Test = test is null ? [] : [test.Path] }, new CharEncoder());

    [Fact]
    public void Equal_rows_are_exact_duplicates_whatever_their_case_and_spaces()
    {
        using var file = Texts(Tale, "something else altogether", "Something  ELSE\nＡltogether", Tale, Tale);
        var report = Inspect(file);
        Assert.Equal((2, 3), (report.Exact.Groups, report.Exact.ExtraRows));
        Assert.Equal((2, 3, 1.0), (report.Exact.Examples[0].First.Line, report.Exact.Examples[0].Second.Line, report.Exact.Examples[0].Similarity));
        Assert.Equal((0, 0), (report.Near.Groups, report.Near.ExtraRows));
    }

    [Fact]
    public void Rows_with_nearly_the_same_words_are_near_duplicates()
    {
        // One word of 35 at the end: 31 shingles, of which 30 are shared.
        using var file = Texts(Tale, "an unrelated sentence about the price of tea in the shops of a far away harbour town", Tale.Replace("up", "down"), Tale.ToUpperInvariant() + "!");
        var report = Inspect(file);
        Assert.Equal(0, report.Exact.ExtraRows);
        Assert.Equal((1, 2), (report.Near.Groups, report.Near.ExtraRows));
        Assert.Equal((1, 3), (report.Near.Examples[0].First.Line, report.Near.Examples[0].Second.Line));
        Assert.Equal(1, report.Near.Examples[1].Similarity);
    }

    [Fact]
    public void Overlap_finds_what_is_shared_and_how_much_of_it()
    {
        using var train = Texts("Preface. " + Tale + " The end.", "the quick brown fox jumps");
        using var test = Texts(
            "Nothing of this row can be found in any of the training rows, however long one looks for it there.",
            Tale.ToUpperInvariant(),
            "A long test row that is mostly its own words but quotes this: lived under the old stone bridge by the mill and every night it sang, and then goes on about other things that nobody wrote before it did.",
            "The quick, brown fox jumps!",
            "fox jumps");
        var overlap = Inspect(train, test).Overlap!;
        Assert.Equal((5, 3, 2), (overlap.TestRows, overlap.Touched, overlap.HalfCovered));
        Assert.Equal([(2, 1, 1.0), (4, 2, 1.0)], overlap.Examples.Take(2).Select(e => (e.Test.Line, e.Train.Line, e.Share)));
        Assert.Equal("lived under the old stone bridge by the mill and every night it", overlap.Examples[2].Words[..63]);
        Assert.InRange(overlap.Examples[2].Share, .3, .45);
    }

    [Fact]
    public void A_report_counts_roles_languages_lengths_and_faults()
    {
        using var file = new TempFile(".jsonl", """
            {"instruction":"What is the capital of the country?","output":"It is the city.","kind":"qa"}
            {"instruction":"识别并解释","output":"细胞理论","system":"你好"}
            {"instruction":"x","output":""}
            {"instruction":"y","output":""}
            """);
        var report = Assert.Single(Inspect(file).Files);
        Assert.Equal((2, FormatKind.Alpaca), (report.Rows, report.Format.Kind));
        Assert.Equal([("assistant", 2), ("system", 1), ("user", 2)], report.Roles.Select(r => (r.Key, r.Value)));
        Assert.Equal([("en", 1), ("zh", 1)], report.Languages.Select(r => (r.Key, r.Value)));
        Assert.Equal([("qa", 1)], report.Kinds.Select(r => (r.Key, r.Value)));
        Assert.Equal(("ATT3012 The assistant's message is empty.", 2, 3), (report.Faults[0].Reason, report.Faults[0].Rows, report.Faults[0].First.Line));
        Assert.Equal((2L, 13, 51), (report.Characters!.Count, report.Characters.Least, report.Characters.Most));
        Assert.Equal(report.Characters, report.Tokens);
    }

    [Theory]
    [InlineData("The cat is in the house.", "en")]
    [InlineData("Der Hund ist nicht im Haus und die Katze auch nicht.", "de")]
    [InlineData("Le chat est dans la maison et les chiens sont dehors.", "fr")]
    [InlineData("El perro y los gatos son de la casa para los niños.", "es")]
    [InlineData("これは日本語の文です。", "ja")]
    [InlineData("这是中文。", "zh")]
    [InlineData("이것은 한국어", "ko")]
    [InlineData("Это русский текст", "ru")]
    [InlineData("123 !", "none")]
    public void Languages_are_told_roughly(string text, string language) => Assert.Equal(language, RoughLanguage.Of(text));
}

/// <summary>The inspector's findings on published files against a plain count of the same thing.</summary>
public class InspectorVectors
{
    private const int PairsLooked = 120;

    private static IReadOnlyList<string> Files()
    {
        if (SharedData.MaySkip)
            Assert.Skip("no reference data");
        var files = new[] { "sft", "preference", "corpora" }.SelectMany(f => SharedData.Files("*.*", "data", f)).Where(f => Path.GetExtension(f) is ".json" or ".jsonl" or ".txt").ToList();
        Assert.NotEmpty(files);
        return files;
    }

    private static List<(RowOrigin Origin, string Text)> Rows(string path) => [.. DataReader.Read(path).Select(row => (row.Origin, row switch
    {
        TextRow text => text.Text,
        ConversationRow talk => string.Join('\n', talk.Conversation.Messages.Select(m => m.Content ?? m.Fields!["tool_calls"]!.ToJsonString())),
        LabelledRow talk => string.Join('\n', talk.Conversation.Messages.Select(m => m.Content)),
        PreferenceRow pair => string.Join('\n', pair.Prompt.Messages.Concat(pair.Chosen).Concat(pair.Rejected).Select(m => m.Content)),
        _ => throw new InvalidDataException(),
    }))];

    [Fact]
    public void Exact_duplicates_are_those_of_a_plain_count()
    {
        foreach (var path in Files())
        {
            var groups = Rows(path).GroupBy(r => string.Join(' ', r.Text.Normalize(NormalizationForm.FormKC).ToLowerInvariant().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))).Where(g => g.Count() > 1).ToList();
            var report = DataInspector.Inspect(new InspectOptions { Data = [path] });
            Assert.Equal((groups.Count, groups.Sum(g => g.Count() - 1)), (report.Exact.Groups, report.Exact.ExtraRows));
            Assert.Empty(Assert.Single(report.Files).Faults);
            Assert.Equal(DataReader.Read(path).Count(r => r is not TextRow { Opens: false }), report.Files[0].Rows);
        }
    }

    [Fact]
    public void Near_duplicates_are_those_of_all_pairs()
    {
        foreach (var path in Files())
        {
            var texts = Rows(path).Take(PairsLooked).ToList();
            var rows = texts.Select(r => NearDuplicates.Shingles(Words.Of(r.Text)).ToHashSet()).ToList();
            var finder = new NearDuplicates(1, 0.8);
            var (found, expected) = (new List<int>(), new List<int>());
            foreach (var (i, row) in texts.Index())
            {
                if (finder.Add(Words.Of(row.Text)) is not null)
                    found.Add(i);
                if (rows.Take(i).Any(earlier => Jaccard(earlier, rows[i]) >= 0.8))
                    expected.Add(i);
            }
            Assert.Equal(expected, found);
        }

        static double Jaccard(HashSet<ulong> a, HashSet<ulong> b)
        {
            // Sets of very different sizes cannot be alike, whatever they hold.
            if (Math.Min(a.Count, b.Count) < 0.5 * Math.Max(a.Count, b.Count))
                return 0;
            var shared = a.Count(b.Contains);
            return (double)shared / (a.Count + b.Count - shared);
        }
    }

    [Fact]
    public void A_file_overlaps_with_itself_wholly()
    {
        // Small ones are enough: overlap has nothing that grows with a file but time.
        var files = Files().Where(f => new FileInfo(f).Length < 1_000_000).ToList();
        Assert.NotEmpty(files);
        foreach (var path in files)
        {
            var overlap = DataInspector.Inspect(new InspectOptions { Data = [path], Test = [path] }).Overlap!;
            Assert.True(overlap.TestRows > 0);
            Assert.True(overlap.HalfCovered >= overlap.TestRows * .95, $"{path}: {overlap.HalfCovered} of {overlap.TestRows}");
            Assert.Equal(overlap.Touched, overlap.HalfCovered);
        }
    }
}
