using System.Text.Json;

using Attune.Core.Tokens.Decoders;
using Attune.Core.Tokens.Models;
using Attune.Core.Tokens.Normalizers;
using Attune.Core.Tokens.PostProcessors;
using Attune.Core.Tokens.PreTokenizers;

namespace Attune.Core.Tokens;

/// <summary>The parts of a tokenizer as its file lists them.</summary>
internal sealed record TokenizerParts
{
    public Normalizer? Normalizer { get; init; }
    public PreTokenizer? PreTokenizer { get; init; }
    public required TokenModel Model { get; init; }
    public PostProcessor? PostProcessor { get; init; }
    public TokenDecoder? Decoder { get; init; }
    public required IReadOnlyList<AddedToken> Added { get; init; }
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
        var model = ModelReader.Read(root["model"]);
        return new TokenizerParts
        {
            Normalizer = NormalizerReader.Read(root["normalizer"]),
            PreTokenizer = PreTokenizerReader.Read(root["pre_tokenizer"]),
            Model = model,
            PostProcessor = PostProcessorReader.Read(root["post_processor"]),
            Decoder = DecoderReader.Read(root["decoder"]),
            Added = ReadAdded(root["added_tokens"], model.Vocabulary),
        };
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
