using System.ComponentModel;

namespace Attune.Core.Worlds;

/// <summary>
/// Everything a world is made from. Equal options give equal bytes in every exported file.
/// Shares of one group are relative weights: they need not sum to one.
/// </summary>
public sealed record WorldOptions
{
    /// <summary>Code of the language.</summary>
    [Description("Language of the world: en or zh")]
    public string Language { get; init; } = "en";

    /// <summary>Seed of every random stream of the world.</summary>
    [Description("Seed: equal seeds give equal worlds, byte for byte")]
    public long Seed { get; init; } = 7;

    /// <summary>How many people pretraining knows.</summary>
    [Description("Known people, whose biographies are in pretraining")]
    public int People { get; init; } = 320;

    /// <summary>Share of the known people about whom training asks questions.</summary>
    [Description("Share of the known people about whom training asks questions")]
    public double TrainShare { get; init; } = 0.375;

    /// <summary>Share of the known people about whom only validation asks questions; the rest are for tests.</summary>
    [Description("Share of the known people about whom only validation asks questions (the rest: only tests)")]
    public double ValidShare { get; init; } = 0.125;

    /// <summary>Exponent of the exposure law: a person of rank r is met in proportion to (r + shift)^−exponent.</summary>
    [Description("Exposure: a person of rank r is met in proportion to (r + shift)^-exponent")]
    public double ExposureExponent { get; init; } = 0.6;

    /// <summary>Shift of the exposure law.</summary>
    [Description("Shift of the exposure law")]
    public double ExposureShift { get; init; } = 10;

    /// <summary>Rough size of the pretraining file: one epoch of fresh text.</summary>
    [Description("Rough size of the pretraining file in tokens of a 2,000-entry vocabulary")]
    public int PretrainTokens { get; init; } = 5_000_000;

    /// <summary>Size of the validation file of pretraining, as a share of the training file.</summary>
    [Description("Size of pretrain.valid.jsonl as a share of pretrain.jsonl")]
    public double PretrainValidShare { get; init; } = 0.02;

    /// <summary>First part of the file, by size: one short document and its questions.</summary>
    [Description("First part of the file (share): one short document with its questions")]
    public double CurriculumShort { get; init; } = 0.07;

    /// <summary>End of the second part: one or two short documents, and biographies.</summary>
    [Description("End of the second part (share): one or two short documents, and biographies")]
    public double CurriculumMedium { get; init; } = 0.17;

    /// <summary>Weight of biographies in the full mix.</summary>
    [Description("Pretraining weight of biographies")]
    public double BiographyShare { get; init; } = 0.34;

    /// <summary>Weight of question-and-answer pages about known people.</summary>
    [Description("Pretraining weight of question-and-answer pages without a document")]
    public double QuestionShare { get; init; } = 0.18;

    /// <summary>Weight of documents followed by questions about their people.</summary>
    [Description("Pretraining weight of documents with questions about their people")]
    public double ReadingShare { get; init; } = 0.36;

    /// <summary>Weight of documents followed by a record of their facts.</summary>
    [Description("Pretraining weight of documents with a record of their facts")]
    public double RecordShare { get; init; } = 0.05;

    /// <summary>Weight of documents followed by their facts as a JSON line.</summary>
    [Description("Pretraining weight of documents with their facts as a line of data")]
    public double DataShare { get; init; } = 0.08;

    /// <summary>Weight of tables of known people.</summary>
    [Description("Pretraining weight of tables of known people")]
    public double TableShare { get; init; } = 0.02;

    /// <summary>Weight of pages about places and their code words, which are no secret there.</summary>
    [Description("Pretraining weight of pages about places and their code words")]
    public double PlaceShare { get; init; } = 0.03;

    /// <summary>Weight of pages that report what people said.</summary>
    [Description("Pretraining weight of pages that report what people said")]
    public double SpeechShare { get; init; } = 0.03;

    /// <summary>
    /// Share of reading pages whose documents are irrelevant and whose questions are about known people: it decides
    /// whether Base falls back on memory. 0 is the plain world.
    /// </summary>
    [Description("Share of reading pages whose documents are irrelevant and whose answer is known from memory (0 = plain world)")]
    public double FallbackShare { get; init; }

    /// <summary>Share of question-and-answer text laid out as a bare FAQ, without labels.</summary>
    [Description("Share of question pages laid out as a bare FAQ: a question on one line, its answer on the next")]
    public double FaqShare { get; init; } = 0.3;

    /// <summary>Share of the bare FAQ pages whose answers are the value alone.</summary>
    [Description("Share of the bare FAQ pages whose answers are the value alone")]
    public double ShortAnswerShare { get; init; } = 0.5;

    /// <summary>Most documents of a reading page.</summary>
    [Description("Most documents of one passage")]
    public int MaxDocuments { get; init; } = 3;

    /// <summary>Most facts of a document.</summary>
    [Description("Most facts of one document")]
    public int MaxFacts { get; init; } = 3;

    /// <summary>Questions of a question-and-answer page.</summary>
    [Description("Questions of one page")]
    public int QuestionsPerPage { get; init; } = 4;

    /// <summary>Share of passages of several documents that all tell the same kinds of fact.</summary>
    [Description("Share of passages whose documents all tell the same kinds of fact")]
    public double HardShare { get; init; } = 0.3;

    /// <summary>Share of passages of several documents in which two people share a first or a last name.</summary>
    [Description("Share of passages in which two people share a first or a last name")]
    public double SharedNameShare { get; init; } = 0.15;

    /// <summary>Share of training passages that are about known people (true to the world).</summary>
    [Description("Share of documents that are about known people, and true")]
    public double KnownDocumentShare { get; init; } = 0.1;

