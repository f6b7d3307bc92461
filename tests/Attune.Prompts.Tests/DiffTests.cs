using Xunit;

namespace Attune.Prompts.Tests;

public sealed class DiffTests
{
    private static readonly ToyEncoder Encoder = ToyEncoder.Everything;

    private static PromptContract From(string template) => PromptContract.FromFiles("""{"eos_token": "<|endoftext|>"}""", template, Encoder);

    [Fact]
    public void Other_bytes_that_render_the_same_are_no_difference()
    {
        var a = From("{% for m in messages %}{{ m.role }}: {{ m.content }}<|im_end|>{% endfor %}");
        var b = From("{%- for message in messages -%}{{ message['role'] ~ ': ' ~ message['content'] ~ '<|im_end|>' }}{%- endfor -%}");
        Assert.NotEqual(a.Hash, b.Hash);
        Assert.True(ContractDiff.Of(a, b, Encoder, Encoder).IsEmpty);
        Assert.Empty(ContractGate.Broken(a, b, Encoder));
    }

    [Fact]
    public void A_difference_says_which_conversation_where_and_which_tokens()
    {
        var a = From("{% for m in messages %}{{ m.role }}: {{ m.content }}<|im_end|>{% endfor %}");
        var b = From("{% for m in messages %}{{ m.role }}: {{ m.content }}<|eot_id|>{% endfor %}");
        var diff = ContractDiff.Of(a, b, Encoder, Encoder);
        Assert.Contains(diff.Fields, f => f.Field == "stop ids");
        var change = diff.Renders.First(r => r.Name == "user");
        Assert.Equal("user: What is 2+2?<|".Length, change.At);
        Assert.Equal([Encoder.AddedTokens["<|im_end|>"]], change.BeforeIds);
        Assert.Equal([Encoder.AddedTokens["<|eot_id|>"]], change.AfterIds);
    }

    [Fact]
    public void A_changed_mask_is_a_difference()
    {
        var a = From("{% for m in messages %}{% generation %}{{ m.content }}<|im_end|>{% endgeneration %}{% endfor %}");
        var b = From("{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}<|im_end|>{% endfor %}");
        Assert.All(ContractDiff.Of(a, b, Encoder, Encoder).Renders, r => Assert.True(r.MaskChanges));
        Assert.NotEmpty(ContractDiff.Of(a, b).Renders);
    }

    [Fact]
    public void A_child_may_learn_more_but_not_speak_otherwise()
    {
        var parent = From("{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}{{ m.role }}: {{ m.content }}<|im_end|>{% endfor %}");
        var wider = From("{% for m in messages %}{{ m.role }}: {{ m.content }}<|im_end|>{% endfor %}");
        var other = From("{% for m in messages %}{{ m.role }}> {{ m.content }}<|im_end|>{% endfor %}");
        Assert.Empty(ContractGate.Broken(parent, wider, Encoder));
        Assert.NotEmpty(ContractGate.Broken(wider, parent, Encoder));
        Assert.Equal("ATT1106", Assert.Throws<PromptException>(() => ContractGate.Require(parent, other)).Code);
        ContractGate.Require(parent, other, allowChange: true);
        var error = Assert.Throws<PromptException>(() => ContractGate.RequireSame(parent, other));
        Assert.Equal("ATT1107", error.Code);
        Assert.Contains("conversation", error.Message, StringComparison.Ordinal);
        ContractGate.RequireSame(parent, other, allowMismatch: true);
    }
}
