using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Core.Randomness;
using Attune.Core.Tokens;
using Attune.Testing;
using Attune.Torch.Losses;
using Attune.Torch.Models;
using Attune.Torch.Native;
using Attune.Torch.Optimisers;
using Attune.Torch.Stages;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Bench;

/// <summary>
/// Tokens a second of SFT, pairs a second of DPO and samples a second of PPO, beside a straightforward padded implementation
/// of the same step (<see cref="PaddedModel"/>) on the same rows, turn by turn, so that whatever else the machine does hits
/// both alike. The jobs are those that TRL was measured on: its share of the ceiling stands beside ours.
/// </summary>
internal static class AlignSpeed
{
    private const int Length = 512;

    private static DecoderConfig Shape { get; } = new()
    {
        VocabularySize = 4096, HiddenSize = 256, IntermediateSize = 1024, Layers = 6, Heads = 4, KeyValueHeads = 4, HeadSize = 64,
        ContextLength = 1024, TiedEmbeddings = true, EosTokenIds = [0], InitializerRange = 0.02,
    };

    public static int Run(string[] args)
    {
        TorchRuntime.Initialise(args.FirstOrDefault(a => int.TryParse(a, CultureInfo.InvariantCulture, out _)) is { } threads ? int.Parse(threads, CultureInfo.InvariantCulture) : null);
        if (args.FirstOrDefault(a => a.StartsWith("--effort=", StringComparison.Ordinal)) is { } effort)
            Effort = double.Parse(effort["--effort=".Length..], CultureInfo.InvariantCulture);
        Console.WriteLine(TorchRuntime.Description);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Llama, {Shape.Parameters / 1e6:F2} M parameters, AdamW, rows of at most {Length} tokens.\n"));
        Console.WriteLine("| job | ours | padded baseline | ratio | share of libtorch's product: ours | baseline | TRL | of our own product: ours | peak memory: ours | baseline |\n|---|---|---|---|---|---|---|---|---|---|");
        var jobs = args.Where(a => a is "sft" or "dpo" or "ppo").ToArray();
        if (jobs.Length == 0 || jobs.Contains("sft"))
        {
            Sft("alpaca_en_demo", ".227 padded, .303 packed");
            Sft("alpaca_zh_demo", "");
        }
        if (jobs.Length == 0 || jobs.Contains("dpo"))
        {
            Dpo(4, timed: false, ".232");
            Dpo(4, timed: true, "");
            Dpo(8, timed: false, "");
        }
        if (jobs.Length == 0 || jobs.Contains("ppo"))
            Ppo();
        return 0;
    }

    // How many batches are measured, as a multiple of what a quiet machine does in a few minutes: --effort=0.5.
    private static double Effort { get; set; } = 1;

    private static Tokenizer Tokenizer { get; } = Attune.Core.Tokens.Tokenizer.Load(Path.Combine(SharedData.PathOf(Path.Combine("vectors", "foreign-base")), "tokenizer.json"));

    // "instruction\ninput\n", then the output and the end of text, which are trained; cut at 512 as TRL does.
    private static void Sft(string name, string trl)
    {
        const int rows = 8;
        var steps = Math.Max(1, (int)(10 * Effort));
        var all = Items("sft", name + ".json").Select(r => Row($"{r.GetProperty("instruction").GetString()}\n{r.GetProperty("input").GetString()}\n", r.GetProperty("output").GetString()!)).Take(rows * steps).ToList();
        var (ours, padded) = (new Model(), new Model());
        var packed = Packer.BestFit([.. all.Select(r => r.Ids.Length)], rows * Length).Select(bin => Batches.Of(all, bin)).ToArray();
        var measured = Measure(
            [.. packed.Select(b => (Action)(() => SftStep.Run(ours.Decoder, ours.Optimiser, ours.Next(), [b])))],
            [.. all.Chunk(rows).Select(some => (Action)(() => padded.Update(() =>
            {
                var (ids, real, targets) = Padded(some);
                var logits = padded.Padded.Logits(padded.Padded.Hidden(ids, real));
                return nn.functional.cross_entropy(logits.view(-1, Shape.VocabularySize), targets.flatten(), ignore_index: RaggedBatch.Ignore);
            })))]);
        Print($"SFT, {name}, 8 rows", measured, all.Sum(r => (long)r.Ids.Length), all.Sum(r => (long)r.Ids.Length), "tokens/s", trl);
    }

