namespace Attune.Core.Checkpoints.Gguf.Architectures;

/// <summary>GPT-2 and GPT-NeoX: LayerNorm, biases everywhere, a plain feed-forward layer.</summary>
internal static class GgufGpt
{
    internal static GgufArchitecture Gpt2 { get; } = new("gpt2", "GPT2LMHeadModel")
    {
        Activation = Activation.GeluTanh,
        SquareAttention = true,
        TakesOutputBias = true,
        Features = Plain | DecoderFeatures.LearnedPositions,
        Read = (config, _) => config with { Norm = NormKind.Layer, GatedFeedForward = false, LearnedPositions = true },
    };

    // llama.cpp computes GELU by tanh here too; transformers' own is by erf, 5e-4 apart at most.
    internal static GgufArchitecture GptNeoX { get; } = new("gptneox", "GPTNeoXForCausalLM")
    {
        Activation = Activation.Gelu,
        SquareAttention = true,
        NeedsOutput = true,
        NeedsBias = true,
        TakesOutputBias = true,
        Features = Plain | DecoderFeatures.ParallelResidual | DecoderFeatures.PartialRope | DecoderFeatures.RopeScaling,
        Write = config => [("use_parallel_residual", GgufValue.Of(config.ParallelResidual))],
        Read = (config, file) => config with
        {
            Norm = NormKind.Layer,
            GatedFeedForward = false,
            ParallelResidual = file.Metadata.Flag("gptneox.use_parallel_residual") ?? throw file.Metadata.Missing("gptneox.use_parallel_residual"),
        },
    };

    private const DecoderFeatures Plain = DecoderFeatures.AttentionBias | DecoderFeatures.FeedForwardBias | DecoderFeatures.Activation
        | DecoderFeatures.PlainFeedForward | DecoderFeatures.NormKind | DecoderFeatures.FusedProjections;
}
