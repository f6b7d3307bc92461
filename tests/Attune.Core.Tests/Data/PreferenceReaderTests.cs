using System.Globalization;
using Attune.Core.Data;
using Attune.Prompts;
using Xunit;

namespace Attune.Core.Tests.Data;

public class PreferenceReaderTests
{
    private const string Q = """ "prompt":"q" """;

    private static string Pairs(string json)
    {
        using var file = new TempFile(".jsonl", json);
        return string.Join(" ", DataReader.ReadPreferences(file.Path).Select(p => string.Create(CultureInfo.InvariantCulture, $"{Text(p.Chosen)}>{Text(p.Rejected)}:{p.Margin}")));
    }

    private static string Text(IReadOnlyList<Message> side) => side[^1].Content!;

    [Theory]
    [InlineData($$"""{{{Q}},"chosen":"a","rejected":"b","margin":1.5}""", "a>b:1.5")]
    [InlineData($$"""{{{Q}},"chosen":"a","rejected":"b","score_chosen":7,"score_rejected":5.5}""", "a>b:1.5")]
    [InlineData("""{"instruction":"q","input":"","chosen":"a","rejected":"b"}""", "a>b:")]
    [InlineData("""{"input":{"messages":[{"role":"user","content":"q"}],"tools":[],"parallel_tool_calls":true},"preferred_output":[{"role":"assistant","content":"a"}],"non_preferred_output":[{"role":"assistant","content":"b"}]}""", "a>b:")]
    [InlineData($$"""{{{Q}},"responses":["b","a","c"],"scores":[1,3,1]}""", "a>b:2 a>c:2")]
    [InlineData($$"""{{{Q}},"completions":["b","a","c"],"ranks":[2,1,3]}""", "a>b:1 a>c:2 b>c:1")]
    [InlineData("""{"instruction":"q","input":"","output":["a","b"]}""", "a>b:1")]
    [InlineData("""{"conversations":[{"from":"human","value":"q"}],"responses":[{"from":"gpt","value":"a"},{"from":"gpt","value":"b"}],"scores":[0.5,0]}""", "a>b:0.5")]
    [InlineData($$"""
        {{{Q}},"response":"a","score":2}
        {{{Q}},"response":"b","score":-1}
        {"prompt":"other","response":"c","score":0}
        """, "a>b:3")]
    [InlineData($$"""
        {{{Q}},"responses":["a","b"],"ranks":[1,2],"event":"ranked","annotator":"x","task":"1"}
        {{{Q}},"responses":["a","b"],"ranks":[2,1],"event":"ranked","annotator":"y","task":"1"}
        {{{Q}},"responses":["a","b"],"ranks":[1,2],"event":"undone","annotator":"x","task":"1"}
        {{{Q}},"responses":["c","d"],"ranks":[1,1],"event":"skipped","annotator":"x","task":"2"}
        """, "b>a:1")]
    public void Every_form_becomes_pairs_with_margins(string json, string expected) => Assert.Equal(expected, Pairs(json));

    [Fact]
    public void A_ranking_stays_a_list_for_those_who_want_one()
    {
        using var file = new TempFile(".jsonl", $$"""{{{Q}},"responses":["b","a","c","d"],"scores":[1,3,1,0]}""");
        var ranking = Assert.Single(DataReader.ReadRankings(file.Path));
        Assert.Equal([1, 0, 2, 3], ranking.BestFirst);
        var list = TrainingRows.OfRankings([ranking], FakeTemplate.Render, 100, OverlongRows.Error, new());
        Assert.Equal([3, 1, 1, 0], list[0].Scores);
        Assert.All(list[0].Rows, r => Assert.Equal(2, r.TrainedTokens));
        Assert.Equal("abcd", string.Concat(list[0].Rows.Select(r => (char)r.Ids[list[0].PromptLength])));
    }

    [Theory]
    [InlineData($$"""{{{Q}},"completion":"a","label":true}""", "a+")]
    [InlineData("""{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"label":0}""", "a-")]
    [InlineData("""{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"thumbs":"up"}""", "a+")]
    [InlineData("""{"instruction":"q","input":"","output":"a","kto_tag":false}""", "a-")]
    [InlineData($$"""{{{Q}},"chosen":"a","rejected":"b"}""", "a+b-")]
    [InlineData($$"""{{{Q}},"responses":["a","b","c"],"scores":[1,2,0]}""", "b+c-")]
    [InlineData($$"""{{{Q}},"responses":["a","b"],"ranks":[1,1],"event":"all_bad","annotator":"x","task":"1"}""", "a-b-")]
    public void Every_form_becomes_labels(string json, string expected)
    {
        using var file = new TempFile(".jsonl", json);
        Assert.Equal(expected.Order(), string.Concat(DataReader.ReadLabelled(file.Path).Select(r => r.Conversation.Messages[^1].Content + (r.Desirable ? "+" : "-"))).Order());
    }

    [Theory]
    [InlineData("""{"prompt":"q"}""", "q", null)]
    [InlineData("""{"question":"q","answer":"7"}""", "q", "7")]
    [InlineData("""{"messages":[{"role":"user","content":"q"}],"prompt":"Text form: q","reference":"7"}""", "q", "7")]
    [InlineData("""{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"7"}]}""", "q", "7")]
    [InlineData("""{"prompt":"q","chosen":"a","rejected":"b"}""", "q", null)]
    [InlineData("""{"instruction":"q"}""", "q", null)]
    public void Prompts_come_from_every_format(string json, string prompt, string? answer)
    {
        using var file = new TempFile(".jsonl", json);
        var row = Assert.Single(DataReader.ReadPrompts(file.Path));
        Assert.Equal(prompt, row.Prompt.Messages[^1].Content);
        Assert.Equal(answer, row.Answer);
    }