    // The last user turn as prompt; reference log-probabilities are there before the clock starts, or not.
    private static void Dpo(int pairs, bool timed, string trl)
    {
        var steps = Math.Max(1, (int)(24 / pairs * Effort));
        var all = Items("preference", "dpo_en_demo.json").Select(r =>
        {
            var prompt = r.GetProperty("conversations").EnumerateArray().Last().GetProperty("value").GetString()!;
            var (chosen, rejected) = (Row(prompt + "\n", Text(r, "chosen")), Row(prompt + "\n", Text(r, "rejected")));
            return new PairRow { Chosen = chosen, Rejected = rejected, PromptLength = Array.IndexOf(chosen.Trained, true) };
        }).Where(p => p.PromptLength > 0 && p.Chosen.TrainedTokens > 0 && p.Rejected.TrainedTokens > 0).Take(pairs * steps).ToList();
        var (ours, padded) = (new Model(), new Model());
        var (oursReference, paddedReference) = (new Model(), new Model());
        var objective = new DpoObjective("sigmoid", 0.1);
        var chunks = Enumerable.Range(0, all.Count).Chunk(pairs).ToArray();
        float[] Score(int[] c) => DpoStep.Score(oursReference.Decoder, Batches.OfPairs(all, c, share: true));
        Tensor PaddedSums(Model model, int[] c)
        {
            var (ids, real, targets) = Padded([.. c.Select(i => all[i].Chosen), .. c.Select(i => all[i].Rejected)]);
            var mask = targets.narrow(1, 0, targets.shape[1] - 1).ne(RaggedBatch.Ignore).to(float32);
            return (model.Padded.LogProbs(ids, real) * mask).sum([1]);
        }
        Tensor PaddedScore(int[] c)
        {
            using var guard = no_grad();
            return PaddedSums(paddedReference, c);
        }
        var scores = chunks.Select(Score).ToArray();
        var measured = Measure(
            [.. chunks.Select((c, i) => (Action)(() => DpoStep.Run(ours.Decoder, ours.Optimiser, ours.Next(), objective, [new PairBatch(Batches.OfPairs(all, c, share: true), timed ? Score(c) : scores[i])], new PairMeters())))],
            [.. chunks.Select((c, i) => (Action)(() => padded.Update(() =>
            {
                var reference = (timed ? PaddedScore(c) : tensor(scores[i])).chunk(2);
                var policy = PaddedSums(padded, c).chunk(2);
                return -nn.functional.logsigmoid(0.1 * (policy[0] - reference[0] - policy[1] + reference[1])).mean();
            })))]);
        Print($"DPO, dpo_en_demo, {pairs} pairs{(timed ? ", reference timed" : "")}", measured, all.Count, all.Sum(p => (long)p.Tokens), "pairs/s", trl);
    }

    // An iteration: answers, scores, log-probabilities under policy and reference, values, four updates. Once all answers are
    // equally long, as if cut, and once they end by themselves: of an untrained model's 4,096 tokens 19 end an answer, which
    // makes answers as long as the data set's own (its 999 have 214 tokens in the mean, half of them 148 at most).
    private static void Ppo()
    {
        PpoJob("16 answers of 64 tokens", 64, Shape);
        PpoJob("16 answers of 1 to 512 tokens", 512, Shape with { EosTokenIds = [.. Enumerable.Range(0, 19)] });
    }

