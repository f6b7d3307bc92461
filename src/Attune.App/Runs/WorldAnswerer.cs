using Attune.Core.Versions;
using Attune.Core.Worlds;
using Attune.Inference;
using Attune.Prompts;

namespace Attune.App.Runs;

/// <summary>
/// Has a version answer a world's questions, greedily: a Base continues the text form of a question up to its stops,
/// an Instruct or Chat version answers the conversation under its own contract.
/// </summary>
internal sealed class WorldAnswerer : IDisposable
{
    private readonly LocalModel _model;
    private readonly bool _continuesText;
    private readonly int _maxTokens;

    private WorldAnswerer(LocalModel model, bool continuesText, int maxTokens) =>
        (_model, _continuesText, _maxTokens) = (model, continuesText, maxTokens);

    /// <param name="files">The version.</param>
    /// <param name="kind">What it is; a folder of unknown kind is asked as its contract says: as text where it has no template.</param>
    /// <param name="maxTokens">Most tokens of an answer.</param>
    public static WorldAnswerer Open(ModelFiles files, VersionKind? kind, int maxTokens)
    {
        var model = LocalModel.Open(files);
        var continuesText = kind is { } known ? known == VersionKind.Base : files.Find(ModelFiles.ChatTemplate) is null;
        return new WorldAnswerer(model, continuesText, maxTokens);
    }

    /// <summary>The answers, in the order of the questions.</summary>
    public IReadOnlyList<string> Answer(IReadOnlyList<WorldQuestion> questions, CancellationToken cancel)
    {
        var requests = questions.Select(question => _continuesText
            ? (_model.Encode(question.Prompt), new GenerationOptions { MaxTokens = _maxTokens, StopTexts = question.Stops })
            : (_model.Encode(new Conversation(question.Messages)), new GenerationOptions { MaxTokens = _maxTokens }));
        return [.. _model.GenerateAsync([.. requests], cancel).GetAwaiter().GetResult().Select(g => g.Text)];
    }

    public void Dispose() => _model.Dispose();
}
