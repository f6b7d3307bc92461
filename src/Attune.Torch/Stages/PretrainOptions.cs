using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Attune.Core.Tokens;

namespace Attune.Torch.Stages;

/// <summary>Options of <see cref="Pretrain"/>: from text to a Base model.</summary>
public sealed record PretrainOptions : TrainingOptions
{
    /// <summary>An existing tokenizer, or null to train one.</summary>
    [Description("An existing tokenizer.json; without one a tokenizer is trained on the data.")]
    public string? Tokenizer { get; init; }

    /// <summary>Size of a tokenizer trained here.</summary>
    [Description("Tokens of a tokenizer trained on the data."), Range(272, 1_000_000)]
    public int VocabularySize { get; init; } = 2048;

    /// <summary>What a tokenizer trained here reads; the training data unless given.</summary>
    [Description("Text files that the tokenizer is trained on; the training data unless given.")]
    public IReadOnlyList<string> TokenizerData { get; init; } = [];

    /// <summary>How a tokenizer trained here parts text into words.</summary>
    [Description("How the tokenizer parts text into words before it merges.")]
    public WordSplit WordSplit { get; init; } = WordSplit.Gpt2;

    /// <summary>Words of a tokenizer trained here that have a token with the space before them.</summary>
    [Description("Words of a tokenizer trained here, the most frequent, that have a token with the space before them, beside the one without; usual BPE unless given."), Range(0, 1_000_000)]
    public int? SpacedWords { get; init; }

    /// <summary>Whether the two tokens of a word stay together.</summary>
    [Description("A word's two tokens, with the space before it and without, differ by one vector that all words share: what is read in a sentence can be written after a quote. For small models.")]
    public bool TieSpacedWords { get; init; }

    /// <summary>D.</summary>
    [Description("Width of the model."), Range(1, 65_536)]
    public int HiddenSize { get; init; } = 128;

    /// <summary>Blocks.</summary>
    [Description("Number of blocks."), Range(1, 1024)]
    public int Layers { get; init; } = 4;

    /// <summary>H.</summary>
    [Description("Query heads."), Range(1, 1024)]
    public int Heads { get; init; } = 4;

    /// <summary>K; null for as many as query heads.</summary>
    [Description("Key and value heads; as many as query heads unless given."), Range(1, 1024)]
    public int? KeyValueHeads { get; init; }

    /// <summary>C; null for hidden size / heads.</summary>
    [Description("Width of a head; hidden size / heads unless given."), Range(2, 4096)]
    public int? HeadSize { get; init; }

    /// <summary>F; null for 3 × hidden size.</summary>
    [Description("Width of the feed-forward layer; three times the hidden size unless given."), Range(1, 1_048_576)]
    public int? IntermediateSize { get; init; }

    /// <summary>The window that the model declares; null for the sequence length.</summary>
    [Description("Window that the model declares, in tokens; the sequence length unless given."), Range(2, 1_048_576)]
    public int? ContextLength { get; init; }

    /// <summary>Base of the rotary frequencies.</summary>
    [Description("Base of the rotary frequencies."), Range(1, 1e9)]
    public double RopeTheta { get; init; } = 10_000;

    /// <summary>Whether the head is the embedding.</summary>
    [Description("Whether the output head is the embedding itself.")]
    public bool TiedEmbeddings { get; init; } = true;

    /// <summary>Standard deviation of the first weights.</summary>
    [Description("Standard deviation of the initial weights."), Range(0, 10)]
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>Tokens of a micro-batch.</summary>
    [Description("Most tokens of a micro-batch."), Range(2, 1 << 30)]
    public int MicroBatchTokens { get; init; } = 2048;

    /// <summary>Micro-batches of an update.</summary>
    [Description("Micro-batches of an update; the loss is per label token of all of them."), Range(1, 1_000_000)]
    public int Accumulation { get; init; } = 1;

    /// <summary>A model of some ten thousand parameters, for tests.</summary>
    public static PretrainOptions Tiny() => new()
    {
        HiddenSize = 32, Layers = 2, Heads = 2, IntermediateSize = 64, VocabularySize = 320, SequenceLength = 64,
        MicroBatchTokens = 256, LearningRate = 1e-2, InitializerRange = 0.05,
    };

    /// <summary>A million parameters on two cores in minutes: Muon on the matrices, a high rate for the embedding.</summary>
    public static PretrainOptions Million() => new()
    {
        Optimiser = "muon", LearningRate = 1.5e-2, MatrixRateScale = 0.4, InitializerRange = 0.08, WeightDecay = 0.05, IntermediateSize = 384, VocabularySize = 1872,
    };
}
