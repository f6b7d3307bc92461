using System.Text.Json;

namespace Attune.Core.Tokens.Models;

/// <summary>Reads the BPE model of tokenizer.json: vocabulary, merges in both spellings, and the settings.</summary>
internal static class BpeReader
{
    public static Bpe Read(JsonField model)
    {
        if (!model["dropout"].IsNull && model["dropout"].Number() != 0)
            throw model["dropout"].Unsupported("dropout");
        var vocabulary = ReadVocabulary(model["vocab"]);
        var settings = new BpeSettings
        {
            UnknownToken = model["unk_token"].TextOrNull(),
            ContinuingPrefix = model["continuing_subword_prefix"].TextOrNull(),
            EndOfWordSuffix = model["end_of_word_suffix"].TextOrNull(),
            FuseUnknown = model["fuse_unk"].Flag(),
            ByteFallback = model["byte_fallback"].Flag(),
            IgnoreMerges = model["ignore_merges"].Flag(),
        };
        if (settings.UnknownToken is { } unknown && !vocabulary.TryGetId(unknown, out _))
            throw model["unk_token"].Bad($"The unknown token '{unknown}' is not in the vocabulary.");
        return new Bpe(vocabulary, ReadMerges(model["merges"], vocabulary, settings.ContinuingPrefix?.Length ?? 0), settings);
    }

    public static Vocabulary ReadVocabulary(JsonField vocab)
    {
        var entries = new List<KeyValuePair<string, int>>();
        var owners = new Dictionary<int, string>();
        foreach (var (text, id) in vocab.Members())
        {
            var value = id.Id();
            if (!owners.TryAdd(value, text) && owners[value] != text)
                throw id.Bad($"'{owners[value]}' has this id too.");
            entries.Add(new(text, value));
        }
        return new Vocabulary(entries);
    }

    private static List<(int Left, int Right, int Id)> ReadMerges(JsonField merges, Vocabulary vocabulary, int prefix)
    {
        // An empty object stands for no merges in some published files.
        if (merges.Kind == JsonValueKind.Object && !merges.Members().Any())
            return [];
        var read = new List<(int, int, int)>(merges.Length);
        foreach (var merge in merges.Items())
        {
            var (left, right) = ReadPair(merge);
            if (!vocabulary.TryGetId(left, out var leftId) || !vocabulary.TryGetId(right, out var rightId))
                throw merge.Bad($"'{left}' or '{right}' is not in the vocabulary.");
            var whole = left + (prefix <= right.Length ? right[prefix..] : "");
            if (!vocabulary.TryGetId(whole, out var id))
                throw merge.Bad($"What it makes, '{whole}', is not in the vocabulary.");
            if (id == leftId || id == rightId)
                throw merge.Bad("A merge that makes one of its own parts never ends.");
            read.Add((leftId, rightId, id));
        }
        return read;
    }

    private static (string Left, string Right) ReadPair(JsonField merge)
    {
        if (merge.Kind == JsonValueKind.Array)
        {
            var pair = merge.Items().Select(i => i.Text()).ToArray();
            return pair.Length == 2 ? (pair[0], pair[1]) : throw merge.Bad("A merge has two parts.");
        }
        var text = merge.Text();
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        return space > 0 && text.IndexOf(' ', space + 1) < 0
            ? (text[..space], text[(space + 1)..])
            : throw merge.Bad("A merge is two parts with one space between.");
    }
}