    private static void PpoJob(string answers, int newTokens, DecoderConfig shape)
    {
        const int prompts = 16, passes = 4;
        var rounds = Math.Max(1, (int)(2 * Effort));
        var options = new PpoOptions { MaxNewTokens = newTokens, Passes = passes, Temperature = 0.7 };
        var all = Items("sft", "alpaca_en_demo.json").Select(r => Tokenizer.Encode($"{r.GetProperty("instruction").GetString()}\n{r.GetProperty("input").GetString()}\n")).Where(p => p.Length <= 128).Take(prompts * rounds).ToArray();
        var (ours, padded) = (new ActorCritic(), new ActorCritic());
        var lengths = new int[rounds][];
        var folder = Directory.CreateTempSubdirectory("attune-bench-").FullName;
        try
        {
            using var sampler = RolloutSampler.Plain(Path.Combine(folder, "policy"), shape, Tokenizer);
            var measured = Measure(
                [.. all.Chunk(prompts).Select((some, round) => (Action)(() => lengths[round] = ours.Iterate(sampler, some, options, round)))],
                [.. all.Chunk(prompts).Select((some, round) => (Action)(() => padded.IteratePadded(some, lengths[round], options, round)))]);
            Print($"PPO, {answers}, {passes} passes", measured, all.Length, 0, "samples/s", "");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>A model of the shape with its optimiser.</summary>
    private sealed class Model
    {
        private long _step;

        public Model()
        {
            Decoder = new Decoder(Shape);
            Decoder.Initialise(1);
            Optimiser = new Optimiser(OptimiserRules.Plan(Decoder.Weights(), "adamw", 1, 0), new OptimiserSettings());
            Padded = new PaddedModel(Shape, Decoder);
        }

        public Decoder Decoder { get; }

        public Optimiser Optimiser { get; }

        public PaddedModel Padded { get; }

        public UpdateSettings Next() => new(++_step, 1e-5, 1);

        public void Update(Func<Tensor> loss) => UpdateStep.Run(Optimiser, Next(), [loss]);
    }

    /// <summary>The four models of PPO.</summary>
    private sealed class ActorCritic
    {
        private readonly Decoder _policy = New(), _reference = New();
        private readonly RewardModel _reward = NewScore(3), _value = NewScore(3);
        private readonly Optimiser _optimiser;
        private long _step;

        public ActorCritic() => _optimiser = new Optimiser(OptimiserRules.Plan([.. _policy.Weights(), .. _value.Weights().Select(w => ("value." + w.Name, w.Value))], "adamw", 1, 0), new OptimiserSettings());

        /// <summary>How long the answers were.</summary>
        public int[] Iterate(RolloutSampler sampler, int[][] prompts, PpoOptions options, int round)
        {
            var answers = sampler.Sample(_policy, [.. prompts.Select((p, i) => (i, p))], 1, options.MaxNewTokens, options.Temperature, RandomStream.Of(round, "bench", "answers"), default);
            var scores = RolloutScores.Scores(_reward, answers, 4096);
            var (old, reference, values) = (RolloutScores.LogProbs(_policy, answers, options.Temperature, 4096), RolloutScores.LogProbs(_reference, answers, options.Temperature, 4096), RolloutScores.Values(_value, answers, 4096));
            answers = [.. answers.Select((a, i) => a with { Score = scores[i], Old = old[i], Reference = reference[i], Values = values[i] })];
            var experience = new PpoExperience(answers, options, options.KlCoefficient);
            var objective = new PpoObjective(options.PolicyClip, options.ValueClip, options.ValueCoefficient, options.Temperature);
            for (var pass = 0; pass < options.Passes; pass++)
                PpoStep.Run(_policy, _value, _optimiser, new UpdateSettings(++_step, 1e-6, 1), objective, [.. RolloutScores.Bins(answers, 4096).Select(experience.Batch)], new PpoMeters());
            return [.. answers.Select(a => a.Length)];
        }

        // Rows padded on the left while answering and on the right behind the answer. It draws tokens of its own, and stops
        // where the other side's answers ended, so that both learn from as many; whoever has ended goes on until all have.
        public void IteratePadded(int[][] prompts, int[] lengths, PpoOptions options, int round)
        {
            var (policy, frozen, judge, critic) = (new PaddedModel(Shape, _policy), new PaddedModel(Shape, _reference), new PaddedModel(Shape, _reward), new PaddedModel(Shape, _value));
            using var scope = NewDisposeScope();
            var (width, longest) = (prompts.Max(p => p.Length), lengths.Max());
            var ids = tensor(prompts.SelectMany(p => Enumerable.Repeat(3L, width - p.Length).Concat(p.Select(id => (long)id))).ToArray()).view(prompts.Length, width);
            var real = tensor(prompts.SelectMany(p => Enumerable.Repeat(0L, width - p.Length).Concat(p.Select(_ => 1L))).ToArray()).view(prompts.Length, width);
            var ends_B1 = tensor(lengths.Select(l => (long)l).ToArray()).unsqueeze(1);
            var said_BT = arange(0, longest, dtype: int64).unsqueeze(0).lt(ends_B1);
            using (no_grad())
            {
                manual_seed(round);
                var (cache, next) = (new PaddedModel.Cache(), ids);
                for (var t = 0; t < longest; t++)
                {
                    using var token = NewDisposeScope();
                    var hidden = policy.Hidden(next, real, cache);
                    next = multinomial(nn.functional.softmax(policy.Logits(hidden.narrow(1, hidden.shape[1] - 1, 1)).squeeze(1) / options.Temperature, -1), 1);
                    next = next.MoveToOuterDisposeScope();
                    (ids, real) = (cat([ids, next], 1).MoveToOuterDisposeScope(), cat([real, said_BT.narrow(1, t, 1).to(int64)], 1).MoveToOuterDisposeScope());
                }
                foreach (var (keys, values) in cache.Layers)
                {
                    keys.Dispose();
                    values.Dispose();
                }
            }
            Tensor Answer(Tensor x_BT) => x_BT.narrow(1, width - 1, longest);
            Tensor Said(Tensor x_BT) => x_BT.masked_select(said_BT);
            Tensor old, values_M, advantages_M, returns_M;
            using (no_grad())
            {
                var mask_BT = said_BT.to(float32);
                var old_BT = Answer(policy.LogProbs(ids, real, options.Temperature));
                var reference_BT = Answer(frozen.LogProbs(ids, real, options.Temperature));
                var values_BT = Answer(critic.Scores(critic.Hidden(ids, real))) * mask_BT;
                var scores_B1 = judge.Scores(judge.Hidden(ids, real)).gather(1, ends_B1 + (width - 1));
                var rewards_BT = (-options.KlCoefficient * (old_BT - reference_BT) * mask_BT).scatter_add(1, ends_B1 - 1, scores_B1);
                var (parts, last) = (new List<Tensor>(), zeros(prompts.Length, 1));
                for (var t = longest - 1; t >= 0; t--)
                {
                    var following = t + 1 < longest ? values_BT.narrow(1, t + 1, 1) : zeros(prompts.Length, 1);
                    last = rewards_BT.narrow(1, t, 1) + options.Gamma * following - values_BT.narrow(1, t, 1) + options.Gamma * options.Lambda * last;
                    parts.Insert(0, last);
                }
                (old, values_M, advantages_M) = (Said(old_BT), Said(values_BT), Said(cat(parts, 1)));
                returns_M = advantages_M + values_M;
                advantages_M = (advantages_M - advantages_M.mean()) / (advantages_M.var() + 1e-8).sqrt();
            }
            for (var pass = 0; pass < options.Passes; pass++)
            {
                UpdateStep.Run(_optimiser, new UpdateSettings(++_step, 1e-6, 1), [() =>
                    PpoLoss.Policy(Said(Answer(policy.LogProbs(ids, real, options.Temperature))), old, advantages_M, options.PolicyClip)
                    + options.ValueCoefficient * PpoLoss.Value(Said(Answer(critic.Scores(critic.Hidden(ids, real)))), values_M, returns_M, options.ValueClip)]);
            }
        }

        private static Decoder New()
        {
            var decoder = new Decoder(Shape);
            decoder.Initialise(1);
            return decoder;
        }

        private static RewardModel NewScore(long seed)
        {
            var model = new RewardModel(Shape.WithScore());
            using var guard = no_grad();
            using var source = New();
            var weights = source.Weights().ToDictionary(w => w.Name, w => w.Value, StringComparer.Ordinal);
            foreach (var (name, value) in model.Weights().Where(w => weights.ContainsKey(w.Name)))
                value.copy_(weights[name]);
            model.InitialiseScore(seed);
            return model;
        }
    }

    /// <summary>Seconds of both sides and of the shortest products of 2048³ float32, libtorch's and ours, and bytes.</summary>
    private sealed record Measured(double Ours, double Padded, double Product, double OwnProduct, long OursPeak, long PaddedPeak)
    {
        /// <summary>Operations a second of libtorch's product, by which others are measured.</summary>
        public double Ceiling => Operations / Product;

        /// <summary>Of our own, which is all that the machine can do.</summary>
        public double OwnCeiling => Operations / OwnProduct;
    }

    private const int Side = 2048;
    private const double Operations = 2.0 * Side * Side * Side;

    // Both take the same rows in turn. Peaks are of one part alone, and warm both up.
    private static Measured Measure(Action[] ours, Action[] padded)
    {
        var (oursPeak, paddedPeak) = (Peak(ours[0]), Peak(padded[0]));
        var (oursTime, paddedTime) = (0.0, 0.0);
        var (product, own) = (double.MaxValue, double.MaxValue);
        for (var i = 0; i < Math.Max(ours.Length, padded.Length); i++)
        {
            if (i < ours.Length)
                oursTime += Seconds(ours[i]);
            if (i < padded.Length)
                paddedTime += Seconds(padded[i]);
            var (libtorchs, ownNow) = Products();
            (product, own) = (Math.Min(product, libtorchs), Math.Min(own, ownNow));
        }
        return new(oursTime, paddedTime, product, own, oursPeak, paddedPeak);
    }

    private static double Seconds(Action work)
    {
        var start = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static (double Libtorchs, double Own) Products()
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        var (a, b, c) = (rand(Side, Side), rand(Side, Side), empty(Side, Side));
        return (Enumerable.Range(0, 3).Min(_ => Seconds(() => c.addmm_(a, b, beta: 0))), Enumerable.Range(0, 3).Min(_ => Seconds(() => MatmulCeiling.Multiply(a, b, c))));
    }

    private static long Peak(Action work)
    {
        work();
        PeakMemory.Reset();
        work();
        return PeakMemory.Bytes;
    }

    private static void Print(string job, Measured m, long units, long tokens, string unit, string trl)
    {
        string Share(double seconds, double ceiling) => tokens == 0 ? "" : (6.0 * Shape.Parameters * tokens / seconds / ceiling).ToString(".000", CultureInfo.InvariantCulture);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {job} | {units / m.Ours:F2} {unit} | {units / m.Padded:F2} {unit} | {m.Padded / m.Ours:F2} | {Share(m.Ours, m.Ceiling)} | {Share(m.Padded, m.Ceiling)} | {trl} | {Share(m.Ours, m.OwnCeiling)} | {m.OursPeak / 1e9:F2} GB | {m.PaddedPeak / 1e9:F2} GB |"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"<!-- products of {Side}³: libtorch {m.Ceiling / 1e9:F0} GFLOP/s at best, ours {m.OwnCeiling / 1e9:F0}; ours {m.Ours:F1} s, baseline {m.Padded:F1} s -->"));
    }

    private static JsonElement[] Items(string folder, string name) => [.. JsonDocument.Parse(File.ReadAllText(SharedData.PathOf(Path.Combine("data", folder, name)))).RootElement.EnumerateArray()];

    private static string Text(JsonElement row, string side) => row.GetProperty(side).GetProperty("value").GetString()!;

    private static TokenRow Row(string prompt, string completion)
    {
        int[] before = Tokenizer.Encode(prompt), after = [.. Tokenizer.Encode(completion), 0];
        var row = new TokenRow { Ids = [.. before, .. after], Trained = [.. before.Select(_ => false), .. after.Select(_ => true)], Origin = new RowOrigin("bench", 1) };
        return row.Cut(Math.Min(Length, row.Ids.Length));
    }

    private static (Tensor Ids, Tensor Real, Tensor Targets) Padded(IReadOnlyList<TokenRow> rows)
    {
        var width = rows.Max(r => r.Ids.Length);
        var (ids, real, targets) = (new long[rows.Count * width], new long[rows.Count * width], new long[rows.Count * width]);
        Array.Fill(ids, 3);
        Array.Fill(targets, RaggedBatch.Ignore);
        for (var r = 0; r < rows.Count; r++)
        {
            for (var i = 0; i < rows[r].Ids.Length; i++)
            {
                (ids[r * width + i], real[r * width + i]) = (rows[r].Ids[i], 1);
                if (i > 0 && rows[r].Trained[i])
                    targets[r * width + i - 1] = rows[r].Ids[i];
            }
        }
        return (tensor(ids).view(rows.Count, width), tensor(real).view(rows.Count, width), tensor(targets).view(rows.Count, width));
    }
}