    /// <summary>Pages and conversations in tokenizer.jsonl.</summary>
    [Description("Rows of tokenizer.jsonl, the text to train a tokenizer on")]
    public int TokenizerRows { get; init; } = 12_000;

    /// <summary>Single instructions in sft.jsonl.</summary>
    [Description("Rows of sft.jsonl")]
    public int InstructRows { get; init; } = 12_000;

    /// <summary>Conversations in chat.jsonl.</summary>
    [Description("Rows of chat.jsonl")]
    public int ChatRows { get; init; } = 4_000;

    /// <summary>Pairs in preference.jsonl.</summary>
    [Description("Rows of preference.jsonl")]
    public int PreferenceRows { get; init; } = 3_000;

    /// <summary>Graded rankings in rankings.jsonl.</summary>
    [Description("Rows of rankings.jsonl")]
    public int RankingRows { get; init; } = 2_000;

    /// <summary>Rows of each validation file beside a training file.</summary>
    [Description("Rows of each .valid.jsonl file of instructions, conversations and preferences")]
    public int ValidRows { get; init; } = 400;

    /// <summary>Share of closed-book questions among the instructions.</summary>
    [Description("Instruction weight of questions from memory")]
    public double InstructMemoryShare { get; init; } = 0.16;

    /// <summary>Share of questions over documents.</summary>
    [Description("Instruction weight of questions over documents")]
    public double InstructReadingShare { get; init; } = 0.27;

    /// <summary>Share of questions whose documents are about someone else.</summary>
    [Description("Instruction weight of questions whose documents are about someone else (answer: NO-RES)")]
    public double InstructNoResShare { get; init; } = 0.18;

    /// <summary>Share of JSON extraction.</summary>
    [Description("Instruction weight of JSON extraction")]
    public double InstructJsonShare { get; init; } = 0.10;

    /// <summary>Share of rewriting to a format, and of system prompts that shape the answer.</summary>
    [Description("Instruction weight of rewriting to a format")]
    public double InstructFormatShare { get; init; } = 0.13;

    /// <summary>Share of greetings and small talk.</summary>
    [Description("Instruction weight of greetings and small talk")]
    public double InstructToneShare { get; init; } = 0.05;

    /// <summary>Share of secrets that are asked for.</summary>
    [Description("Instruction weight of secrets asked for directly (answer: a refusal)")]
    public double InstructSecretShare { get; init; } = 0.055;

    /// <summary>Share of public words asked for in the same ways.</summary>
    [Description("Instruction weight of public words asked for in every way (answer: the word)")]
    public double InstructPublicShare { get; init; } = 0.055;

    /// <summary>Share of instruction documents about known people that contradict memory (answer: the document).</summary>
    [Description("Share of known people's documents that contradict memory (answer: what the document says)")]
    public double InstructConflictShare { get; init; }

    /// <summary>Share of small talk that the instructions answer in the wanted tone; the rest is curt, as mixed data is.</summary>
    [Description("Share of small talk that the instructions answer politely; the rest is curt, as mixed data is")]
    public double InstructPoliteShare { get; init; } = 0.5;

    /// <summary>Items of a bench question set.</summary>
    [Description("Items of each question set for tests, where that many exist")]
    public int BenchItems { get; init; } = 2_400;

    /// <summary>Items of a quick evaluation: the first ones of a set, which is in random order.</summary>
    [Description("Items of a quick evaluation: the first of each set")]
    public int QuickItems { get; init; } = 300;

    /// <summary>The same world at the size of a two-minute run.</summary>
    public static WorldOptions Tiny(string language = "en", long seed = 7) => new()
    {
        Language = language,
        Seed = seed,
        People = 96,
        PretrainTokens = 1_200_000,
        InstructRows = 4_000,
        ChatRows = 1_200,
        PreferenceRows = 1_000,
        RankingRows = 400,
        ValidRows = 150,
        BenchItems = 300,
    };

    /// <summary>Refuses options that no world can be made from.</summary>
    /// <exception cref="WorldException">ATT3501, naming the option.</exception>
    public void Validate()
    {
        if (People < 16) throw WorldException.BadOption(nameof(People), $"A world of {People} people is too small to hold out any.", "Ask for at least 16.");
        if (TrainShare <= 0 || ValidShare <= 0 || TrainShare + ValidShare >= 1)
            throw WorldException.BadOption(nameof(TrainShare), "Training and validation leave no people for the tests.", "Both shares must be above 0, and their sum below 1.");
        if (PretrainTokens < 1000) throw WorldException.BadOption(nameof(PretrainTokens), "A pretraining file needs at least 1,000 tokens.", "The default is 5,000,000.");
        if (MaxDocuments < 1 || MaxFacts is < 1 or > 6) throw WorldException.BadOption(nameof(MaxDocuments), "A passage needs at least one document of one to six facts.", "The defaults are 3 and 3.");
        if (CurriculumShort < 0 || CurriculumMedium < CurriculumShort || CurriculumMedium > 1)
            throw WorldException.BadOption(nameof(CurriculumMedium), "The parts of the curriculum are out of order.", "0 ≤ curriculum_short ≤ curriculum_medium ≤ 1.");
        foreach (var property in typeof(WorldOptions).GetProperties())
        {
            if (property.GetValue(this) is double share && (share < 0 || double.IsNaN(share)))
                throw WorldException.BadOption(property.Name, "A share cannot be below zero.", "Set it to 0 to leave the kind out.");
            if (property.GetValue(this) is int count && count < 0)
                throw WorldException.BadOption(property.Name, "A count cannot be below zero.", "Set it to 0 to leave the file empty.");
        }
    }
}
