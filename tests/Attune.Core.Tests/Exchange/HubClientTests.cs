using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Attune.Core.Exchange;
using Attune.Core.Exchange.Hub;
using Attune.Core.Tests.Checkpoints;
using Xunit;

namespace Attune.Core.Tests.Exchange;

/// <summary>Downloads from a hub that this test serves on the loopback address, with the faults that networks have.</summary>
public sealed class HubClientTests : IDisposable
{
    private const string Commit = "0123456789abcdef0123456789abcdef01234567";

    private readonly Scratch _scratch = new();
    private readonly Hub _hub = new();
    private readonly HttpClient _http = new();

    public void Dispose()
    {
        _http.Dispose();
        _hub.Dispose();
        _scratch.Dispose();
    }

    [Fact]
    public async Task Files_come_with_the_names_and_bytes_of_the_hub()
    {
        _hub.Files["config.json"] = "{}"u8.ToArray();
        _hub.Files["model.safetensors"] = Noise(300_000);
        _hub.Files["additional_chat_templates/rag.jinja"] = "{{ documents }}"u8.ToArray();
        _hub.Files["onnx/model.safetensors"] = Noise(10);
        _hub.Files["notes.pdf"] = Noise(10);
        var seen = new List<HubProgress>();
        var (path, origin) = await Fetch(progress: seen);
        Assert.Equal($"hf:owner/tiny@{Commit}", origin);
        Assert.Equal(_hub.Files["model.safetensors"], File.ReadAllBytes(Path.Combine(path, "model.safetensors")));
        Assert.True(File.Exists(Path.Combine(path, "additional_chat_templates", "rag.jinja")));
        Assert.False(Directory.Exists(Path.Combine(path, "onnx")));
        Assert.False(File.Exists(Path.Combine(path, "notes.pdf")));
        Assert.Equal(300_000, seen.Last(p => p.File == "model.safetensors").Done);
        // What is here is not asked for again.
        var before = _hub.Requests;
        await Fetch();
        Assert.Equal(before + 1, _hub.Requests);
    }

    [Fact]
    public async Task A_download_that_breaks_goes_on_where_it_stopped()
    {
        _hub.Files["model.safetensors"] = Noise(500_000);
        _hub.BreakAfter = 200_000;
        var (path, _) = await Fetch();
        Assert.Equal(_hub.Files["model.safetensors"], File.ReadAllBytes(Path.Combine(path, "model.safetensors")));
        Assert.Contains(_hub.Ranges, r => r > 0);
    }

    [Fact]
    public async Task Bytes_that_are_not_the_digest_s_are_thrown_away()
    {
        _hub.Files["model.safetensors"] = Noise(1000);
        _hub.Lie = "model.safetensors";
        Assert.Equal("ATT3405", (await Assert.ThrowsAsync<ExchangeException>(() => Fetch())).Code);
        Assert.Empty(Directory.EnumerateFiles(_scratch.Folder, "*", SearchOption.AllDirectories));
        _hub.Lie = null;
        await Fetch();
    }

    [Fact]
    public async Task The_token_goes_along_and_its_absence_is_explained()
    {
        _hub.Files["model.safetensors"] = Noise(10);
        _hub.Token = "hf_secret";
        var refused = await Assert.ThrowsAsync<ExchangeException>(() => Fetch());
        Assert.Equal("ATT3404", refused.Code);
        Assert.Contains("HF_TOKEN", refused.Hint, StringComparison.Ordinal);
        await Fetch(token: "hf_secret");
    }

    [Theory]
    [InlineData("../outside.json")]
    [InlineData("/etc/config.json")]
    public async Task Names_that_lead_out_of_the_folder_are_not_fetched(string evil)
    {
        _hub.Files["model.safetensors"] = Noise(10);
        _hub.Files[evil] = Noise(10);
        var hub = Client(null);
        var model = await hub.FindAsync(new("owner", "tiny"), "main", default);
        Assert.Equal("ATT3404", (await Assert.ThrowsAsync<ExchangeException>(() => hub.DownloadAsync(model, _scratch.Folder, _ => true, null, default))).Code);
    }

    [Fact]
    public async Task What_is_not_there_is_said_with_what_is()
    {
        _hub.Files["pytorch_model.bin"] = Noise(10);
        var pickles = await Assert.ThrowsAsync<ExchangeException>(() => Fetch());
        Assert.Contains("pickles", pickles.Hint, StringComparison.Ordinal);
        _hub.Files["tiny-q8.gguf"] = Noise(10);
        Assert.Contains("--file tiny-q8.gguf", (await Assert.ThrowsAsync<ExchangeException>(() => Fetch())).Hint, StringComparison.Ordinal);
        var (path, origin) = await Fetch(gguf: "tiny-q8.gguf");
        Assert.EndsWith("tiny-q8.gguf", path, StringComparison.Ordinal);
        Assert.EndsWith("/tiny-q8.gguf", origin, StringComparison.Ordinal);
        Assert.Equal("ATT3404", (await Assert.ThrowsAsync<ExchangeException>(() => Client(null).FindAsync(new("owner", "none"), "main", default))).Code);
        Assert.Equal("ATT3401", Assert.Throws<ExchangeException>(() => HubReference.Parse("hf:../..")).Code);
        _hub.Dispose();
        Assert.Equal("ATT3406", (await Assert.ThrowsAsync<ExchangeException>(() => Fetch())).Code);
    }

