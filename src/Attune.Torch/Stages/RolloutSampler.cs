using Attune.Core.Checkpoints;
using Attune.Core.Randomness;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Inference;
using Attune.Torch.Models;
using Attune.Torch.Native;

namespace Attune.Torch.Stages;

/// <summary>
/// Lets a policy answer, on the engine that serves versions too: key-value cache, continuous batching. Its weights go there
/// as files, once an iteration. What it says depends on the weights, the prompts and the seed, and on nothing else.
/// </summary>
internal sealed class RolloutSampler : IDisposable
{
    private readonly string _folder;

    /// <param name="folder">Where the policy's files are put; made anew and removed again.</param>
    /// <param name="policy">Files of the parent: all but the weights is taken from there.</param>
    /// <param name="config">The shape, with its ends of turn.</param>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="contract">The prompt contract.</param>
    public RolloutSampler(string folder, ModelFiles policy, DecoderConfig config, Tokenizer tokenizer, StageContract contract)
        : this(folder, config, tokenizer, policy) => contract.Write(folder, policy);

    private RolloutSampler(string folder, DecoderConfig config, Tokenizer tokenizer, ModelFiles? policy)
    {
        _folder = folder;
        ModelFolder.WriteBeside(folder, config, tokenizer, policy);
    }

    /// <summary>For models without a contract.</summary>
    public static RolloutSampler Plain(string folder, DecoderConfig config, Tokenizer tokenizer) => new(folder, config, tokenizer, null);

    /// <summary>Answers to prompts, sampled from the policy as it is: <paramref name="samples"/> for each, in order.</summary>
    /// <param name="decoder">The policy.</param>
    /// <param name="prompts">Index and ids of each prompt.</param>
    /// <param name="samples">Answers to each.</param>
    /// <param name="maxNewTokens">Longest answer.</param>
    /// <param name="temperature">τ; 0 is greedy.</param>
    /// <param name="random">Where the seed of this sampling is drawn from.</param>
    /// <param name="cancel">Stops it.</param>
    public IReadOnlyList<Rollout> Sample(Decoder decoder, IReadOnlyList<(int Index, int[] Ids)> prompts, int samples, int maxNewTokens, double temperature, RandomStream random, CancellationToken cancel)
    {
        decoder.Save(Path.Combine(_folder, ModelFiles.Weights));
        using var model = LocalModel.Open(ModelFiles.OfFolder(_folder), new LocalModelOptions { Engine = new EngineOptions { Threads = Math.Max(1, TorchRuntime.Threads) }, MaxSequences = StageModels.DrawnAtATime });
        var generation = new GenerationOptions { MaxTokens = maxNewTokens, Sampling = new SamplingOptions { Temperature = temperature, Seed = (long)(random.NextBits() >> 1) } };
        var asked = prompts.SelectMany(p => Enumerable.Repeat(p, samples)).ToArray();
        var answers = model.GenerateAsync([.. asked.Select(p => p.Ids)], generation, cancel).GetAwaiter().GetResult();
        return [.. answers.Select((answer, i) => new Rollout
        {
            Prompt = asked[i].Index,
            Ids = [.. asked[i].Ids, .. answer.Ids],
            PromptLength = asked[i].Ids.Length,
            Ended = answer.Finish == FinishReason.StopToken,
        })];
    }

    /// <summary>Draws one answer for nothing, so that those which are timed are drawn by code that is warm.</summary>
    public void Warm(Decoder decoder, int[] prompt, int maxNewTokens, CancellationToken cancel) =>
        Sample(decoder, [(0, prompt)], 1, maxNewTokens, 1, RandomStream.Of(0, "warm"), cancel);

    /// <summary>Removes the files.</summary>
    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
