using System.Text.Json;

namespace Attune.Core.Tokens;

/// <summary>The parts of a tokenizer as its file lists them.</summary>
internal sealed record TokenizerParts
{
    public required TokenModel Model { get; init; }
    public required IReadOnlyList<AddedToken> Added { get; init; }
    public WordSplit? Split { get; init; }
    public bool ByteLevelDecoder { get; init; }
}

/// <summary>Reads tokenizer.json.</summary>
internal static class TokenizerReader
{
    public static TokenizerParts Read(ReadOnlyMemory<byte> json, string? file)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 64 });
            return ReadParts(new JsonField(document.RootElement, file, ""));
        }
        catch (JsonException e)
        {
            throw new TokenException("ATT2501", $"Not valid JSON: {e.Message}", e) { File = file, Line = (int?)e.LineNumber + 1 };
        }
    }

    private static TokenizerParts ReadParts(JsonField root)
    {
        var model = root["model"];
        if (model.IsNull)
            throw model.Bad("The model is missing.");
        var kind = model["type"].TextOr("BPE");
        if (kind != "BPE")
            throw model["type"].Unsupported(kind);
        var bpe = BpeReader.Read(model);
        if (!root["normalizer"].IsNull)
            throw root["normalizer"].Unsupported(root["normalizer"]["type"].Text());
        return new TokenizerParts
        {
            Model = bpe,
            Added = ReadAdded(root["added_tokens"], bpe.Vocabulary),
            Split = ReadSplit(root["pre_tokenizer"]) ?? throw root["pre_tokenizer"].Unsupported("this pre-tokenizer"),
            ByteLevelDecoder = true,
        };
    }

    private static WordSplit? ReadSplit(JsonField field)
    {
        if (field.IsNull)
            return null;
        if (field["type"].Text() == "ByteLevel")
            return field["use_regex"].Flag(true) && !field["add_prefix_space"].Flag() ? WordSplit.Gpt2 : null;
        if (field["type"].Text() != "Sequence")
            return null;
        var steps = field["pretokenizers"].Items().ToArray();
        if (steps.Length != 2 || steps[0]["type"].Text() != "Split" || steps[1]["type"].Text() != "ByteLevel"
            || steps[1]["use_regex"].Flag(true) || steps[1]["add_prefix_space"].Flag()
            || steps[0]["behavior"].Text() != "Isolated" || steps[0]["invert"].Flag())
            return null;
        return steps[0]["pattern"]["Regex"].TextOrNull() is { } pattern ? WordSplits.Find(pattern) : null;
    }

    private static List<AddedToken> ReadAdded(JsonField list, Vocabulary vocabulary)
    {
        var tokens = new List<AddedToken>();
        if (list.IsNull)
            return tokens;
        var known = new Dictionary<int, string>();
        foreach (var item in list.Items())
        {
            var text = item["content"].Text();
            var id = item["id"].Id();
            if (text.Length == 0)
                continue;
            // Like the reference: a text that the model knows keeps the model's id.
            if (vocabulary.TryGetId(text, out var modelId))
                id = modelId;
            else if (vocabulary.TryGetText(id, out var other))
                throw item["id"].Bad($"The model's token '{other}' has this id.");
            if (!known.TryAdd(id, text))
            {
                if (known[id] == text)
                    continue;
                throw item["id"].Bad($"The added token '{known[id]}' has this id too.");
            }
            tokens.Add(new AddedToken(id, text, item["special"].Flag(), item["single_word"].Flag(),
                item["lstrip"].Flag(), item["rstrip"].Flag(), item["normalized"].Flag(!item["special"].Flag())));
        }
        return tokens;
    }
}
