using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Attune.App.Tests;

/// <summary>An OpenAI-compatible endpoint on this machine that prefers the longer of two answers, wherever it stands.</summary>
internal sealed class LoopbackJudge : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Task _loop;
    private int _asked;

    public LoopbackJudge()
    {
        // A free port is found by asking for one and letting it go.
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            Address = FormattableString.Invariant($"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/v1");
        }
        _listener.Prefixes.Add(Address[..^2]);
        _listener.Start();
        _loop = Task.Run(AnswerAsync);
    }

    /// <summary>What <c>--endpoint</c> takes.</summary>
    public string Address { get; }

    /// <summary>Questions so far.</summary>
    public int Asked => _asked;

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _loop;
    }

    private async Task AnswerAsync()
    {
        while (true)
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
            Interlocked.Increment(ref _asked);
            var question = (string)(await JsonNode.ParseAsync(context.Request.InputStream))!["messages"]![1]!["content"]!;
            var (a, b) = (Length(question, "answer_a"), Length(question, "answer_b"));
            var said = new JsonObject
            {
                ["model"] = "longest",
                ["choices"] = new JsonArray(new JsonObject
                {
                    ["message"] = new JsonObject { ["role"] = "assistant", ["content"] = a == b ? "[[tie]]" : a > b ? "[[A]]" : "[[B]]" },
                    ["finish_reason"] = "stop",
                }),
            };
            await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(said.ToJsonString()));
            context.Response.Close();
        }
    }

    private static int Length(string question, string tag) =>
        question.IndexOf($"</{tag}>", StringComparison.Ordinal) - question.IndexOf($"<{tag}>", StringComparison.Ordinal);
}
