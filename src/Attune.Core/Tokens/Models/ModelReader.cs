using System.Text.Json;

namespace Attune.Core.Tokens.Models;

/// <summary>Reads the model of tokenizer.json.</summary>
internal static class ModelReader
{
    public static TokenModel Read(JsonField model)
    {
        if (model.IsNull)
            throw model.Bad("The model is missing.");
        // Old files leave the type out: a list for a vocabulary is Unigram's.
        var kind = model["type"].TextOr(
            model["vocab"].Kind == JsonValueKind.Array ? "Unigram" : !model["merges"].IsNull ? "BPE" : model["continuing_subword_prefix"].IsNull ? "WordLevel" : "WordPiece");
        switch (kind)
        {
            case "BPE":
                return BpeReader.Read(model);
            case "Unigram":
                return ReadUnigram(model);
            case "WordPiece":
                var pieces = BpeReader.ReadVocabulary(model["vocab"]);
                return new WordPiece(pieces, Unknown(model, pieces, "[UNK]"), model["continuing_subword_prefix"].TextOr("##"),
                    model["max_input_chars_per_word"].IsNull ? 100 : model["max_input_chars_per_word"].Whole(1, 1_000_000));
            case "WordLevel":
                var words = BpeReader.ReadVocabulary(model["vocab"]);
                return new WordLevel(words, words.TryGetId(model["unk_token"].TextOr("<unk>"), out var id) ? id : -1);
            default:
                throw model["type"].Unsupported(kind);
        }
    }

    private static Unigram ReadUnigram(JsonField model)
    {
        var vocab = model["vocab"];
        if (vocab.Length > Vocabulary.LargestId)
            throw vocab.Bad("More pieces than any vocabulary has.");
        var pieces = new List<(string, double)>(vocab.Length);
        foreach (var entry in vocab.Items())
        {
            var pair = entry.Items().ToArray();
            if (pair.Length != 2)
                throw entry.Bad("A text and a score are expected here.");
            pieces.Add((pair[0].Text(), pair[1].Number()));
        }
        var unknown = model["unk_id"].IsNull ? -1 : model["unk_id"].Whole(0, Math.Max(0, pieces.Count - 1));
        return new Unigram(pieces, unknown, model["byte_fallback"].Flag());
    }

    private static int Unknown(JsonField model, Vocabulary vocabulary, string missing)
    {
        var text = model["unk_token"].TextOr(missing);
        return vocabulary.TryGetId(text, out var id) ? id : throw model["unk_token"].Bad($"The unknown token '{text}' is not in the vocabulary.");
    }
}
