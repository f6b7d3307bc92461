using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Attune.Core.Worlds;

/// <summary>A file that an export wrote.</summary>
/// <param name="Path">Its path.</param>
/// <param name="Rows">Its rows.</param>
/// <param name="Kinds">Rows of each kind, by kind.</param>
public sealed record WorldFile(string Path, int Rows, IReadOnlyDictionary<string, int> Kinds);

/// <summary>Writes a world as ordinary JSONL: one JSON object a line, UTF-8 without a mark, lines ending in a line feed.</summary>
public static class WorldExport
{
    private static readonly JsonSerializerOptions Json = new(Formats.Options) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <summary>The world's question as a line of JSON.</summary>
    public static string ToJson(WorldQuestion question) => JsonSerializer.Serialize(question, Json);

    /// <summary>Reads a question set back.</summary>
    /// <param name="path">A file of <c>questions/</c>.</param>
    /// <exception cref="WorldException">ATT3503 with file and line where a line is no question.</exception>
    public static IReadOnlyList<WorldQuestion> ReadQuestions(string path)
    {
        var questions = new List<WorldQuestion>();
        var number = 0;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            try
            {
                questions.Add(JsonSerializer.Deserialize<WorldQuestion>(line, Json) ?? throw new JsonException("null"));
            }
            catch (JsonException e)
            {
                throw new WorldException("ATT3503", "This line is no question of a world.", e) { File = path, Line = number, Hint = "Write the world again; its files are not meant to be edited." };
            }
        }
        return questions;
    }

    /// <summary>
    /// Writes everything into a folder: the text to train a tokenizer on, pretrain, sft, chat, preference (each with a .valid file), what pretrain says of known people, rankings, and questions/.
    /// The same world writes the same bytes.
    /// </summary>
    /// <param name="world">The world.</param>
    /// <param name="folder">Made where it is not there; files of the same names are replaced.</param>
    /// <param name="cancel">Stops between rows.</param>
    /// <returns>What was written, in order.</returns>
    public static IReadOnlyList<WorldFile> Write(World world, string folder, CancellationToken cancel = default)
    {
        var options = world.Options;
        Directory.CreateDirectory(Path.Combine(folder, "questions"));
        var files = new List<WorldFile>
        {
            Rows(folder, "tokenizer.jsonl", TokenizerText.Rows(world), p => p.Kind, cancel),
            Rows(folder, "pretrain.jsonl", PretrainText.Train(world), p => p.Kind, cancel),
            Rows(folder, "pretrain.valid.jsonl", PretrainText.Valid(world), p => p.Kind, cancel),
            Rows(folder, "known.jsonl", PretrainText.Train(world).Where(p => p.Kind is "biography" or "questions"), p => p.Kind, cancel),
            Rows(folder, "sft.jsonl", TrainingRows.Instructions(world, "train", options.InstructRows), r => r.Kind, cancel),
            Rows(folder, "sft.valid.jsonl", TrainingRows.Instructions(world, "valid", options.ValidRows), r => r.Kind, cancel),
            Rows(folder, "chat.jsonl", TrainingRows.Conversations(world, "train", options.ChatRows), r => r.Kind, cancel),
            Rows(folder, "chat.valid.jsonl", TrainingRows.Conversations(world, "valid", options.ValidRows), r => r.Kind, cancel),
            Rows(folder, "preference.jsonl", TrainingRows.Preferences(world, "train", options.PreferenceRows), r => r.Kind, cancel),
            Rows(folder, "preference.valid.jsonl", TrainingRows.Preferences(world, "valid", options.ValidRows), r => r.Kind, cancel),
            Rows(folder, "rankings.jsonl", TrainingRows.Rankings(world, "train", options.RankingRows), r => r.Kind, cancel),
        };
        foreach (var split in new[] { WorldSplit.Valid, WorldSplit.Test })
        {
            foreach (var set in QuestionSets.Names)
                files.Add(Rows(folder, $"questions/{split.ToString().ToLowerInvariant()}.{set}.jsonl", QuestionSets.Build(world, split, set), q => q.Kind, cancel));
        }
        return files;
    }

    private static WorldFile Rows<T>(string folder, string name, IEnumerable<T> rows, Func<T, string> kind, CancellationToken cancel)
    {
        var path = Path.Combine(folder, name);
        var kinds = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var count = 0;
        // Written beside its place and moved there, so that a broken run leaves no half file under a good name.
        var temporary = path + ".partial";
        using (var writer = new StreamWriter(temporary, append: false, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { NewLine = "\n" })
        {
            foreach (var row in rows)
            {
                cancel.ThrowIfCancellationRequested();
                writer.WriteLine(JsonSerializer.Serialize(row, Json));
                kinds[kind(row)] = kinds.GetValueOrDefault(kind(row)) + 1;
                count++;
            }
        }
        File.Move(temporary, path, overwrite: true);
        return new WorldFile(path, count, kinds);
    }
}
