using Attune.Core.Data;
using Attune.Core.Tokens;
using Attune.Prompts;
using Attune.Testing;
using Xunit;

namespace Attune.Core.Tests.Data;

public class ContractRenderTests
{
    // Long runs of line feeds and spaces, so that "\n\n" and " a" become tokens that can merge across an edge.
    private static readonly Tokenizer Tokens = BpeTrainer.Train(
        Enumerable.Repeat("user\n\nassistant\n\n\nYes, it is.\n\n a b\n\n\n\nno  \n\n", 50), new BpeTrainerOptions { VocabularySize = 400 });

    private static readonly RowOrigin Here = new("f.jsonl", 1);

    private static ConversationRow Talk(params string[] turns) =>
        new(new Conversation([.. turns.Select((t, i) => new Message(i % 2 == 0 ? "user" : "assistant", t))]), Here);

    public static TheoryData<string> Formats => [.. BuiltInContracts.All.Keys];

    private static PromptContract? Contract(string name)
    {
        try
        {
            return BuiltInContracts.ByName(name, Tokens);
        }
        catch (PromptException)
        {
            // The tokenizer lacks what the format prints.
            return null;
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Training_sees_the_prompt_of_inference_whatever_the_completion_begins_with(string format)
    {
        if (Contract(format) is not { } contract)
        {
            Assert.NotEqual("chatml", format);
            return;
        }
        ConversationRow[] rows = [Talk("q", "Yes"), Talk("q", "\n\nYes"), Talk("q", "\nYes", "r", "\n\n\nno"), Talk("a\n", " a b"), Talk("q", "  \nno")];
        var report = Boundary.Check(rows, ContractRender.ForTraining(contract, Tokens), ContractRender.ForGeneration(contract, Tokens), Tokens);
        Assert.True(report.Different == 0, $"{format}: {report.Different} of {report.Rows}: {report.Difference}");
    }

    // Failure 1 (trl#2054), with a real tokenizer: the plain render of the same contract does merge.
    [Fact]
    public void The_merge_is_real_and_a_pair_survives_it()
    {
        var contract = BuiltInContracts.ChatMl(Tokens);
        var plain = contract.Render(Talk("q", "\nYes").Conversation, Tokens);
        var ours = ContractRender.ForTraining(contract, Tokens)(Talk("q", "\nYes").Conversation);
        Assert.NotEqual(plain.Ids, ours.Ids);
        Assert.Equal(Tokens.Decode(plain.Ids), Tokens.Decode(ours.Ids.ToArray()));
        Assert.Equal("\nYes<|im_end|>", Tokens.Decode([.. ours.Ids.Where((_, i) => ours.Trained[i])]));

        var pair = TokenRows.OfPreference(
            new PreferenceRow(new Conversation([new("user", "q")]), [new("assistant", "\nYes")], [new("assistant", "no")], Here), ContractRender.ForTraining(contract, Tokens));
        Assert.Equal("\nYes<|im_end|>", Tokens.Decode(pair.Chosen.Ids.AsSpan(pair.PromptLength, pair.Chosen.TrainedTokens)));
        Assert.Equal(contract.Render(new Conversation([new("user", "q")]), Tokens, addGenerationPrompt: true).Ids, pair.Chosen.Ids[..pair.PromptLength]);
    }

    [Fact]
    public void Where_nothing_merges_the_contract_is_left_alone()
    {
        var contract = BuiltInContracts.ChatMl(Tokens);
        var talk = Talk("q <|im_end|>", "Yes", "r", "no").Conversation;
        Assert.Equal(contract.Render(talk, Tokens).Ids, ContractRender.ForTraining(contract, Tokens)(talk).Ids);
        Assert.Equal(contract.Render(talk, Tokens).Trained, ContractRender.ForTraining(contract, Tokens)(talk).Trained);
    }
}

/// <summary>Published conversations and pairs through ChatML with a tokenizer of ours.</summary>
public class ContractDataVectors
{
    [Fact]
    public void Every_row_trains_its_end_of_turn_after_the_prompt_of_inference()
    {
        if (SharedData.MaySkip)
            Assert.Skip("no reference data");
        var files = new[] { "sft", "preference" }.SelectMany(f => SharedData.Files("*.json", "data", f)).ToList();
        Assert.NotEmpty(files);
        var tokens = BpeTrainer.Train(["Human text.\n\n1. One\n2. Two\n\n"], new BpeTrainerOptions { VocabularySize = 320 });
        var contract = BuiltInContracts.ChatMl(tokens);
        var render = ContractRender.ForTraining(contract, tokens);
        foreach (var file in files)
        {
            var tally = new RowTally();
            switch (DataReader.Read(file).First())
            {
                case PreferenceRow:
                    var pairs = TrainingRows.OfPreferences(DataReader.ReadPreferences(file, tally: tally).Take(100), render, 1 << 20, OverlongRows.Error, tally);
                    var report = Preflight.OfPairs(pairs, tally, tokens, contract.StopIds);
                    Assert.Equal((2 * pairs.Count, 2 * pairs.Count), (report.Turns, report.EndedTurns));
                    break;
                case ConversationRow:
                    // This ChatML has no place for tool calls, and says so.
                    var talks = DataReader.ReadConversations(file, tally: tally).Where(r => r.Conversation.Tools is null && r.Conversation.Messages.All(m => m.Fields is null)).Take(100).ToList();
                    Assert.Equal(0, Boundary.Check(talks, render, ContractRender.ForGeneration(contract, tokens), tokens).Different);
                    report = Preflight.OfConversations(TrainingRows.OfConversations(talks, render, 1 << 20, OverlongRows.Error, tally), tally, tokens, contract.StopIds);
                    Assert.Equal((talks.Sum(t => t.Conversation.Messages.Count(m => m.Role == "assistant")), report.Turns), (report.Turns, report.EndedTurns));
                    break;
            }
        }
    }
}
