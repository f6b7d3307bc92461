using System.Text.Json;
using Attune.Core.Tokens.Models;

namespace Attune.Core.Tokens;

/// <summary>The older pair of files of a byte-level BPE: vocab.json and merges.txt.</summary>
public static class GptFiles
{
    /// <summary>Makes a tokenizer of the two.</summary>
    /// <param name="vocabPath">vocab.json: texts to ids, which must be 0, 1, 2 and so on.</param>
    /// <param name="mergesPath">merges.txt: a pair a line, after a first line that may say the version.</param>
    /// <param name="split">How text is cut into words; the two files do not say.</param>
    /// <param name="normalize">Whether text is brought to NFC first, as Qwen does.</param>
    /// <param name="specialTokens">Special tokens: of the vocabulary, or new ones after it.</param>
    /// <exception cref="TokenException">A file is broken.</exception>
    public static Tokenizer Load(string vocabPath, string mergesPath, WordSplit split, bool normalize, IReadOnlyList<string> specialTokens)
    {
        var vocabulary = ReadVocabulary(vocabPath);
        var texts = new List<string>(vocabulary.Size);
        for (var id = 0; id < vocabulary.Size; id++)
            texts.Add(vocabulary.TryGetText(id, out var text) ? text : throw TokenException.Bad(vocabPath, "vocab", FormattableString.Invariant($"No token has id {id}.")));
        var known = texts.ToHashSet(StringComparer.Ordinal);
        var next = texts.Count;
        var added = specialTokens.Select(t => new AddedToken(known.Contains(t) ? vocabulary.TryGetId(t, out var id) ? id : -1 : next++, t)).ToArray();
        return Tokenizer.Parse(TokenizerWriter.Write(texts, ReadMerges(mergesPath), added, split, normalize), vocabPath);
    }

    private static Vocabulary ReadVocabulary(string path)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            return BpeReader.ReadVocabulary(new JsonField(json.RootElement, path, "vocab"));
        }
        catch (JsonException e)
        {
            throw TokenException.Broken(path, $"Not valid JSON: {e.Message}", e);
        }
    }

    private static List<(string Left, string Right)> ReadMerges(string path)
    {
        var merges = new List<(string, string)>();
        var number = 0;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            if (line.Length == 0 || (number == 1 && line.StartsWith("#version", StringComparison.Ordinal)))
                continue;
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            if (space < 1 || space == line.Length - 1)
                throw new TokenException("ATT2502", "A merge is two parts with one space between.") { File = path, Line = number };
            merges.Add((line[..space], line[(space + 1)..]));
        }
        return merges;
    }
}
