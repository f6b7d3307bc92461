using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Attune.Core.Exchange.Hub;

/// <summary>How far a download is.</summary>
/// <param name="File">The file.</param>
/// <param name="Done">Bytes that are here.</param>
/// <param name="Size">Bytes that it has.</param>
public sealed record HubProgress(string File, long Done, long Size);

/// <summary>
/// Fetches models from a hub that speaks Hugging Face's protocol. Files lie in a cache under their commit; one that is
/// there is not fetched again, one that broke off goes on where it stopped, and every file is held against the digest
/// that the hub gives for it before it gets its name.
/// Source: huggingface_hub's file_download.py and hf_api.py.
/// </summary>
/// <param name="http">Sends the requests.</param>
/// <param name="endpoint">The hub.</param>
/// <param name="token">A token for private and gated models, or null. It goes to the hub and nowhere else.</param>
public sealed class HubClient(HttpClient http, Uri endpoint, string? token)
{
    private const int Attempts = 5;

    /// <summary>The hub that HF_ENDPOINT names, else Hugging Face's own.</summary>
    public static Uri DefaultEndpoint { get; } = new(Environment.GetEnvironmentVariable("HF_ENDPOINT") is { Length: > 0 } given ? given : "https://huggingface.co");

    /// <summary>How long to wait before a broken download goes on; doubled each time.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Asks for one state of a model.</summary>
    /// <exception cref="ExchangeException">ATT3404: there is none, or not for this token; ATT3406: the hub does not answer, or not as one.</exception>
    public async Task<HubModel> FindAsync(HubReference reference, string revision, CancellationToken cancel)
    {
        var address = new Uri(endpoint, $"/api/models/{reference.Owner}/{reference.Name}/revision/{Uri.EscapeDataString(revision)}?blobs=true");
        using var response = await SendAsync(address, from: 0, cancel);
        try
        {
            Refuse(response, $"{reference.Owner}/{reference.Name} at {revision}");
            using var json = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(cancel));
            var commit = json.RootElement.GetProperty("sha").GetString() ?? throw new JsonException("no commit");
            if (commit.Length != 40 || !commit.All(char.IsAsciiHexDigitLower))
                throw new JsonException($"'{commit}' is no commit");
            return new(reference.Owner, reference.Name, commit, [.. json.RootElement.GetProperty("siblings").EnumerateArray().Select(File)]);
        }
        catch (IOException e)
        {
            throw Failed(address, e);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new ExchangeException("ATT3406", $"The hub's answer is not a list of files: {e.Message}", e) { File = address.ToString() };
        }
    }

    /// <summary>Brings files of a model into the cache; returns the folder.</summary>
    /// <param name="model">The model.</param>
    /// <param name="cache">The cache's folder.</param>
    /// <param name="wanted">Which files.</param>
    /// <param name="progress">Hears of every block, or null.</param>
    /// <param name="cancel">Stops; what is here stays, and the next call goes on.</param>
    /// <exception cref="ExchangeException">ATT3404, ATT3406: the hub refuses or fails; ATT3405: what came is not what the hub's digest says.</exception>
    public async Task<string> DownloadAsync(HubModel model, string cache, Func<string, bool> wanted, IProgress<HubProgress>? progress, CancellationToken cancel)
    {
        var folder = Path.Combine(cache, $"{model.Owner}--{model.Name}", model.Commit);
        foreach (var file in model.Files.Where(f => wanted(f.Name)))
        {
            var path = Path.Combine(folder, CheckName(file.Name));
            if (System.IO.File.Exists(path))
                continue;
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await FetchAsync(model, file, path, progress, cancel);
        }
        return folder;
    }

    private static HubFile File(JsonElement item)
    {
        var large = item.TryGetProperty("lfs", out var lfs) && lfs.ValueKind == JsonValueKind.Object;
        return new(
            item.GetProperty("rfilename").GetString() ?? throw new JsonException("a file without a name"),
            item.TryGetProperty("size", out var size) && size.ValueKind == JsonValueKind.Number ? size.GetInt64() : 0,
            large && lfs.TryGetProperty("sha256", out var sha) ? sha.GetString() : null,
            !large && item.TryGetProperty("blobId", out var blob) ? blob.GetString() : null);
    }

    // A name comes from the hub: it must not lead out of the cache.
    private static string CheckName(string name) =>
        name.Length > 0 && !Path.IsPathRooted(name) && !name.Contains('\\', StringComparison.Ordinal) && !name.Contains(':', StringComparison.Ordinal) && name.Split('/').All(part => part is not ("" or "." or ".."))
            ? name
            : throw new ExchangeException("ATT3404", $"The hub names a file '{name}'.") { Field = name, Hint = "Such a name leads out of the model's folder; it is not fetched." };

    private async Task FetchAsync(HubModel model, HubFile file, string path, IProgress<HubProgress>? progress, CancellationToken cancel)
    {
        var part = path + ".part";
        var address = new Uri(endpoint, $"/{model.Owner}/{model.Name}/resolve/{model.Commit}/{string.Join('/', file.Name.Split('/').Select(Uri.EscapeDataString))}");
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await AppendAsync(address, file, part, progress, cancel);
                break;
            }
            catch (Exception e) when (e is IOException or HttpRequestException or TaskCanceledException && !cancel.IsCancellationRequested)
            {
                if (attempt == Attempts)
                    throw Failed(address, e);
                await Task.Delay(Patience * Math.Pow(2, attempt - 1), cancel);
            }
        }
        if (!HubDigests.Fits(part, file))
        {
            System.IO.File.Delete(part);
            throw new ExchangeException("ATT3405", "What came is not what the hub's digest says.") { File = address.ToString(), Field = file.Name, Hint = "Import it again; what had come is thrown away." };
        }
        System.IO.File.Move(part, path, overwrite: true);
    }

    private async Task AppendAsync(Uri address, HubFile file, string part, IProgress<HubProgress>? progress, CancellationToken cancel)
    {
        var have = new FileInfo(part) is { Exists: true, Length: var length } ? length : 0;
        if (have > 0 && have >= file.Size)
            return;
        using var response = await SendAsync(address, have, cancel);
        Refuse(response, file.Name);
        // A server that does not know ranges sends the whole file anew.
        var goesOn = have > 0 && response.StatusCode == HttpStatusCode.PartialContent;
        await using var output = new FileStream(part, goesOn ? FileMode.Append : FileMode.Create, FileAccess.Write, FileShare.Read);
        await using var input = await response.Content.ReadAsStreamAsync(cancel);
        var buffer = new byte[1 << 17];
        var done = goesOn ? have : 0;
        while (await input.ReadAsync(buffer, cancel) is var read and > 0)
        {
            // Never more than was announced: a hub cannot fill the disk.
            if (file.Size > 0 && done + read > file.Size)
                throw new ExchangeException("ATT3405", $"The hub sends more than the {file.Size} bytes that it announced.") { File = address.ToString(), Field = file.Name };
            await output.WriteAsync(buffer.AsMemory(0, read), cancel);
            progress?.Report(new(file.Name, done += read, file.Size));
        }
        if (done < file.Size)
            throw new IOException(FormattableString.Invariant($"The connection ended after {done} of {file.Size} bytes."));
    }

    private async Task<HttpResponseMessage> SendAsync(Uri address, long from, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (token is { Length: > 0 } && (address.Scheme == Uri.UriSchemeHttps || address.IsLoopback))
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (from > 0)
            request.Headers.Range = new RangeHeaderValue(from, null);
        try
        {
            return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
        }
        catch (HttpRequestException e) when (from == 0 && address.AbsolutePath.StartsWith("/api/", StringComparison.Ordinal))
        {
            throw Failed(address, e);
        }
    }

    private static void Refuse(HttpResponseMessage response, string what)
    {
        if (response.IsSuccessStatusCode)
            return;
        var status = (int)response.StatusCode;
        if (status >= 500)
            throw new IOException(FormattableString.Invariant($"The hub answers {status}."));
        throw new ExchangeException("ATT3404", FormattableString.Invariant($"The hub does not give {what}: {status}."))
        {
            File = response.RequestMessage?.RequestUri?.ToString(),
            Hint = status is 401 or 403 ? "Put a token with access to it into the environment variable HF_TOKEN, and accept its licence on its page." : "Check the name and the revision.",
        };
    }

    private static ExchangeException Failed(Uri address, Exception e) => new("ATT3406", $"The hub cannot be reached: {e.Message}", e)
    {
        File = address.ToString(),
        Hint = "The same command goes on where it stopped. HF_ENDPOINT names another hub.",
    };
}
