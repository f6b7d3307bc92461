using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Attune.Core.Checkpoints;
using Attune.Core.Evaluation;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Prompts;
using Microsoft.Extensions.AI;

namespace Attune.Inference;

/// <summary>
/// A version ready for use: engine, tokenizer and prompt contract together. Safe for any number of callers at once:
/// all that is asked goes through one running batch, and nobody's answer depends on what runs beside it.
/// </summary>
public sealed partial class LocalModel : IDisposable
{
    private readonly DecoderWeights _weights;
    private readonly InferenceEngine _engine;
    private readonly BatchLoop _loop;
    private readonly bool _addsBos;

    private LocalModel(ModelFiles files, DecoderWeights weights, Tokenizer tokenizer, PromptContract contract, GenerationConfig? defaults, LocalModelOptions options)
    {
        (Files, Tokenizer, Contract, _weights) = (files, tokenizer, contract, weights);
        _engine = new InferenceEngine(weights, options.Engine);
        _loop = new BatchLoop(_engine, options.MaxSequences, options.Engine.MaxRows);
        Sampling = defaults is null ? SamplingOptions.Greedy : SamplingOptions.From(defaults);
        _addsBos = files.Find(ModelFiles.TokenizerConfig) is { } config && HuggingFaceJson.Read(config)["add_bos_token"] is JsonValue flag && flag.TryGetValue<bool>(out var adds) && adds;
        StopIds = [.. contract.StopIds.Concat(weights.Config.EosTokenIds).Concat(defaults?.EosTokenIds ?? []).Distinct()];
    }

    /// <summary>What was opened.</summary>
    public ModelFiles Files { get; }

    /// <summary>Its tokenizer.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>How it is spoken to.</summary>
    public PromptContract Contract { get; }

    /// <summary>Its shape.</summary>
    public DecoderConfig Config => _engine.Config;

    /// <summary>The sampling that its generation_config.json recommends; greedy where it says nothing.</summary>
    public SamplingOptions Sampling { get; }

    /// <summary>Tokens that end an answer: the contract's, config.json's and generation_config.json's.</summary>
    public IReadOnlyList<int> StopIds { get; }

    /// <summary>Opens a version or a folder.</summary>
    /// <exception cref="AttuneException">A file is missing, broken or not supported, or tokenizer and weights do not belong together.</exception>
    public static LocalModel Open(ModelFiles files, LocalModelOptions? options = null)
    {
        var tokenizer = Tokenizer.Load(files.Require(ModelFiles.Tokenizer));
        var contract = ContractFor(files, tokenizer, options ?? new());
        var defaults = files.Find(ModelFiles.GenerationConfig) is { } path ? GenerationConfig.Read(path) : null;
        var weights = DecoderWeights.Load(files);
        if (tokenizer.VocabularySize <= weights.Config.VocabularySize)
            return new(files, weights, tokenizer, contract, defaults, options ?? new());
        var (ids, rows) = (tokenizer.VocabularySize, weights.Config.VocabularySize);
        weights.Dispose();
        throw new InferenceException("ATT6006", FormattableString.Invariant($"The tokenizer has ids up to {ids - 1}, the embedding only {rows} rows."))
        {
            File = files.Description,
            Field = ModelFiles.Tokenizer,
            Hint = "Tokenizer and weights come from different models.",
        };
    }

    /// <summary>
    /// The ids of a raw text, with what belongs in front of one (BOS) where tokenizer.json adds it or tokenizer_config.json
    /// says <c>add_bos_token</c>; never empty.
    /// </summary>
    /// <exception cref="InferenceException">ATT6007: the text is empty and the model has no token that begins a text.</exception>
    public int[] Encode(string text)
    {
        var ids = Tokenizer.Encode(text, addSpecialTokens: true);
        return ids.Length == 0 || (_addsBos && ids[0] != PrefixId) ? [PrefixId, .. ids] : ids;
    }

    /// <summary>The ids of a conversation, up to and with the opening of the assistant's turn.</summary>
    /// <exception cref="AttuneException">The template refuses the conversation.</exception>
    public int[] Encode(Conversation conversation) => Contract.Render(conversation, Tokenizer, addGenerationPrompt: true).Ids;

