using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Attune.Core.Preferences;
using Attune.Core.Tests.Checkpoints;
using Microsoft.Extensions.AI;
using Xunit;

namespace Attune.Core.Tests.Preferences;

public class JudgeRankerTests
{
    private static readonly RankTask Task = Annotations.Task("q", "short", "a longer answer", "mid size");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>A judge that answers by what it reads in the question.</summary>
    private sealed class Judge(Func<string, string, string> say) : IChatClient
    {
        public List<string> Instructions { get; } = [];

        public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
        {
            var list = messages.ToList();
            lock (Instructions)
                Instructions.Add(list[0].Text);
            return System.Threading.Tasks.Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, say(Between(list[1].Text, "answer_a"), Between(list[1].Text, "answer_b")))));
        }

        public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }

        private static string Between(string text, string tag) => text[(text.IndexOf($"<{tag}>", StringComparison.Ordinal) + tag.Length + 2)..text.IndexOf($"</{tag}>", StringComparison.Ordinal)].Trim();
    }

    [Fact]
    public async Task A_steady_judge_orders_the_answers()
    {
        var judge = new Judge((a, b) => $"Not [[B]] by default. The longer one: [[{(a.Length > b.Length ? "A" : "B")}]]");
        var ranker = new JudgeRanker(judge, "fake", Constitution.Default);
        var ranked = await ranker.RankAsync(Task, Cancel);
        Assert.Equal([0, 2, 1], ranked.Scores);
        Assert.Equal(6, judge.Instructions.Count);
        Assert.All(judge.Instructions, i => Assert.Contains(Constitution.Default.Principles[^1], i));
        Assert.Equal(Constitution.Default.Digest(), (string)ranked.Details!["constitution"]!);
        Assert.Equal((3, 0, 0), ranker.Counts);
    }

    [Fact]
    public async Task A_judge_who_loves_the_first_place_decides_nothing()
    {
        var ranker = new JudgeRanker(new Judge((_, _) => "[[A]]"), "fake", Constitution.Default);
        var ranked = await ranker.RankAsync(Task, Cancel);
        Assert.Equal([1, 1, 1], ranked.Scores);
        Assert.Equal((3, 3, 0), ranker.Counts);
    }

    [Fact]
    public async Task Half_a_comparison_is_a_tie_and_none_at_all_an_error()
    {
        var half = new JudgeRanker(new Judge((a, _) => a.StartsWith('s') ? "[[tie]]" : a.StartsWith('m') ? "dunno" : "[[a]]"), "fake", Constitution.Default);
        var ranked = await half.RankAsync(Task, Cancel);
        Assert.Equal([1, 1, 1], ranked.Scores);
        var mute = new JudgeRanker(new Judge((_, _) => "Both have merits."), "fake", Constitution.Default);
        Assert.Equal("ATT2416", (await Assert.ThrowsAsync<PreferenceException>(() => mute.RankAsync(Task, Cancel))).Code);
    }

    [Fact]
    public void A_constitution_is_read_and_its_faults_are_named()
    {
        using var scratch = new Scratch();
        var read = Constitution.Read(scratch.Write("good.yaml", "name: ours\nprinciples:\n  - Be true.\n  - Be kind.\n"));
        Assert.Equal(["Be true.", "Be kind."], read.Principles);
        Assert.NotEqual(Constitution.Default.Digest(), read.Digest());
        Assert.Equal("ATT2415", Assert.Throws<PreferenceException>(() => Constitution.Read(scratch.Write("none.yaml", "name: ours\n"))).Code);
        Assert.Equal("ATT2415", Assert.Throws<PreferenceException>(() => Constitution.Read(scratch["missing.yaml"])).Code);
    }

    [Fact]
    public async Task An_endpoint_is_asked_in_OpenAIs_words_and_asked_again_when_busy()
    {
        await using var server = new Loopback(
            (429, "busy"),
            (200, """{"model":"m-1","choices":[{"message":{"role":"assistant","content":"[[B]]"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}"""));
        using var http = new HttpClient();
        using var client = new OpenAiChatClient(http, server.Address, "m", new Hurry());
        var response = await client.GetResponseAsync([new(ChatRole.System, "s"), new(ChatRole.User, "u")], new ChatOptions { Temperature = 0, MaxOutputTokens = 5 }, Cancel);
        Assert.Equal(("[[B]]", 9L, "m-1"), (response.Text, response.Usage!.TotalTokenCount, response.ModelId));
        Assert.Equal(2, server.Requests.Count);
        Assert.All(server.Requests, r => Assert.Equal("/v1/chat/completions", r.Path));
        Assert.True(JsonNode.DeepEquals(
            JsonNode.Parse("""{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"u"}],"temperature":0,"max_tokens":5}"""),
            JsonNode.Parse(server.Requests[1].Body)));
    }

    [Theory]
    [InlineData(401, "no key", 1)]
    [InlineData(200, "<html>", 1)]
    [InlineData(500, "down", 4)]
    public async Task What_an_endpoint_cannot_do_is_said(int status, string body, int asked)
    {
        await using var server = new Loopback([.. Enumerable.Repeat((status, body), 4)]);
        using var http = new HttpClient();
        using var client = new OpenAiChatClient(http, server.Address, "m", new Hurry());
        Assert.Equal("ATT2417", (await Assert.ThrowsAsync<PreferenceException>(() => client.GetResponseAsync([new(ChatRole.User, "u")], null, Cancel))).Code);
        Assert.Equal(asked, server.Requests.Count);
    }

    [Fact]
    public void An_address_must_be_one()
    {
        using var http = new HttpClient();
        Assert.Equal("ATT2417", Assert.Throws<PreferenceException>(() => new OpenAiChatClient(http, "localhost", "m")).Code);
    }

    /// <summary>A clock whose waits are over at once.</summary>
    private sealed class Hurry : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => System.CreateTimer(callback, state, TimeSpan.Zero, period);
    }

    /// <summary>A server on this machine that gives answers in turn.</summary>
    private sealed class Loopback : IAsyncDisposable
    {
        private readonly HttpListener _listener = new();
        private readonly Task _loop;

        public Loopback(params (int Status, string Body)[] answers)
        {
            // A free port is found by asking for one and letting it go.
            using (var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0))
            {
                probe.Start();
                Address = FormattableString.Invariant($"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/v1");
            }
            _listener.Prefixes.Add(Address[..^2]);
            _listener.Start();
            _loop = System.Threading.Tasks.Task.Run(async () =>
            {
                foreach (var (status, body) in answers)
                {
                    HttpListenerContext context;
                    try
                    {
                        context = await _listener.GetContextAsync();
                    }
                    catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
                    {
                        return;
                    }
                    using var reader = new StreamReader(context.Request.InputStream, Encoding.UTF8);
                    Requests.Add((context.Request.Url!.AbsolutePath, await reader.ReadToEndAsync()));
                    context.Response.StatusCode = status;
                    await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(body));
                    context.Response.Close();
                }
            });
        }

        public string Address { get; }

        public List<(string Path, string Body)> Requests { get; } = [];

        public async ValueTask DisposeAsync()
        {
            _listener.Close();
            await _loop;
        }
    }
}