    private HubClient Client(string? token) => new(_http, _hub.Address, token) { Patience = TimeSpan.FromMilliseconds(1) };

    private async Task<(string Path, string Origin)> Fetch(string? token = null, string? gguf = null, List<HubProgress>? progress = null)
    {
        var hub = Client(token);
        var model = await hub.FindAsync(HubReference.Parse("hf:owner/tiny"), "main", default);
        return await HubImport.FetchAsync(hub, model, _scratch.Folder, gguf, progress is null ? null : new Listener(progress), default);
    }

    private static byte[] Noise(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)(i * 7 + i / 256))];

    private sealed class Listener(List<HubProgress> seen) : IProgress<HubProgress>
    {
        public void Report(HubProgress value) => seen.Add(value);
    }

    /// <summary>Just enough of the hub's protocol.</summary>
    private sealed class Hub : IDisposable
    {
        private readonly HttpListener _listener = new();

        public Hub()
        {
            using (var probe = new TcpListener(IPAddress.Loopback, 0))
            {
                probe.Start();
                Address = new($"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/");
            }
            _listener.Prefixes.Add(Address.ToString());
            _listener.Start();
            _ = Task.Run(ServeAsync);
        }

        public Uri Address { get; }

        public Dictionary<string, byte[]> Files { get; } = new(StringComparer.Ordinal);

        public List<long> Ranges { get; } = [];

        public int Requests { get; private set; }

        public int? BreakAfter { get; set; }

        public string? Lie { get; set; }

        public string? Token { get; set; }

        public void Dispose() => _listener.Close();

        private async Task ServeAsync()
        {
            while (_listener.IsListening)
            {
                HttpListenerContext context;
                try
                {
                    context = await _listener.GetContextAsync();
                }
                catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
                {
                    return;
                }
                Requests++;
                try
                {
                    Answer(context);
                }
                catch (Exception e) when (e is HttpListenerException or IOException or ObjectDisposedException)
                {
                    // The connection that was to break.
                }
            }
        }

        private void Answer(HttpListenerContext context)
        {
            var (request, response) = (context.Request, context.Response);
            var path = Uri.UnescapeDataString(request.Url!.AbsolutePath);
            if (Token is not null && request.Headers["Authorization"] != $"Bearer {Token}")
            {
                response.StatusCode = 401;
                response.Close();
            }
            else if (path == "/api/models/owner/tiny/revision/main")
            {
                response.Close(Encoding.UTF8.GetBytes(new JsonObject
                {
                    ["sha"] = Commit,
                    ["siblings"] = new JsonArray([.. Files.Select(f => (JsonNode)Entry(f.Key, f.Value))]),
                }.ToJsonString()), willBlock: true);
            }
            else if (path.StartsWith($"/owner/tiny/resolve/{Commit}/", StringComparison.Ordinal) && Files.TryGetValue(path[$"/owner/tiny/resolve/{Commit}/".Length..], out var bytes))
            {
                Send(request, response, bytes);
            }
            else
            {
                response.StatusCode = 404;
                response.Close();
            }
        }

        private void Send(HttpListenerRequest request, HttpListenerResponse response, byte[] bytes)
        {
            var from = request.Headers["Range"] is { } range ? long.Parse(range["bytes=".Length..^1]) : 0;
            Ranges.Add(from);
            response.StatusCode = from > 0 ? 206 : 200;
            response.ContentLength64 = bytes.Length - from;
            if (BreakAfter is { } many && from == 0)
            {
                BreakAfter = null;
                response.OutputStream.Write(bytes, 0, many);
                response.OutputStream.Flush();
                response.Abort();
                return;
            }
            response.OutputStream.Write(bytes, (int)from, bytes.Length - (int)from);
            response.Close();
        }

        private JsonObject Entry(string name, byte[] bytes)
        {
            var entry = new JsonObject { ["rfilename"] = name, ["size"] = bytes.Length };
            if (name.EndsWith(".safetensors", StringComparison.Ordinal) || name.EndsWith(".gguf", StringComparison.Ordinal))
                entry["lfs"] = new JsonObject { ["sha256"] = Convert.ToHexStringLower(SHA256.HashData(name == Lie ? [] : bytes)), ["size"] = bytes.Length };
            else
                entry["blobId"] = Convert.ToHexStringLower(SHA1.HashData([.. Encoding.ASCII.GetBytes($"blob {bytes.Length}\0"), .. bytes]));
            return entry;
        }
    }
}
