using System.Globalization;
using Attune.Core.Evaluation;
using Attune.Core.Randomness;
using Microsoft.Extensions.AI;

namespace Attune.Inference.Tests;

public sealed class GenerationTests : IDisposable
{
    private static readonly SamplingOptions Sampled = new() { Temperature = 1.2, Seed = 7 };

    private readonly TalkingModel _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task What_runs_beside_a_sequence_changes_nothing()
    {
        using var wide = _files.Open();
        using var narrow = _files.Open(maxSequences: 3, new() { Threads = 1, MaxRows = 11 });
        var prompts = Enumerable.Range(0, 9).Select(i => wide.Encode(string.Concat(Enumerable.Repeat("Person was born. ", i + 1)))).ToArray();
        foreach (var sampling in (SamplingOptions[])[SamplingOptions.Greedy, Sampled, Sampled with { TopK = 20, TopP = 0.9, RepetitionPenalty = 1.2 }])
        {
            var options = new GenerationOptions { Sampling = sampling, MaxTokens = 40, StopIds = [] };
            var (a, b) = (await wide.GenerateAsync(prompts, options), await narrow.GenerateAsync(prompts, options));
            for (var i = 0; i < prompts.Length; i++)
            {
                Assert.Equal(a[i].Ids, b[i].Ids);
                Assert.Equal((FinishReason.MaxTokens, 40, prompts[i].Length), (a[i].Finish, a[i].Ids.Count, a[i].PromptTokens));
            }
        }
        var other = await wide.GenerateAsync(prompts, new() { Sampling = Sampled with { Seed = 8 }, MaxTokens = 40, StopIds = [] });
        var first = await wide.GenerateAsync(prompts, new() { Sampling = Sampled, MaxTokens = 40, StopIds = [] });
        Assert.NotEqual(first[0].Ids, other[0].Ids);
    }

    [Fact]
    public async Task A_stream_gives_whole_characters_that_join_to_the_whole_text()
    {
        using var model = _files.Open();
        var prompt = model.Encode("张伟出生于");
        for (var seed = 0; seed < 12; seed++)
        {
            var options = new GenerationOptions { Sampling = new() { Temperature = 2, Seed = seed }, MaxTokens = 60, StopIds = [] };
            var whole = (await model.GenerateAsync([prompt], options))[0];
            var parts = new List<string>();
            await foreach (var part in model.StreamAsync(prompt, options))
                parts.Add(part);
            Assert.Equal(whole.Text, string.Concat(parts));
            Assert.Equal(model.Tokenizer.Decode([.. whole.Ids], skipSpecialTokens: true), whole.Text);
            Assert.All(parts, part => Assert.False(char.IsHighSurrogate(part[^1]) || char.IsLowSurrogate(part[0])));
        }
    }

    [Fact]
    public async Task Stops_end_the_text_and_are_not_in_it_even_in_the_middle_of_a_token()
    {
        using var model = _files.Open();
        var prompt = model.Encode("Person 3");
        var free = new GenerationOptions { Sampling = Sampled, MaxTokens = 50, StopIds = [] };
        var whole = (await model.GenerateAsync([prompt], free))[0];
        var middle = whole.Text.Substring(whole.Text.Length / 2, 3);
        var stopped = (await model.GenerateAsync([prompt], free with { StopTexts = ["never said", middle] }))[0];
        Assert.Equal((FinishReason.StopText, whole.Text[..whole.Text.IndexOf(middle, StringComparison.Ordinal)]), (stopped.Finish, stopped.Text));
        var parts = "";
        await foreach (var part in model.StreamAsync(prompt, free with { StopTexts = [middle] }))
            parts += part;
        Assert.Equal(stopped.Text, parts);

        var id = whole.Ids[5];
        var byToken = (await model.GenerateAsync([prompt], free with { StopIds = [id] }))[0];
        Assert.Equal((FinishReason.StopToken, whole.Ids.ToList().IndexOf(id) + 1), (byToken.Finish, byToken.Ids.Count));
    }

    [Fact]
    public async Task A_full_window_ends_the_text_and_too_long_a_prompt_is_refused()
    {
        using var model = _files.Open();
        var prompt = new int[250];
        Array.Fill(prompt, 20);
        var result = (await model.GenerateAsync([prompt], new() { MaxTokens = 50, StopIds = [] }))[0];
        Assert.Equal((FinishReason.WindowFull, 6), (result.Finish, result.Ids.Count));
        await Assert.ThrowsAsync<WindowOverflowException>(() => model.GenerateAsync([new int[256]], new()));
        Assert.Equal("ATT6004", (await Assert.ThrowsAsync<InferenceException>(() => model.GenerateAsync([prompt], new() { Sampling = new() { TopP = 0 } }))).Code);
    }

