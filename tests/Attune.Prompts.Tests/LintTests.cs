using Xunit;

namespace Attune.Prompts.Tests;

public sealed class LintTests
{
    private const string Good = "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' %}{% generation %}{{ m.content }}<|im_end|>{% endgeneration %}{% else %}{{ m.content }}<|im_end|>{% endif %}\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

    private static string[] Codes(string template) => [.. TemplateLint.Check(ChatTemplate.Parse(template)).Select(f => f.Code).Distinct()];

    [Theory]
    [InlineData("ATT1201", "{{ bos_token }}" + Good)]
    [InlineData("ATT1202", "{{ bos_token }}{{ bos_token }}" + Good)]
    [InlineData("ATT1203", "{% for m in messages %}{{ m.content }}</s>{% endfor %}")]
    [InlineData("ATT1204", "{% for m in messages %}{{ m.role }}:{{ m.content }}|{% endfor %}{% if add_generation_prompt %}bot: {% endif %}")]
    [InlineData("ATT1205", "{% for m in messages %}{{ m.content if m.role == 'user' or loop.last else '' }}|{% endfor %}")]
    [InlineData("ATT1206", "{% for m in messages %}{{ m.content }}{% if m.tool_calls %}{{ m.tool_calls[0].function.name }}{% if loop.last %}!{% endif %}{% endif %}|{% endfor %}")]
    [InlineData("ATT1207", "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}")]
    [InlineData("ATT1208", "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}</s>{% endfor %}")]
    [InlineData("ATT1209", "{% for m in messages %}{{ m.content }}</s>{% endfor %}")]
    [InlineData("ATT1212", Good)]
    [InlineData("ATT1213", Good)]
    [InlineData("ATT1214", "{% for m in messages if m.role != 'tool' %}{{ m.content }}</s>{% endfor %}")]
    [InlineData("ATT1215", "{% for m in messages if m.role != 'system' %}{{ m.content }}</s>{% endfor %}")]
    [InlineData("ATT1216", Good)]
    [InlineData("ATT1217", Good)]
    [InlineData("ATT1218", "{% for m in messages if m.role in ['user', 'assistant'] %}{{ m.content }}</s>{% endfor %}")]
    [InlineData("ATT1219", Good)]
    [InlineData("ATT1220", Good)]
    [InlineData("ATT1221", "{{ strftime_now('%Y') }}" + Good)]
    [InlineData("ATT1222", "{% if tools is defined %}Tools:{% endif %}" + Good)]
    [InlineData("ATT1223", "{% set x = [] %}{% if false %}{{ x.append(1) }}{% endif %}" + Good)]
    [InlineData("ATT1224", "{% if false %}{{ messages | from_json }}{% endif %}" + Good)]
    [InlineData("ATT1225", "{% if false %}{{ 'a' + 'b' | safe }}{% endif %}" + Good)]
    [InlineData("ATT1226", Good)]
    public void A_template_that_does_it_is_found(string code, string template) => Assert.Contains(code, Codes(template));

    [Fact]
    public void A_sound_template_has_none_of_the_faults()
    {
        string[] expected = ["ATT1212", "ATT1213", "ATT1216", "ATT1217", "ATT1219", "ATT1220", "ATT1226"];
        Assert.Equal(expected, Codes(Good));
    }

    [Fact]
    public void A_finding_says_the_line_and_the_way_out()
    {
        var finding = Assert.Single(TemplateLint.Check(ChatTemplate.Parse("\n\n{% set x = [] %}{% if false %}{{ x.append(1) }}{% endif %}" + Good)), f => f.Code == "ATT1223");
        Assert.Equal(3, finding.Line);
        Assert.Contains(".append()", finding.Message, StringComparison.Ordinal);
        Assert.NotEmpty(finding.Fix);
    }

    [Fact]
    public void Stops_and_padding_are_checked_on_a_contract()
    {
        var encoder = ToyEncoder.Everything;
        var noStop = PromptContract.FromFiles("""{"eos_token": "<|endoftext|>"}""", "{% for m in messages %}{{ m.content }}###{% endfor %}", encoder);
        Assert.Contains(TemplateLint.Check(noStop), f => f.Code == "ATT1210");
        var padded = PromptContract.FromFiles("""{"eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}""", Good, encoder);
        Assert.Contains(TemplateLint.Check(padded), f => f.Code == "ATT1211");
    }

    public static TheoryData<string> Names => [.. BuiltInContracts.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Our_own_contracts_have_no_errors(string name)
    {
        var findings = TemplateLint.Check(BuiltInContracts.ByName(name, ToyEncoder.Everything));
        // Plain completion ends an answer with an empty line, which is no token: callers stop at it.
        Assert.DoesNotContain(findings, f => f.Severity == LintSeverity.Error && !(name == "completion" && f.Code is "ATT1207" or "ATT1210"));
    }

    [Fact]
    public void Every_rule_has_a_code_a_definition_and_a_fix()
    {
        Assert.Equal(LintRules.All.Count, LintRules.All.Select(r => r.Code).Distinct().Count());
        Assert.All(LintRules.All, r => Assert.True(r.Definition.Length > 20 && r.Fix.Length > 5));
    }
}