    [Theory]
    [InlineData($$"""{{{Q}},"responses":["a","b"],"scores":[1,NaN]}""", "ATT2401")]
    [InlineData($$"""{{{Q}},"responses":["a","b"],"scores":[1,1e999]}""", "ATT2401")]
    [InlineData($$"""{{{Q}},"response":"a","score":"nan"}""", "ATT2401")]
    [InlineData($$"""{{{Q}},"chosen":"a","rejected":"b","margin":-Infinity}""", "ATT2401")]
    [InlineData($$"""{{{Q}},"responses":["a","b"],"scores":[1]}""", "ATT2402")]
    [InlineData($$"""{{{Q}},"responses":["a"],"scores":[1]}""", "ATT2402")]
    [InlineData($$"""{{{Q}},"responses":["a","b"],"ranks":[0,1]}""", "ATT2402")]
    [InlineData($$"""{{{Q}},"chosen":"a","rejected":"b","margin":-1}""", "ATT2403")]
    [InlineData($$"""{{{Q}},"responses":["a","b"],"scores":[1,1]}""", "ATT2404")]
    [InlineData($$"""{{{Q}},"responses":["a",""],"scores":[1,0]}""", "ATT3012")]
    [InlineData($$"""{{{Q}},"chosen":"a","rejected":"a"}""", "ATT3013")]
    [InlineData("""{"responses":["a","b"],"scores":[1,0]}""", "ATT3014")]
    public void Bad_rows_are_refused_with_their_line(string json, string code)
    {
        using var file = new TempFile(".jsonl", json);
        Assert.Equal(code, Assert.Throws<DataException>(() => DataReader.ReadPreferences(file.Path).Count()).Code);
    }

    [Fact]
    public void Bad_rows_are_counted_by_reason_where_they_are_dropped()
    {
        using var file = new TempFile(".jsonl", $$"""
            {{{Q}},"chosen":"a","rejected":"b"}
            {{{Q}},"chosen":"a","rejected":"a"}
            {{{Q}},"chosen":"","rejected":"b"}
            {"chosen":"a","rejected":"b"}
            {{{Q}},"chosen":"a","rejected":"b","margin":NaN}
            """);
        var report = Assert.Single(DataInspector.Inspect(new InspectOptions { Data = [file.Path] }).Files);
        Assert.Equal(1, report.Rows);
        Assert.Equal(["ATT2401", "ATT3012", "ATT3013", "ATT3014"], report.Faults.Select(f => f.Reason[..7]).Order(StringComparer.Ordinal));
        Assert.All(report.Faults, f => Assert.Equal(1, f.Rows));
    }

    [Fact]
    public void Contradictions_between_rows_are_counted_by_reason()
    {
        using var file = new TempFile(".jsonl", """
            {"prompt":"circle","chosen":"a","rejected":"b"}
            {"prompt":"circle","chosen":"b","rejected":"c"}
            {"prompt":"circle","chosen":"c","rejected":"a"}
            {"prompt":"circle","chosen":"a","rejected":"d"}
            {"prompt":"both","chosen":"a","rejected":"b"}
            {"prompt":"both","chosen":"b","rejected":"a"}
            {"prompt":"twice","chosen":"a","rejected":"b"}
            {"prompt":"twice","chosen":"a","rejected":"b"}
            {"prompt":"fine","chosen":"a","rejected":"b"}
            {"prompt":"fine","chosen":"b","rejected":"c"}
            """);
        var report = Assert.Single(DataInspector.Inspect(new InspectOptions { Data = [file.Path] }).Files);
        Assert.Equal(
            ["in a circle of preferences (A over B, B over C, C over A) 3 @1", "preferred both ways: another row of the same prompt says the opposite 2 @5", "the same pair again 1 @8"],
            report.Contradictions.Select(c => string.Create(CultureInfo.InvariantCulture, $"{c.Reason} {c.Rows} @{c.First.Line}")));
        Assert.Equal(10, report.Preferences!.Pairs);
        Assert.Equal(4, report.Preferences.Prompts);
    }

    [Fact]
    public void Labels_and_scores_that_contradict_each_other_are_counted()
    {
        var check = new PreferenceCheck();
        Conversation Said(string text) => new([new("user", "q"), new("assistant", text)]);
        var at = new RowOrigin("f", 1);
        check.Add(new LabelledRow(Said("a"), true, at));
        check.Add(new LabelledRow(Said("a"), false, at));
        check.Add(new LabelledRow(Said("b"), false, at));
        check.Add(new ScoredRow(Said("a"), 1, at));
        check.Add(new ScoredRow(Said("a"), 2, at));
        Assert.Equal([1, 1], check.Findings().Select(f => f.Rows));
    }

    [Fact]
    public void Prompts_that_fill_the_window_are_counted()
    {
        using var file = new TempFile(".jsonl", $$"""
            {"prompt":"{{new string('q', 50)}}","chosen":"a","rejected":"b"}
            {"prompt":"q","chosen":"a","rejected":"b"}
            """);
        var report = DataInspector.Inspect(new InspectOptions { Data = [file.Path], Window = 50 }, new CharEncoder()).Files[0];
        Assert.Equal(1, Assert.Single(report.Contradictions).Rows);
        var tally = new RowTally { Read = 2 };
        Assert.Single(TrainingRows.OfPreferences(DataReader.ReadPreferences(file.Path), FakeTemplate.Render, 50, OverlongRows.Truncate, tally));
        Assert.Equal("a prompt that fills the window", Assert.Single(tally.Masked).Key);
    }
}
