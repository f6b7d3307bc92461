using Attune.Core.Versions;
using Attune.Core.Worlds;
using Attune.Prompts;

namespace Attune.Inference;

/// <summary>
/// Asks a version the questions of a world, greedily: a Base goes on with the question's text form, the others answer its
/// messages through their prompt contract.
/// </summary>
public sealed class WorldAnswerer : IDisposable
{
    private readonly LocalModel _model;
    private readonly int _maxTokens;

    private WorldAnswerer(LocalModel model, bool asText, int maxTokens) => (_model, AsText, _maxTokens) = (model, asText, maxTokens);

    /// <summary>Whether it is asked in text, as a Base is.</summary>
    public bool AsText { get; }

    /// <summary>How it is spoken to.</summary>
    public PromptContract Contract => _model.Contract;

    /// <summary>Questions that left no room for an answer in the window. Their answer is empty, and counts as one.</summary>
    public int TooLong { get; private set; }

    /// <summary>Opens a version.</summary>
    /// <param name="files">Its files.</param>
    /// <param name="kind">What it is; null asks a model without a chat template in text.</param>
    /// <param name="maxTokens">Most tokens of an answer.</param>
    /// <param name="options">Threads and batch size; null for defaults.</param>
    public static WorldAnswerer Open(ModelFiles files, VersionKind? kind, int maxTokens, LocalModelOptions? options = null)
    {
        var model = LocalModel.Open(files, options);
        return new(model, kind is { } known ? known == VersionKind.Base : model.Contract.Name == "base", maxTokens);
    }

    /// <summary>The answers, in the order of the questions.</summary>
    public IReadOnlyList<string> Answer(IReadOnlyList<WorldQuestion> questions, CancellationToken cancel = default) =>
        [.. Generate(questions, cancel).Select(g => g?.Text ?? "")];

    /// <summary>The answers with why each of them ended; null for a question that left no room for one.</summary>
    public IReadOnlyList<Generation?> Generate(IReadOnlyList<WorldQuestion> questions, CancellationToken cancel = default)
    {
        var (prompts, places) = (new List<(int[] Ids, GenerationOptions Options)>(), new List<int>());
        var answers = new Generation?[questions.Count];
        for (var i = 0; i < questions.Count; i++)
        {
            var ids = AsText ? _model.Encode(questions[i].Prompt) : _model.Encode(new Conversation(questions[i].Messages));
            if (ids.Length >= _model.Config.ContextLength)
            {
                TooLong++;
                continue;
            }
            prompts.Add((ids, new() { MaxTokens = _maxTokens, StopTexts = AsText ? questions[i].Stops : [] }));
            places.Add(i);
        }
        var generations = _model.GenerateAsync(prompts, cancel).GetAwaiter().GetResult();
        for (var i = 0; i < places.Count; i++)
            answers[places[i]] = generations[i];
        return answers;
    }

    /// <summary>Closes the version.</summary>
    public void Dispose() => _model.Dispose();
}
