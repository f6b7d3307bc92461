using System.Net;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace Attune.Core.Preferences;

/// <summary>
/// A model behind an OpenAI-compatible endpoint (Ollama, vLLM, llama.cpp, a cloud), asked whole answers over
/// <c>POST {endpoint}/chat/completions</c>. Busy servers (429, 5xx) are asked again, four times in all.
/// </summary>
public sealed class OpenAiChatClient : IChatClient
{
    private const int Tries = 4, ErrorCharacters = 300;

    private readonly HttpClient _http;
    private readonly Uri _url;
    private readonly string _model;
    private readonly TimeProvider _time;

    /// <param name="http">Sends the requests; not disposed.</param>
    /// <param name="endpoint">The address up to and with its version: http://localhost:11434/v1.</param>
    /// <param name="model">The model's name there.</param>
    /// <param name="time">Waits between tries.</param>
    public OpenAiChatClient(HttpClient http, string endpoint, string model, TimeProvider? time = null)
    {
        _url = Uri.TryCreate(endpoint.TrimEnd('/') + "/chat/completions", UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
            ? url!
            : throw new PreferenceException("ATT2417", $"'{endpoint}' is no address of a server.") { Field = "endpoint", Hint = "An example: http://localhost:11434/v1" };
        (_http, _model, _time) = (http, model, time ?? TimeProvider.System);
    }

    /// <inheritdoc/>
    /// <exception cref="PreferenceException">ATT2417: the endpoint cannot be reached, refuses, or answers something else.</exception>
    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var body = Body(messages, options);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                using var response = await _http.PostAsJsonAsync(_url, body, cancellationToken);
                var text = await response.Content.ReadAsStringAsync(cancellationToken);
                if (response.IsSuccessStatusCode)
                    return Read(text);
                if (attempt == Tries || response.StatusCode is not (HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError))
                    throw Fault(FormattableString.Invariant($"The endpoint answered {(int)response.StatusCode}: {text[..Math.Min(text.Length, ErrorCharacters)]}"));
            }
            catch (TaskCanceledException e) when (!cancellationToken.IsCancellationRequested)
            {
                throw Fault("The endpoint took too long.", e);
            }
            catch (HttpRequestException e) when (attempt == Tries)
            {
                throw Fault($"The endpoint cannot be reached: {e.Message}", e);
            }
            catch (HttpRequestException)
            {
                // Asked again below.
            }
            await Task.Delay(TimeSpan.FromMilliseconds(250 << attempt), _time, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var update in (await GetResponseAsync(messages, options, cancellationToken)).ToChatResponseUpdates())
            yield return update;
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is null && serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("openai", _url, _model)
        : serviceKey is null && serviceType.IsInstanceOfType(this) ? this
        : null;

    /// <inheritdoc/>
    public void Dispose()
    {
        // The HttpClient belongs to whoever made it.
    }

    private JsonObject Body(IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        var body = new JsonObject
        {
            ["model"] = options?.ModelId ?? _model,
            ["messages"] = new JsonArray([.. messages.Select(m => (JsonNode)new JsonObject { ["role"] = m.Role.Value, ["content"] = m.Text })]),
        };
        if (options?.Temperature is { } temperature)
            body["temperature"] = temperature;
        if (options?.TopP is { } topP)
            body["top_p"] = topP;
        if (options?.MaxOutputTokens is { } most)
            body["max_tokens"] = most;
        if (options?.Seed is { } seed)
            body["seed"] = seed;
        if (options?.StopSequences is { Count: > 0 } stops)
            body["stop"] = new JsonArray([.. stops.Select(s => (JsonNode)s)]);
        return body;
    }

    private ChatResponse Read(string text)
    {
        try
        {
            var json = JsonNode.Parse(text)!;
            var choice = json["choices"]![0]!;
            return new ChatResponse(new ChatMessage(ChatRole.Assistant, (string?)choice["message"]!["content"] ?? ""))
            {
                ModelId = (string?)json["model"] ?? _model,
                FinishReason = (string?)choice["finish_reason"] is { } reason ? new ChatFinishReason(reason) : null,
                Usage = json["usage"] is { } usage ? new UsageDetails { InputTokenCount = (long?)usage["prompt_tokens"], OutputTokenCount = (long?)usage["completion_tokens"], TotalTokenCount = (long?)usage["total_tokens"] } : null,
            };
        }
        catch (Exception e) when (e is JsonException or NullReferenceException or InvalidOperationException or ArgumentOutOfRangeException or FormatException)
        {
            throw Fault("The endpoint's answer is no chat completion.", e);
        }
    }

    private PreferenceException Fault(string what, Exception? inner = null) =>
        new("ATT2417", what, inner) { File = _url.ToString(), Field = "endpoint", Hint = "Check the address, the model's name, and the key (environment variable OPENAI_API_KEY)." };
}
