using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.App.Cli;
using Attune.Core.Checkpoints;
using Attune.Core.Evaluation.Comparison;
using Attune.Core.Options;
using Attune.Core.Versions;
using Attune.Core.Worlds;
using Attune.Inference;

namespace Attune.App.Runs;

/// <summary>
/// The questions of a world and what versions answered to them. Answers of a version are kept under its digest: nobody is
/// asked the same twice, and an interrupted comparison goes on.
/// </summary>
/// <param name="world">Folder of the world.</param>
/// <param name="split">Whose questions.</param>
/// <param name="items">Questions of each set, at most.</param>
/// <param name="maxTokens">Most tokens of an answer.</param>
/// <param name="folder">Where answers are kept.</param>
internal sealed class AnswerBook(string world, WorldSplit split, int items, int maxTokens, string folder)
{
    private static readonly JsonSerializerOptions Readable = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly string _split = OptionText.Of(split);

    /// <summary>Another prompt contract than each version's own, or null.</summary>
    public string? Contract { get; init; }

    /// <summary>A contract that is not the version's own is meant.</summary>
    public bool AllowContractMismatch { get; init; }

    /// <summary>The questions of some sets.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<WorldQuestion>> Questions(IEnumerable<string> sets) => sets.ToDictionary(
        set => set,
        set => (IReadOnlyList<WorldQuestion>)[.. WorldExport.ReadQuestions(Path.Combine(world, "questions", $"{_split}.{set}.jsonl")).Take(items)],
        StringComparer.Ordinal);

    /// <summary>Asks a version what it was not asked before, and judges all of it.</summary>
    public JudgedVersion Ask(string name, ModelFiles files, ModelVersion? version, IReadOnlyDictionary<string, IReadOnlyList<WorldQuestion>> sets, WorldJudge judge, CancellationToken cancel)
    {
        // A plain folder has no digest that would say whether it is still the same: it is asked anew each time. Answers under
        // a contract that is not the version's own are not kept beside those under its own.
        var path = version is null || Contract is not null || AllowContractMismatch ? null : Path.Combine(folder, "answers", string.Create(CultureInfo.InvariantCulture, $"{version.ShortDigest}.{_split}.{maxTokens}.jsonl"));
        var known = Read(path);
        var missing = sets.Values.SelectMany(q => q).Where(q => !known.ContainsKey(q.Id)).ToList();
        if (missing.Count > 0)
        {
            using var answerer = WorldAnswerer.Open(files, version?.Kind, maxTokens, Running.Contract(Contract, AllowContractMismatch));
            var display = new CountDisplay($"asking {name}", missing.Count);
            foreach (var chunk in missing.Chunk(512))
            {
                foreach (var (question, answer) in chunk.Zip(answerer.Answer(chunk, cancel)))
                    known[question.Id] = answer;
                display.Add(chunk.Length);
                Write(path, known);
            }
            display.Close();
        }
        return new JudgedVersion(name, version?.Digest, sets.ToDictionary(
            s => s.Key,
            s => (IReadOnlyList<JudgedAnswer>)[.. s.Value.Select(q => new JudgedAnswer(q, known[q.Id], judge.Judge(q, known[q.Id])))],
            StringComparer.Ordinal));
    }

    private static Dictionary<string, string> Read(string? path) => path is not null && File.Exists(path)
        ? File.ReadLines(path).Select(line => JsonNode.Parse(line)!).ToDictionary(a => (string)a["id"]!, a => (string)a["answer"]!, StringComparer.Ordinal)
        : new(StringComparer.Ordinal);

    private static void Write(string? path, Dictionary<string, string> answers)
    {
        if (path is not null)
            Atomic.WriteAllText(path, string.Concat(answers.Select(a => new JsonObject { ["id"] = a.Key, ["answer"] = a.Value }.ToJsonString(Readable) + "\n")));
    }
}