    /// <summary>Continues prompts of ids, all of them in one running batch; the answers are in order.</summary>
    /// <exception cref="WindowOverflowException">ATT6002: a prompt leaves no room for a single token. Nothing was run.</exception>
    public Task<IReadOnlyList<Generation>> GenerateAsync(IReadOnlyList<int[]> prompts, GenerationOptions options, CancellationToken cancel = default) =>
        GenerateAsync([.. prompts.Select(prompt => (prompt, options))], cancel);

    /// <summary>The same with options for each prompt.</summary>
    public async Task<IReadOnlyList<Generation>> GenerateAsync(IReadOnlyList<(int[] Prompt, GenerationOptions Options)> requests, CancellationToken cancel = default)
    {
        var sequences = requests.Select((request, i) => Sequence(request.Prompt, request.Options, i, null, null, cancel)).ToList();
        _loop.Submit(sequences);
        return await Task.WhenAll(sequences.Select(s => s.Done));
    }

    /// <summary>Answers conversations by the version's contract; the answers are in order.</summary>
    public Task<IReadOnlyList<Generation>> ChatAsync(IReadOnlyList<Conversation> conversations, GenerationOptions options, CancellationToken cancel = default) =>
        GenerateAsync([.. conversations.Select(Encode)], options, cancel);

    /// <summary>Continues one prompt and gives the text as it comes, never half a character, never a part of a stop text.</summary>
    public IAsyncEnumerable<string> StreamAsync(int[] prompt, GenerationOptions options, CancellationToken cancel = default) =>
        StreamAsync(prompt, options, null, null, cancel);

    /// <summary>The same as Microsoft.Extensions.AI sees a model.</summary>
    public IChatClient AsChatClient(GenerationOptions? defaults = null) => new LocalChatClient(this, defaults ?? new() { Sampling = Sampling });

    /// <summary>Ends what still runs and frees the memory.</summary>
    public void Dispose()
    {
        _loop.Dispose();
        _engine.Dispose();
        _weights.Dispose();
    }

    internal KvCache NewCache() => _engine.NewCache();

    internal async IAsyncEnumerable<string> StreamAsync(int[] prompt, GenerationOptions options, KvCache? cache, Action<RunningSequence>? started, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var texts = Channel.CreateUnbounded<string>(new() { SingleReader = true, SingleWriter = true });
        var sequence = Sequence(prompt, options, 0, cache, text => texts.Writer.TryWrite(text), stop.Token);
        started?.Invoke(sequence);
        _ = sequence.Done.ContinueWith(done => texts.Writer.TryComplete(done.Exception?.InnerException), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        _loop.Submit([sequence]);
        try
        {
            await foreach (var text in texts.Reader.ReadAllAsync(cancel))
                yield return text;
            cancel.ThrowIfCancellationRequested();
        }
        finally
        {
            // Whoever stops reading stops the sequence, and its cache is free again when this returns.
            await stop.CancelAsync();
            await ((Task)sequence.Done).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>The token that a raw text begins with: BOS, or the end of the text before where there is no BOS.</summary>
    /// <exception cref="InferenceException">ATT6007: the model has neither.</exception>
    public int PrefixId => Contract.BosId ?? Config.BosTokenId ?? (Config.EosTokenIds is [var eos, ..] ? eos : (int?)null) ?? Contract.EosId
        ?? throw new InferenceException("ATT6007", "The text is empty, and the model has no token that begins one.");

    private RunningSequence Sequence(IReadOnlyList<int> prompt, GenerationOptions options, int index, KvCache? cache, Action<string>? onText, CancellationToken cancel)
    {
        if (options.MaxTokens < 1)
            throw InferenceException.BadOption(nameof(options.MaxTokens), "At least one token must be asked for.");
        if (prompt.Count >= Config.ContextLength)
            throw new WindowOverflowException(prompt.Count + 1, Config.ContextLength);
        var stops = options.StopTexts.Where(stop => stop.Length > 0).ToArray();
        return new RunningSequence(prompt, cache, options, options.StopIds ?? StopIds, index, new TextStream(Tokenizer, stops), onText, cancel);
    }

    // The version's own contract, unless another is given and the mismatch is said to be meant.
    private static PromptContract ContractFor(ModelFiles files, Tokenizer tokenizer, LocalModelOptions options)
    {
        var own = ModelContract.Of(files, tokenizer, options.AllowContractMismatch);
        if (options.Contract is not { } make)
            return own;
        var given = make(tokenizer);
        given.RequireTokenizer(tokenizer);
        ContractGate.RequireSame(own, given, options.AllowContractMismatch);
        return given;
    }
}
