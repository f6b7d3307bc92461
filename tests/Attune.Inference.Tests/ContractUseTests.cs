using Attune.Core.Versions;
using Attune.Prompts;
using Xunit;

namespace Attune.Inference.Tests;

/// <summary>A version is spoken to by its own contract; another one must be meant.</summary>
public sealed class ContractUseTests : IDisposable
{
    private static readonly Conversation Talk = new([new("user", "Who was born?")]);

    private readonly TalkingModel _model = new();

    [Fact]
    public void AnotherContractIsRefusedUnlessItIsMeant()
    {
        var given = new LocalModelOptions { Contract = BuiltInContracts.Llama3 };
        var refused = Assert.Throws<PromptException>(() => LocalModel.Open(_model.Files, given));
        Assert.Equal("ATT1107", refused.Code);
        Assert.Contains("stop ids", refused.Message, StringComparison.Ordinal);
        Assert.Contains("--allow-contract-mismatch", refused.Hint, StringComparison.Ordinal);
        using var meant = LocalModel.Open(_model.Files, given with { AllowContractMismatch = true });
        Assert.Equal("llama3", meant.Contract.Name);
        Assert.Equal(meant.Contract.Render(Talk, meant.Tokenizer, addGenerationPrompt: true).Ids, meant.Encode(Talk));
        using var own = _model.Open();
        Assert.NotEqual(own.Encode(Talk), meant.Encode(Talk));
    }

    [Fact]
    public void TheSameContractByNameIsNoMismatch()
    {
        using var model = LocalModel.Open(_model.Files, new() { Contract = BuiltInContracts.ChatMl });
        Assert.Equal("chatml", model.Contract.Name);
    }

    [Fact]
    public void ATemplateFileThatSaysSomethingElseIsRefused()
    {
        using var own = _model.Open();
        var folder = Path.GetDirectoryName(_model.Files.Require(ModelFiles.Config))!;
        var template = Path.Combine(folder, ModelFiles.ChatTemplate);
        // Other bytes that say the same are no mismatch.
        File.WriteAllText(template, "{# written anew #}" + own.Contract.Template.Source);
        using (var same = LocalModel.Open(ModelFiles.OfFolder(folder)))
            Assert.Equal(own.Contract.Hash, same.Contract.Hash);
        File.WriteAllText(template, "{% for m in messages %}{{ m.content }}{% endfor %}");
        Assert.Equal("ATT1107", Assert.Throws<PromptException>(() => LocalModel.Open(ModelFiles.OfFolder(folder))).Code);
        using var meant = LocalModel.Open(ModelFiles.OfFolder(folder), new() { AllowContractMismatch = true });
        Assert.Equal(own.Contract.Hash, meant.Contract.Hash);
    }

    public void Dispose() => _model.Dispose();
}
