using System.Globalization;
using System.Text;
using Attune.Core.Checkpoints;
using Attune.Core.Versions;
using Attune.Torch.Stages;

namespace Attune.Torch.Tests.Stages;

/// <summary>Small data, small models and a temporary folder for tests of whole stages.</summary>
public sealed class TinyRuns : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("attune-stages-").FullName;

    public TinyRuns()
    {
        var text = new StringBuilder();
        var talks = new StringBuilder();
        var pairs = new StringBuilder();
        var labels = new StringBuilder();
        string[] people = ["Ada", "Bela", "Cyra", "Dara", "Ezra", "Fay"], towns = ["Oslo", "Lima", "Kyiv", "Bern", "Doha", "Riga"];
        for (var i = 0; i < 120; i++)
        {
            var (person, town, other) = (people[i % 6], towns[i * 5 % 6], towns[(i * 5 + 1) % 6]);
            text.Append(CultureInfo.InvariantCulture, $"{{\"text\": \"{person} lives in {town}. In {town}, {person} has house {i}.\", \"kind\": \"{(i % 3 == 0 ? "short" : "plain")}\"}}\n");
            talks.Append(CultureInfo.InvariantCulture, $"{{\"messages\": [{{\"role\": \"user\", \"content\": \"Where is {person}, {i}?\"}}, {{\"role\": \"assistant\", \"content\": \"{person} is in {town}.\"}}]}}\n");
            pairs.Append(CultureInfo.InvariantCulture, $"{{\"prompt\": \"Where is {person}, {i}?\", \"chosen\": \"{person} is in {town}.\", \"rejected\": \"{other}\"}}\n");
            labels.Append(CultureInfo.InvariantCulture, $"{{\"prompt\": \"Where is {person}, {i}?\", \"completion\": \"{(i % 2 == 0 ? $"{person} is in {town}." : other)}\", \"label\": {(i % 2 == 0 ? "true" : "false")}}}\n");
        }
        Text = Write("text.jsonl", text.ToString());
        Talks = Write("talks.jsonl", talks.ToString());
        Pairs = Write("pairs.jsonl", pairs.ToString());
        Rankings = Write("rankings.jsonl", string.Concat(Enumerable.Range(0, 24).Select(i => FormattableString.Invariant($"{{\"prompt\": \"Where is {people[i % 6]}, {i}?\", \"responses\": [\"{towns[i % 5]}\", \"{people[i % 6]} is in {towns[i * 5 % 6]}.\", \"no\"], \"scores\": [1, 3, 0]}}\n"))));
        Labels = Write("labels.jsonl", labels.ToString());
    }

    public string Folder => _folder;

    public string Text { get; }

    public string Talks { get; }

    public string Pairs { get; }

    public string Labels { get; }

    public string Rankings { get; }

    public static PretrainOptions Pretraining(string data) => PretrainOptions.Tiny() with { Data = [data], Steps = 8, CheckpointEvery = TimeSpan.Zero, Optimiser = "muon" };

    public static SftOptions Tuning(string data) => SftOptions.Tiny() with { Data = [data], Steps = 6, CheckpointEvery = TimeSpan.Zero };

    public static DpoOptions Preferring(string data) => DpoOptions.Tiny() with { Data = [data], Steps = 6, CheckpointEvery = TimeSpan.Zero };

    public static KtoOptions Labelling(string data) => KtoOptions.Tiny() with { Data = [data], Steps = 6, CheckpointEvery = TimeSpan.Zero };

    public static OrpoOptions Odds(string data) => OrpoOptions.Tiny() with { Data = [data], Steps = 6, CheckpointEvery = TimeSpan.Zero };

    public static SimpoOptions Simple(string data) => SimpoOptions.Tiny() with { Data = [data], Steps = 6, CheckpointEvery = TimeSpan.Zero };

    public static RewardOptions Scoring(string data) => RewardOptions.Tiny() with { Data = [data], Steps = 6, CheckpointEvery = TimeSpan.Zero };

    public static PpoOptions Reinforcing(string data) => PpoOptions.Tiny() with { Data = [data], Steps = 8, CheckpointEvery = TimeSpan.Zero, Rules = ["contains"], Truth = ["contains"] };

    public static RewardRefreshOptions Refreshing(string data) => RewardRefreshOptions.Tiny() with { Data = [data], Truth = ["regex:e"], Steps = 6, CheckpointSteps = 2, CheckpointEvery = TimeSpan.Zero };

    public static GrpoOptions Grouping(string data) => GrpoOptions.Tiny() with { Data = [data], Steps = 4, CheckpointEvery = TimeSpan.Zero, Rules = ["regex:e"] };

    public static RlooOptions LeavingOut(string data) => RlooOptions.Tiny() with { Data = [data], Steps = 4, CheckpointEvery = TimeSpan.Zero, Rules = ["regex:e"] };

    /// <summary>A reward model of the base; made once for all tests.</summary>
    public StageResult RewardModel()
    {
        var parent = Base();
        lock (SharedBase)
        {
            SharedBase.Reward ??= Reward.Run(Scoring(Pairs), new StageContext { RunFolder = Path.Combine(SharedBase.Folder, "reward"), Threads = 1, Parent = parent.Draft.Files, ParentDigest = "sha256:" + WeightsOf(parent) });
            return SharedBase.Reward;
        }
    }

    /// <summary>The adapters that a kind of run has.</summary>
    public static LoraOptions Adapters(string run) => run switch
    {
        "sft-lora" => new() { Rank = 2 },
        "sft-dropout" => new() { Rank = 2, Dropout = 0.2 },
        "sft-qlora" => new() { Rank = 2, Dora = true, ModulesToSave = ["embed_tokens"], RankPattern = ["q_proj=3"] },
        _ => new(),
    };

    public string Write(string name, string content)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, content);
        return path;
    }

    public StageContext Context(string run, StageResult? parent = null, Action<StageProgress>? progress = null, CancellationToken cancellation = default) => new()
    {
        RunFolder = Path.Combine(_folder, run),
        Threads = 1, // pinned losses do not depend on the machine's cores
        Parent = parent?.Draft.Files,
        ParentDigest = parent is null ? null : "sha256:" + WeightsOf(parent),
        Progress = progress is null ? null : new Listener<StageProgress>(progress),
        Cancellation = cancellation,
    };

    /// <summary>A Base model to start from; made once for all tests.</summary>
    public StageResult Base()
    {
        lock (SharedBase)
        {
            SharedBase.Made ??= Pretrain.Run(Pretraining(Text), new StageContext { RunFolder = SharedBase.Folder, Threads = 1 });
            return SharedBase.Made;
        }
    }

    private static readonly BaseModel SharedBase = new();

    private sealed class BaseModel
    {
        public BaseModel() => AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(Folder, recursive: true);

        public string Folder { get; } = Directory.CreateTempSubdirectory("attune-base-").FullName;

        public StageResult? Made { get; set; }

        public StageResult? Reward { get; set; }
    }

    public static string WeightsOf(StageResult result) => Digests.Sha256Of(result.Draft.Files.Require(ModelFiles.Weights));

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}

/// <summary>Hears at once, on the same thread: it may throw, as a process may die.</summary>
public sealed class Listener<T>(Action<T> hear) : IProgress<T>
{
    public void Report(T value) => hear(value);
}
