using System.Text;
using System.Text.Json.Nodes;
using Attune.Testing;
using Xunit;

namespace Attune.Prompts.Tests;

public sealed class SandboxTests
{
    private static readonly TemplateSettings Tight = new() { Limits = new() { MaxSteps = 200_000, MaxOutput = 100_000, MaxAllocation = 1_000_000 }, Now = Reference.Clock };

    [Theory]
    [InlineData("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}")]
    [InlineData("{% for a in range(9999) %}xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx{% endfor %}")]
    [InlineData("{{ 'x' * 999999999 }}")]
    [InlineData("{{ [0] * 999999999 }}")]
    [InlineData("{{ 9 ** (9 ** 9) }}")]
    [InlineData("{{ 'x'.center(999999999) }}")]
    [InlineData("{{ '%999999999d' % 1 }}")]
    [InlineData("{{ '{:999999999}'.format(1) }}")]
    [InlineData("{% set ns = namespace(x='x') %}{% for a in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}")]
    [InlineData("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}")]
    [InlineData("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}")]
    [InlineData("{% set ns = namespace(x=[]) %}{% for a in range(99999) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}")]
    public void What_would_run_away_is_stopped_with_line_and_column(string template)
    {
        var error = Assert.Throws<TemplateException>(() => ChatTemplate.Parse("\n " + template).RenderVariables([], Tight));
        Assert.Equal("ATT1007", error.Code);
        Assert.Equal(2, error.Line);
        Assert.True(error.Column > 1);
    }

    [Fact]
    public void Deep_nesting_in_the_source_is_refused_not_overrun()
    {
        foreach (var (open, close) in new[] { ("(", ")"), ("[", "]"), ("{1:", "}"), ("not ", ""), ("-", "") })
        {
            var source = "{{ " + string.Concat(Enumerable.Repeat(open, 20_000)) + "1" + string.Concat(Enumerable.Repeat(close, 20_000)) + " }}";
            Assert.Equal("ATT1007", Assert.Throws<TemplateException>(() => ChatTemplate.Parse(source)).Code);
        }
        Assert.Equal("ATT1007", Assert.Throws<TemplateException>(() => ChatTemplate.Parse(string.Concat(Enumerable.Repeat("{% if 1 %}", 20_000)))).Code);
        Assert.Equal("ATT1007", Assert.Throws<TemplateException>(() => ChatTemplate.Parse("{{ a" + string.Concat(Enumerable.Repeat(".a", 20_000)) + " }}")).Code);
    }

    [Fact]
    public void Nothing_of_dotnet_is_in_reach()
    {
        foreach (var expression in new[] { "messages.Items", "messages.Length", "''.GetType()", "''.Length", "(1).GetType", "{}.Count", "namespace.Call", "raise_exception.Method" })
        {
            var defined = ChatTemplate.Parse("{{ (" + expression.Replace("()", "", StringComparison.Ordinal) + ") is defined }}").Render(new Conversation([new("user", "x")]), Tight).Text;
            Assert.Equal("False", defined);
        }
    }

    [Fact]
    public void Text_that_is_not_UTF16_is_refused_with_its_place()
    {
        var template = ChatTemplate.Parse("{{ messages }}");
        var error = Assert.Throws<TemplateException>(() => template.Render(new Conversation([new("user", "ok"), new("user", "a\ud800b")]), Tight));
        Assert.Equal(("ATT1010", "messages[1].content", TemplatePhase.Input), (error.Code, error.Field, error.Phase));
        var tool = new Message("user", "a") { Fields = new() { ["x"] = new JsonArray("\udc00") } };
        Assert.Equal("messages[0].x[0]", Assert.Throws<TemplateException>(() => template.Render(new Conversation([tool]), Tight)).Field);
        Assert.Equal("ATT1001", Assert.Throws<TemplateException>(() => ChatTemplate.Parse("a\ud800")).Code);
    }

    [Fact]
    public void A_conversation_beyond_the_limit_is_refused()
    {
        var huge = new Conversation([.. Enumerable.Range(0, 1000).Select(_ => new Message("user", new string('x', 1000)))]);
        Assert.Equal("ATT1007", Assert.Throws<TemplateException>(() => ChatTemplate.Parse("{% for m in messages %}{{ m.content }}{% endfor %}").Render(huge, Tight)).Code);
    }

    [Fact]
    public void Renders_from_many_threads_do_not_meet()
    {
        var template = ChatTemplate.Parse("{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{{ m.content }}{{ ns.n }}{% endfor %}");
        Parallel.For(0, 2000, i =>
        {
            var text = i.ToString(System.Globalization.CultureInfo.InvariantCulture);
            Assert.Equal($"{text}1{text}2", template.Render(new Conversation([new("user", text), new("user", text)])).Text);
        });
    }

    [Fact]
    public void Mutated_templates_and_inputs_give_a_result_or_a_typed_error()
    {
        var seeds = new List<string> { BuiltInTemplates.ChatMl, BuiltInTemplates.Llama2, BuiltInTemplates.Mistral };
        if (SharedData.Root is not null)
            seeds.AddRange(SharedData.Files("*.jinja", "templates", "jinja").Select(File.ReadAllText));
        var (rendered, count) = (0, 3000);
        for (var i = 0; i < count; i++)
            rendered += TemplateFuzz.Run(seeds, seed: 7, i, Tight) is null ? 1 : 0;
        // Both ends are reached: neither does every case break, nor does every one get through.
        Assert.InRange(rendered, count / 20, count * 19 / 20);
    }
}
