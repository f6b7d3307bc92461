using Attune.Core.Versions;
using Attune.Prompts;
using Attune.Torch.Stages;
using Xunit;

namespace Attune.Torch.Tests.Stages;

/// <summary>A child keeps the prompt contract that trained its parent, or says that it does not.</summary>
public sealed class ContractStageTests : IDisposable
{
    private readonly TinyRuns _runs = new();

    [Fact]
    public void AnotherFormatIsRefusedUnlessItIsMeantAndLineageSaysSo()
    {
        var instruct = Sft.Run(TinyRuns.Tuning(_runs.Talks), _runs.Context("instruct", _runs.Base()));
        Assert.Null(instruct.Draft.Lineage.Facts["contract_change"]);
        var again = TinyRuns.Tuning(_runs.Talks) with { Contract = "llama3" };
        var refused = Assert.Throws<PromptException>(() => Sft.Run(again, _runs.Context("sft-refused", instruct)));
        Assert.Equal("ATT1106", refused.Code);
        Assert.Contains("stop ids", refused.Message, StringComparison.Ordinal);
        var pairs = TinyRuns.Preferring(_runs.Pairs) with { Contract = "llama3" };
        Assert.Equal("ATT1106", Assert.Throws<PromptException>(() => Dpo.Run(pairs, _runs.Context("dpo-refused", instruct))).Code);

        foreach (var child in new[] { Sft.Run(again with { ContractChange = true }, _runs.Context("sft-meant", instruct)), Dpo.Run(pairs with { ContractChange = true }, _runs.Context("dpo-meant", instruct)) })
        {
            var lineage = child.Draft.Lineage;
            Assert.True((bool)lineage.Options["contract_change"]!);
            Assert.NotEmpty(lineage.Facts["contract_change"]!.AsArray());
            Assert.Equal("llama3", PromptContract.FromJson(File.ReadAllText(child.Draft.Files.Require(ModelFiles.PromptContract))).Name);
        }
    }

    [Fact]
    public void TheSameFormatByNameIsNoChange()
    {
        var instruct = Sft.Run(TinyRuns.Tuning(_runs.Talks), _runs.Context("instruct", _runs.Base()));
        var chat = Dpo.Run(TinyRuns.Preferring(_runs.Pairs) with { Contract = "chatml", ContractChange = true }, _runs.Context("chat", instruct));
        Assert.Null(chat.Draft.Lineage.Facts["contract_change"]);
        Assert.Equal(instruct.Draft.Lineage.Contract, chat.Draft.Lineage.Contract);
    }

    public void Dispose() => _runs.Dispose();
}