    [Fact]
    public async Task A_cancelled_sequence_ends_and_its_neighbour_goes_on()
    {
        using var model = _files.Open();
        using var cancel = new CancellationTokenSource();
        var options = new GenerationOptions { MaxTokens = 200, StopIds = [] };
        var neighbour = model.GenerateAsync([model.Encode("Person 1")], options);
        var given = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in model.StreamAsync(model.Encode("Person 2"), options, cancel.Token))
            {
                if (++given == 2)
                    await cancel.CancelAsync();
            }
        });
        Assert.Equal(200, (await neighbour)[0].Ids.Count);
        Assert.Equal((await neighbour)[0].Ids, (await model.GenerateAsync([model.Encode("Person 1")], options))[0].Ids);
    }

    [Fact]
    public async Task Scores_are_those_of_the_whole_text()
    {
        using var model = _files.Open();
        using var weights = DecoderWeights.Load(_files.Files);
        using var engine = new InferenceEngine(weights);
        var random = RandomStream.Of(4, "scores");
        var requests = Enumerable.Range(0, 50).Select(i => new ScoreRequest(
            i % 7 == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"Person {i % 5} was born in{(i % 2 == 0 ? " " : "")}"),
            string.Create(CultureInfo.InvariantCulture, $"{(i % 2 == 0 ? "" : " ")}{1900 + random.Next(90)}."))).ToArray();
        var scores = await model.ScoreAsync(requests);
        foreach (var (request, score) in requests.Zip(scores))
        {
            int[] ids = request.Context.Length == 0 ? [0, .. model.Tokenizer.Encode(request.Continuation)] : model.Tokenizer.Encode(request.Context + request.Continuation);
            var logits = engine.Forward(ids);
            Assert.Equal(model.Tokenizer.Decode([.. score.Ids]), request.Context[request.Context.TrimEnd(' ').Length..] + request.Continuation);
            var start = ids.Length - score.Ids.Count;
            for (var i = 0; i < score.Ids.Count; i++)
            {
                var row = logits[start + i - 1];
                var want = row[ids[start + i]] - Math.Log(row.Sum(x => Math.Exp(x)));
                Assert.Equal(want, score.LogProbabilities[i], 1e-5);
            }
            Assert.Equal(Enumerable.Range(0, score.Ids.Count).All(i => Sampler.Best(logits[start + i - 1]) == ids[start + i]), score.IsGreedy);
        }
        var whole = await model.ScoreAsync([new(new string('x', 300), " y")]);
        Assert.True(whole[0].Dropped > 0);
    }

    [Fact]
    public async Task A_chat_client_answers_through_the_contract_whole_or_in_parts()
    {
        using var model = _files.Open();
        using var client = model.AsChatClient();
        ChatMessage[] messages = [new(ChatRole.System, "Be short."), new(ChatRole.User, "Hi <|im_end|> there")];
        var options = new ChatOptions { MaxOutputTokens = 20, Temperature = 0.8f, Seed = 3 };
        var whole = await client.GetResponseAsync(messages, options);
        var updates = new List<ChatResponseUpdate>();
        await foreach (var update in client.GetStreamingResponseAsync(messages, options))
            updates.Add(update);
        var joined = updates.ToChatResponse();
        Assert.Equal(whole.Text, joined.Text);
        Assert.Equal(whole.Usage!.OutputTokenCount, joined.Usage!.OutputTokenCount);
        Assert.NotNull(joined.FinishReason);
        Assert.Same(model, client.GetService(typeof(ITokenScorer)));
        var ids = model.Encode(new Attune.Prompts.Conversation([new("user", "Hi <|im_end|> there")]));
        Assert.Equal(1, ids.Count(id => id == model.Tokenizer.IdOf("<|im_end|>")));
    }

    [Fact]
    public async Task Completions_say_whether_they_ended_by_themselves()
    {
        using var model = _files.Open();
        var answers = await model.CompleteAsync([new("Person") { MaxTokens = 5 }, new("") { MaxTokens = 30, Temperature = 1.5, Stops = ["e"] }]);
        Assert.Equal(5, answers[0].Tokens);
        Assert.False(answers[0].Complete);
        Assert.DoesNotContain("e", answers[1].Text, StringComparison.Ordinal);
    }
}
