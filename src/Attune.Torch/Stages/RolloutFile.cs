using System.Globalization;
using System.Text.Json;
using Attune.Core.Checkpoints;
using Attune.Core.Rewards;

namespace Attune.Torch.Stages;

/// <summary>The answers of an iteration.</summary>
/// <param name="Answers">They.</param>
/// <param name="Agreement">How the reward model's scores agree with the truth, where there is one.</param>
internal sealed record RolloutSet(IReadOnlyList<Rollout> Answers, RewardAgreement Agreement)
{
    /// <summary>What a judge was asked of them.</summary>
    public JudgeCost Judged { get; init; }
}

/// <summary>
/// The answers of an iteration, kept in the run folder until the iteration is over: updates move the policy away from what
/// gave them, so that a run which resumes between two updates could not make them again. One that resumes before them may,
/// and gets the same.
/// </summary>
internal static class RolloutFile
{
    private const string Name = "rollouts-", Facts = "attune.rollouts";

    private sealed record Header(double Right, long Pairs, JudgeCost Judged, List<Fact> Answers);

    private sealed record Fact(int Prompt, int PromptLength, int Length, bool Ended, double Score);

    /// <summary>Writes them, atomically.</summary>
    public static void Write(string folder, long iteration, RolloutSet set)
    {
        var rollouts = set.Answers;
        float[] Flat(Func<Rollout, float[]> part) => [.. rollouts.SelectMany(part)];
        // Ids are below 2^24, so float32 holds them exactly.
        float[][] parts = [[.. rollouts.SelectMany(r => r.Ids).Select(id => (float)id)], Flat(r => r.Old), Flat(r => r.Reference), Flat(r => r.Values)];
        SafetensorsWriter.Write(PathOf(folder, iteration), new[] { "ids", "old", "reference", "values" }.Zip(parts, (name, values) => TensorSource.Of(name, [values.Length], values)),
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                [Facts] = JsonSerializer.Serialize(new Header(set.Agreement.Right, set.Agreement.Pairs, set.Judged, [.. rollouts.Select(r => new Fact(r.Prompt, r.PromptLength, r.Length, r.Ended, r.Score))])),
            });
    }

    /// <summary>Reads them back, or null where they are not there.</summary>
    public static RolloutSet? Read(string folder, long iteration)
    {
        if (PathOf(folder, iteration) is var path && !File.Exists(path))
            return null;
        using var file = SafetensorsFile.Open(path);
        float[] Floats(string name)
        {
            var values = new float[file[name].Shape[0]];
            file.ReadFloats(name, values);
            return values;
        }
        var (ids, old, reference, values) = (Floats("ids"), Floats("old"), Floats("reference"), Floats("values"));
        var header = JsonSerializer.Deserialize<Header>(file.Metadata[Facts])!;
        var (rollouts, row, token) = (new List<Rollout>(), 0, 0);
        foreach (var fact in header.Answers)
        {
            float[] Part(float[] all) => all.Length == 0 ? [] : all[token..(token + fact.Length)];
            rollouts.Add(new Rollout
            {
                Prompt = fact.Prompt, PromptLength = fact.PromptLength, Ended = fact.Ended, Score = fact.Score,
                Ids = Array.ConvertAll(ids[row..(row + fact.PromptLength + fact.Length)], id => (int)id),
                Old = Part(old), Reference = Part(reference), Values = Part(values),
            });
            (row, token) = (row + fact.PromptLength + fact.Length, token + fact.Length);
        }
        return new RolloutSet(rollouts, new RewardAgreement(header.Right, header.Pairs)) { Judged = header.Judged };
    }

    /// <summary>Whether a folder holds any.</summary>
    public static bool Any(string folder) => Directory.EnumerateFiles(folder, Name + "*.safetensors").Any();

    /// <summary>Removes those of iterations before, which no checkpoint needs.</summary>
    public static void Forget(string folder, long before)
    {
        foreach (var path in Directory.EnumerateFiles(folder, Name + "*.safetensors"))
        {
            if (long.TryParse(Path.GetFileNameWithoutExtension(path.AsSpan())[Name.Length..], CultureInfo.InvariantCulture, out var iteration) && iteration < before)
                File.Delete(path);
        }
    }

    private static string PathOf(string folder, long iteration) => Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{Name}{iteration:D9}.safetensors"));
}
