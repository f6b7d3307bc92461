using System.Runtime.CompilerServices;
using Attune.Prompts;
using Microsoft.Extensions.AI;

namespace Attune.Inference;

/// <summary>A version as Microsoft.Extensions.AI sees a chat model: messages go through the version's prompt contract.</summary>
internal sealed class LocalChatClient(LocalModel model, GenerationOptions defaults) : IChatClient
{
    private readonly ChatClientMetadata _metadata = new("attune", defaultModelId: model.Files.Description);

    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var answers = await model.ChatAsync([ToConversation(messages)], ToOptions(options), cancellationToken);
        var answer = answers[0];
        return new ChatResponse(new ChatMessage(ChatRole.Assistant, answer.Text))
        {
            ModelId = model.Files.Description,
            FinishReason = answer.Finish is FinishReason.MaxTokens or FinishReason.WindowFull ? ChatFinishReason.Length : ChatFinishReason.Stop,
            Usage = new() { InputTokenCount = answer.PromptTokens, OutputTokenCount = answer.Ids.Count, TotalTokenCount = answer.PromptTokens + answer.Ids.Count },
        };
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        RunningSequence? sequence = null;
        var id = Guid.NewGuid().ToString("N");
        await foreach (var text in model.StreamAsync(model.Encode(ToConversation(messages)), ToOptions(options), null, s => sequence = s, cancellationToken))
            yield return new ChatResponseUpdate(ChatRole.Assistant, text) { ResponseId = id, MessageId = id, ModelId = model.Files.Description };
        var answer = await sequence!.Done;
        yield return new ChatResponseUpdate(ChatRole.Assistant, [new UsageContent(new() { InputTokenCount = answer.PromptTokens, OutputTokenCount = answer.Ids.Count, TotalTokenCount = answer.PromptTokens + answer.Ids.Count })])
        {
            ResponseId = id,
            MessageId = id,
            ModelId = model.Files.Description,
            FinishReason = answer.Finish is FinishReason.MaxTokens or FinishReason.WindowFull ? ChatFinishReason.Length : ChatFinishReason.Stop,
        };
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is not null ? null
        : serviceType == typeof(ChatClientMetadata) ? _metadata
        : serviceType.IsInstanceOfType(model) ? model
        : serviceType.IsInstanceOfType(this) ? this
        : null;

    // The model belongs to whoever opened it.
    public void Dispose()
    {
    }

    private static Conversation ToConversation(IEnumerable<ChatMessage> messages) =>
        new([.. messages.Select(m => new Message(m.Role.Value, m.Text))]);

    private GenerationOptions ToOptions(ChatOptions? options) => options is null ? defaults : defaults with
    {
        MaxTokens = options.MaxOutputTokens ?? defaults.MaxTokens,
        StopTexts = options.StopSequences is { Count: > 0 } stops ? [.. stops] : defaults.StopTexts,
        Sampling = defaults.Sampling with
        {
            Temperature = options.Temperature ?? defaults.Sampling.Temperature,
            TopP = options.TopP ?? defaults.Sampling.TopP,
            TopK = options.TopK ?? defaults.Sampling.TopK,
            Seed = options.Seed ?? defaults.Sampling.Seed,
        },
    };
}
