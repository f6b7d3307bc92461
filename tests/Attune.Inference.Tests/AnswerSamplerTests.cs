using Attune.Core.Data;
using Attune.Prompts;

namespace Attune.Inference.Tests;

public class AnswerSamplerTests
{
    private static PromptRow Prompt(string text) => new(new Conversation([new("user", text)]), "right", new RowOrigin("test", 1));

    [Fact]
    public async Task Answers_of_a_prompt_do_not_depend_on_what_was_asked_before()
    {
        using var talking = new TalkingModel();
        using var model = talking.Open();
        AnswerSampler Source(long seed) => new([new("one", "sha256:1", model), new("two", null, model)], 3, new SamplingOptions { Temperature = 1, Seed = seed }, 8);
        var cancel = TestContext.Current.CancellationToken;

        var source = Source(1);
        await source.TaskAsync(Prompt("first"), cancel);
        var (late, early, other) = (await source.TaskAsync(Prompt("second"), cancel), await Source(1).TaskAsync(Prompt("second"), cancel), await Source(2).TaskAsync(Prompt("second"), cancel));
        Assert.Equal(early!.Answers, late!.Answers);
        Assert.Equal(early.Id, late.Id);
        Assert.NotEqual(other!.Id, late.Id);
        Assert.Equal(late.Answers.Count, late.Answers.Select(a => a.Text).Distinct().Count());
        Assert.All(late.Answers, a => Assert.Equal((8, 1.0), (a.Sampling!.MaxTokens, a.Sampling.Temperature)));
        Assert.Equal("right", late.Reference);
    }

    [Fact]
    public async Task A_prompt_that_fills_the_window_has_no_task()
    {
        using var talking = new TalkingModel(window: 32);
        using var model = talking.Open();
        var source = new AnswerSampler([new("one", null, model)], 2, new SamplingOptions { Temperature = 1 }, 4);
        Assert.Null(await source.TaskAsync(Prompt(new string('x', 200)), TestContext.Current.CancellationToken));
    }
}
