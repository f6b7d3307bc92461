using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Attune.Core.Tokens;
using Attune.Testing;
using Microsoft.ML.Tokenizers;

namespace Attune.Bench;

/// <summary>
/// Encoding speed on one thread, on the English corpora of the reference data, line by line: against
/// Microsoft.ML.Tokenizers' Tiktoken on the same vocabulary and text in the same run, and against Hugging Face
/// tokenizers by way of zlib, from the speeds written in the reference pages.
/// </summary>
internal static partial class TokenizerBench
{
    private const int Rounds = 7;

    /// <summary>MB/s of Hugging Face tokenizers where zlib level 6 did 17 MB/s.</summary>
    private static readonly Dictionary<string, double> Reference = new(StringComparer.Ordinal)
    {
        ["phi-2"] = 1.5,
        ["phi-3-mini"] = 2.3,
        ["falcon"] = 1.0,
        ["t5-small"] = 1.1,
    };

    private const double ReferenceZlib = 17;

    public static int Run(string[] args)
    {
        var lines = SharedData.Files("*", "data", "corpora").SelectMany(File.ReadLines).Where(l => l.Length > 0).ToArray();
        if (lines.Length == 0)
        {
            Console.Error.WriteLine("No corpora: set ATTUNE_SHARED.");
            return 1;
        }
        var bytes = Encoding.UTF8.GetBytes(string.Join('\n', lines));
        var zlib = Zlib.Speed(bytes);
        Print($"{bytes.Length / 1e6:F2} MB, {lines.Length} lines; zlib level 6: {zlib?.ToString("F1", CultureInfo.InvariantCulture) ?? "not here"} MB/s; one thread, processor time, best of {Rounds}");
        Print($"| vocabulary | Attune MB/s | Tiktoken MB/s | ratio | of zlib | times Hugging Face |");
        Print($"|---|---|---|---|---|---|");
        foreach (var folder in SharedData.FoldersWith("tokenizer.json", "tokenizers"))
        {
            var name = Path.GetFileName(folder);
            var ours = Attune.Core.Tokens.Tokenizer.Load(Path.Combine(folder, "tokenizer.json"));
            if (ours.VocabularySize < 1000 || !ours.HasId(999) || (args.Length > 0 && !args.Contains(name, StringComparer.Ordinal)))
                continue;
            var theirs = Tiktoken(ours);
            var (ourBest, theirBest) = (double.MaxValue, double.MaxValue);
            // Turn by turn, so that what else the machine does falls on both.
            for (var round = 0; round < Rounds; round++)
            {
                ourBest = Math.Min(ourBest, Time(lines, line => ours.Encode(line).Length, out var ourCount));
                if (theirs is null)
                    continue;
                theirBest = Math.Min(theirBest, Time(lines, line => theirs.EncodeToIds(line).Count, out var theirCount));
                if (round == 0 && ourCount != theirCount)
                    Print($"(token counts differ: {ourCount}, {theirCount})");
            }
            var speed = bytes.Length / ourBest / 1e6;
            var share = speed / zlib;
            var times = Reference.TryGetValue(name, out var reference) ? share / (reference / ReferenceZlib) : null;
            Print($"| {name} | {speed:F1} | {(theirs is null ? "–" : (bytes.Length / theirBest / 1e6).ToString("F1", CultureInfo.InvariantCulture))} | {(theirs is null ? "–" : (theirBest / ourBest).ToString("F2", CultureInfo.InvariantCulture))} | {share:F2} | {times:F1} |");
        }
        Train(lines);
        Chinese();
        return 0;
    }

    /// <summary>How the three ways to cut words do on Chinese: trained on one half of the texts, measured on the other.</summary>
    private static void Chinese()
    {
        foreach (var file in SharedData.Files("*_zh_*.json", "data", "sft"))
        {
            var rows = File.ReadLines(file).Select(l => Regex.Unescape(l.Trim())).Where(l => l.Length > 20).ToArray();
            foreach (var split in Enum.GetValues<WordSplit>())
            {
                var tokenizer = BpeTrainer.Train(rows.Where((_, i) => i % 2 == 0), new BpeTrainerOptions { VocabularySize = 8192, Split = split });
                var held = rows.Where((_, i) => i % 2 == 1).ToArray();
                Print($"{Path.GetFileName(file)}, {split}: {held.Sum(t => (double)tokenizer.Encode(t).Length) / held.Sum(t => (double)t.Length):F3} tokens a character, {Encoding.UTF8.GetByteCount(string.Concat(held)) / held.Sum(t => (double)tokenizer.Encode(t).Length):F2} bytes a token");
            }
        }
    }

    private static void Train(string[] lines)
    {
        var start = Stopwatch.GetTimestamp();
        var tokenizer = BpeTrainer.Train(lines, new BpeTrainerOptions { VocabularySize = 8192 });
        Print($"training {tokenizer.VocabularySize} tokens on the same text: {Stopwatch.GetElapsedTime(start).TotalSeconds:F2} s, all threads");
    }

    private static double Time(string[] lines, Func<string, int> encode, out long count)
    {
        count = 0;
        // Processor time, not the clock: other work on the machine does not count.
        var start = Environment.CpuUsage.TotalTime;
        foreach (var line in lines)
            count += encode(line);
        return (Environment.CpuUsage.TotalTime - start).TotalSeconds;
    }

    /// <summary>The same vocabulary as Tiktoken takes it; null where the tokenizer is not GPT-2's byte-level BPE.</summary>
    private static TiktokenTokenizer? Tiktoken(Attune.Core.Tokens.Tokenizer ours)
    {
        GgufVocabulary vocabulary;
        try
        {
            vocabulary = GgufVocabulary.Of(ours);
        }
        catch (TokenException)
        {
            return null;
        }
        if (vocabulary is not { Model: "gpt2", Pre: "gpt-2" })
            return null;
        var ranks = new StringBuilder();
        for (var id = 0; id < vocabulary.Tokens.Count; id++)
        {
            if (vocabulary.Types[id] == GgufVocabulary.Normal)
                ranks.Append(CultureInfo.InvariantCulture, $"{Convert.ToBase64String(ours.TokenBytes(id))} {id}\n");
        }
        var special = ours.Added.ToDictionary(t => t.Text, t => t.Id, StringComparer.Ordinal);
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(ranks.ToString()));
        return TiktokenTokenizer.Create(stream, new RegexPreTokenizer(Gpt2(), special), normalizer: null, special);
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")]
    private static partial Regex Gpt2();
}
