using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Torch.Stages;

namespace Attune.App.Alignment;

/// <summary>
/// How far given answers lie from what a version says: ln p of a token of its own answers less that of the given ones, to the
/// same prompts. Pairs teach which of two answers is better; where the version would say neither, that says little about
/// what it does say, and its own answers, scored, say more (arXiv 2404.14367).
/// </summary>
/// <param name="Given">Mean ln p of a token of the given good answers, nats.</param>
/// <param name="Own">The same of the version's own.</param>
/// <param name="Answers">Prompts that were looked at.</param>
/// <param name="SecondsAnAnswer">What drawing one took.</param>
internal sealed record OffPolicyGap(double Given, double Own, int Answers, double SecondsAnAnswer)
{
    /// <summary>Nats a token from which the version's own answers are drawn: given tokens are then three fifths as likely as own ones.</summary>
    public const double Far = 0.5;

    private const int Looked = 32;

    /// <summary>Whether the given answers lie far from the version's own.</summary>
    public bool IsFar => Own - Given > Far;

    /// <summary>Measures it, or takes it from where it was kept: the clock must not decide twice.</summary>
    public static OffPolicyGap? Of(ModelVersion version, AlignData data, AlignOptions options, int window, CancellationToken cancel)
    {
        LabelledRow[] good = [.. data.SomeGood.DistinctBy(g => PreferenceForms.Key(PreferenceForms.PromptOf(g.Conversation)), StringComparer.Ordinal).Take(Looked)];
        var path = Path.Combine(data.Folder, $"gap-{version.ShortDigest}-{Digests.Sha256Of(data.Round(0))[^12..]}-{options.MaxTokens}-{options.Seed}.json");
        if (File.Exists(path))
            return JsonSerializer.Deserialize<OffPolicyGap>(File.ReadAllText(path));
        var clock = Stopwatch.StartNew();
        var drawn = DrawnRows.Of(version, good.Select(g => PreferenceForms.PromptOf(g.Conversation)), options, cancel);
        var seconds = clock.Elapsed.TotalSeconds;
        var contract = StageContract.Resolve(null, version.Files, Tokenizer.Load(version.Files.Require(ModelFiles.Tokenizer)));
        var given = TrainingRows.OfLabelled(good, contract.Render, window, OverlongRows.Drop, new RowTally());
        if (drawn.Count == 0 || given.Count == 0)
            return null;
        var gap = new OffPolicyGap(RowLogProbs.Means(version.Files, [.. given.Select(g => g.Row)], cancel).Average(), RowLogProbs.Means(version.Files, drawn, cancel).Average(), good.Length, seconds / drawn.Count);
        Atomic.WriteAllText(path, JsonSerializer.Serialize(gap));
        return gap;
    }

    /// <summary>In words.</summary>
    public string Describe() => string.Create(CultureInfo.InvariantCulture,
        $"a token of the given answers has ln p {Given:F2} under the version, one of its own {Own:F2} ({Answers} prompts): {(IsFar ? "they lie far from what it says" : "they lie near what it says")}");
}
