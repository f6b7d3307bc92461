using Attune.Prompts;

namespace Attune.Inference.Tests;

public sealed class ChatSessionTests : IDisposable
{
    private static readonly GenerationOptions Short = new() { MaxTokens = 12, Sampling = new() { Temperature = 1, Seed = 5 } };

    private readonly TalkingModel _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task A_turn_reuses_what_was_read_and_answers_as_if_it_had_not()
    {
        using var model = _files.Open();
        using var session = new ChatSession(model, "Be kind.", Short);
        for (var turn = 0; turn < 4; turn++)
        {
            var before = session.History.ToList();
            var answer = await Say(session, $"Question {turn}");
            var fresh = (await model.ChatAsync([new Conversation([new("system", "Be kind."), .. before, new("user", $"Question {turn}")])], Short))[0];
            Assert.Equal(fresh.Text, answer);
            Assert.Equal(fresh.PromptTokens, session.LastTurn.Prompt);
            Assert.True(turn == 0 || session.LastTurn.Reused > 10, $"turn {turn}: {session.LastTurn}");
        }
        Assert.Equal(8, session.History.Count);
        Assert.True(session.Undo());
        Assert.Equal(6, session.History.Count);
        session.Clear();
        Assert.False(session.Undo());
    }

    [Fact]
    public async Task A_full_window_is_an_error_or_drops_the_oldest_turn_as_asked()
    {
        using var model = _files.Open();
        using var session = new ChatSession(model, "Be kind.", Short);
        var error = await Assert.ThrowsAsync<WindowOverflowException>(async () =>
        {
            for (var turn = 0; turn < 30; turn++)
                await Say(session, $"A question of some length, number {turn}");
        });
        Assert.NotNull(error.Hint);
        var kept = session.History.Count;
        session.Overflow = OverflowPolicy.DropOldest;
        await Say(session, "A question of some length, one more");
        Assert.True(session.Dropped is > 0 and var dropped && dropped % 2 == 0);
        Assert.Equal(kept + 2 - session.Dropped, session.History.Count);
        Assert.Equal("user", session.History[0].Role);
        await Assert.ThrowsAsync<WindowOverflowException>(() => Say(session, new string('x', 600)));
    }

    [Fact]
    public async Task A_turn_that_is_broken_off_leaves_the_history_as_it_was()
    {
        using var model = _files.Open();
        using var session = new ChatSession(model, null, Short with { MaxTokens = 60, StopIds = [] });
        await Say(session, "One");
        await foreach (var _ in session.SendAsync("Two"))
            break;
        Assert.Equal(2, session.History.Count);
        var again = await Say(session, "Two");
        using var other = new ChatSession(model, null, session.Options);
        await Say(other, "One");
        Assert.Equal(await Say(other, "Two"), again);
    }

    private static async Task<string> Say(ChatSession session, string text)
    {
        var answer = "";
        await foreach (var part in session.SendAsync(text))
            answer += part;
        return answer;
    }
}
