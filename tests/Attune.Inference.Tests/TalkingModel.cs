using Attune.Core.Checkpoints;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Prompts;

namespace Attune.Inference.Tests;

/// <summary>A random model with a tokenizer and ChatML: it says nonsense, but by the rules.</summary>
internal sealed class TalkingModel : IDisposable
{
    private readonly TestModel _model;

    public TalkingModel(int window = 256, long seed = 1)
    {
        var tokenizer = BpeTrainer.Train(Enumerable.Range(0, 200).Select(i => FormattableString.Invariant($"Person {i % 37} was born in {1900 + i % 90}. 张伟出生于{1900 + i % 90}年。\n")), new() { VocabularySize = 360 });
        _model = new TestModel(TestModel.Small with
        {
            VocabularySize = tokenizer.VocabularySize,
            ContextLength = window,
            BosTokenId = tokenizer.IdOf(ControlTokens.EndOfText),
            EosTokenIds = [tokenizer.IdOf(ControlTokens.EndOfText)!.Value],
        }, seed);
        tokenizer.Save(Path.Combine(_model.Folder, ModelFiles.Tokenizer));
        File.WriteAllText(Path.Combine(_model.Folder, ModelFiles.PromptContract), BuiltInContracts.ChatMl(tokenizer).ToJson());
        Files = ModelFiles.OfFolder(_model.Folder);
    }

    public ModelFiles Files { get; }

    public LocalModel Open(int maxSequences = 32, EngineOptions? engine = null) => LocalModel.Open(Files, new() { MaxSequences = maxSequences, Engine = engine ?? new() });

    public void Dispose() => _model.Dispose();
}
