using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Core.Tokens.Decoders;
using Attune.Core.Tokens.Models;

namespace Attune.Core.Tokens;

/// <summary>
/// A tokenizer as GGUF's keys tokenizer.ggml.* hold it, to and from tokenizer.json: "gpt2" is byte-level BPE with a
/// named way to cut words, "llama" is SentencePiece's BPE, whose merges follow from the scores.
/// </summary>
public sealed record GgufVocabulary
{
    /// <summary>A token that has text of its own.</summary>
    public const int Normal = 1;

    /// <summary>A special token.</summary>
    public const int Control = 3;

    /// <summary>An added token that is not special.</summary>
    public const int UserDefined = 4;

    /// <summary>An id without a token.</summary>
    public const int Unused = 5;

    /// <summary>A byte, for what is not known.</summary>
    public const int Byte = 6;

    /// <summary>tokenizer.ggml.model: gpt2 or llama.</summary>
    public required string Model { get; init; }

    /// <summary>tokenizer.ggml.pre: llama.cpp's name of the way to cut words.</summary>
    public string Pre { get; init; } = "default";

    /// <summary>tokenizer.ggml.tokens: texts by id.</summary>
    public required IReadOnlyList<string> Tokens { get; init; }

    /// <summary>tokenizer.ggml.token_type: by id; empty for all normal.</summary>
    public IReadOnlyList<int> Types { get; init; } = [];

    /// <summary>tokenizer.ggml.merges: two texts with a space between (gpt2).</summary>
    public IReadOnlyList<string> Merges { get; init; } = [];

    /// <summary>tokenizer.ggml.scores: by id, the higher the sooner merged (llama).</summary>
    public IReadOnlyList<float> Scores { get; init; } = [];

    /// <summary>tokenizer.ggml.unknown_token_id.</summary>
    public int? Unknown { get; init; }

    /// <summary>tokenizer.ggml.add_space_prefix (llama).</summary>
    public bool AddSpacePrefix { get; init; } = true;

    /// <summary>The tokenizer that these keys describe.</summary>
    /// <exception cref="TokenException">ATT2503: a model or a cut that Attune does not know.</exception>
    public Tokenizer ToTokenizer(string? file = null)
    {
        var root = new JsonObject { ["version"] = "1.0", ["truncation"] = null, ["padding"] = null, ["added_tokens"] = AddedNodes() };
        switch (Model)
        {
            case "gpt2":
                root["normalizer"] = null;
                root["pre_tokenizer"] = GgufSplits.Find(Pre) ?? throw TokenException.Unsupported(file, "tokenizer.ggml.pre", Pre);
                root["post_processor"] = null;
                root["decoder"] = GgufSplits.ByteLevel(useRegex: true);
                break;
            case "llama":
                root["normalizer"] = SentencePieceNormalizer();
                root["pre_tokenizer"] = null;
                root["post_processor"] = null;
                root["decoder"] = SentencePieceDecoder();
                break;
            default:
                throw TokenException.Unsupported(file, "tokenizer.ggml.model", Model);
        }
        root["model"] = ModelNode(file);
        return Tokenizer.Parse(JsonSerializer.SerializeToUtf8Bytes(root), file);
    }

    /// <summary>The keys for a tokenizer.</summary>
    /// <exception cref="TokenException">ATT2503: llama.cpp has no name for its way to cut words, or for its model.</exception>
    public static GgufVocabulary Of(Tokenizer tokenizer)
    {
        using var json = JsonDocument.Parse(tokenizer.ToJson());
        var root = json.RootElement;
        if (tokenizer.Model is not Bpe bpe)
            throw TokenException.Unsupported(null, "model.type", tokenizer.Model.GetType().Name);
        var tokens = Enumerable.Range(0, tokenizer.VocabularySize).Select(id => tokenizer.HasId(id) ? tokenizer.TokenText(id) : FormattableString.Invariant($"[PAD{id}]")).ToArray();
        var common = new GgufVocabulary
        {
            Model = "gpt2",
            Tokens = tokens,
            Types = [.. Enumerable.Range(0, tokens.Length).Select(id => TypeOf(tokenizer, id, bpe.Settings.ByteFallback))],
            Unknown = bpe.Unknown < 0 ? null : bpe.Unknown,
        };
        if (bpe.Settings.ByteFallback)
        {
            // A merge makes its token as early as its rank says: that is the order that scores must give.
            var scores = new float[tokens.Length];
            for (var rank = bpe.Merges.Count - 1; rank >= 0; rank--)
                scores[bpe.Merges[rank].Id] = -rank - 1;
            return common with { Model = "llama", Scores = scores, AddSpacePrefix = AddsSpace(root) };
        }
        return common with
        {
            Pre = GgufSplits.NameOf(Property(root, "pre_tokenizer")) ?? throw TokenException.Unsupported(null, "pre_tokenizer", Property(root, "pre_tokenizer").ToString()),
            Merges = [.. bpe.Merges.Select(m => $"{tokenizer.TokenText(m.Left)} {tokenizer.TokenText(m.Right)}")],
        };
    }

    // Older files prepend in the normalizer; newer ones cut with a Metaspace that does it, "first" or "always".
    private static bool AddsSpace(JsonElement root) =>
        Property(root, "normalizer").ToString().Contains("Prepend", StringComparison.Ordinal)
        || (Property(root, "pre_tokenizer").ToString() is var cut && cut.Contains("Metaspace", StringComparison.Ordinal) && !cut.Contains("\"never\"", StringComparison.Ordinal));

    private static JsonElement Property(JsonElement root, string name) => root.TryGetProperty(name, out var value) ? value : default;

    private static int TypeOf(Tokenizer tokenizer, int id, bool hasBytes) =>
        !tokenizer.HasId(id) ? Unused
        : hasBytes && ByteFallbackDecoder.ByteOf(tokenizer.TokenText(id)) is not null ? Byte
        : tokenizer.IsSpecial(id) ? Control
        : tokenizer.AddedTokens.ContainsKey(tokenizer.TokenText(id)) ? UserDefined
        : Normal;

    private int Type(int id) => id < Types.Count ? Types[id] : Normal;

    private JsonArray AddedNodes()
    {
        var added = new JsonArray();
        for (var id = 0; id < Tokens.Count; id++)
        {
            if (Type(id) is not (Control or UserDefined) || Tokens[id].Length == 0)
                continue;
            added.Add(new JsonObject
            {
                ["id"] = id,
                ["content"] = Tokens[id],
                ["single_word"] = false,
                ["lstrip"] = false,
                ["rstrip"] = false,
                ["normalized"] = false,
                ["special"] = Type(id) == Control,
            });
        }
        return added;
    }

    private JsonObject ModelNode(string? file)
    {
        var vocab = new JsonObject();
        for (var id = 0; id < Tokens.Count; id++)
        {
            if (!vocab.TryAdd(Tokens[id], id))
                throw TokenException.Bad(file, FormattableString.Invariant($"tokenizer.ggml.tokens[{id}]"), $"'{Tokens[id]}' is there twice.");
        }
        var spm = Model == "llama";
        var merges = spm ? MergesFromScores() : Merges.Select(m => Cut(m, file));
        return new JsonObject
        {
            ["type"] = "BPE",
            ["dropout"] = null,
            ["unk_token"] = spm && Unknown is { } unknown && unknown < Tokens.Count ? Tokens[unknown] : null,
            ["continuing_subword_prefix"] = null,
            ["end_of_word_suffix"] = null,
            ["fuse_unk"] = spm,
            ["byte_fallback"] = spm,
            ["ignore_merges"] = Pre is "llama-bpe" or "llama3" or "llama-v3",
            ["vocab"] = vocab,
            ["merges"] = new JsonArray([.. merges.Select(m => (JsonNode)new JsonArray(m.Left, m.Right))]),
        };
    }

    private static (string Left, string Right) Cut(string merge, string? file)
    {
        var space = merge.Length < 2 ? -1 : merge.IndexOf(' ', 1);
        return space > 0 && space < merge.Length - 1 ? (merge[..space], merge[(space + 1)..])
            : throw TokenException.Bad(file, "tokenizer.ggml.merges", $"'{merge}' is not two parts with one space between.");
    }

    /// <summary>Every way to make a token of two, the tokens of higher score first.</summary>
    private List<(string Left, string Right)> MergesFromScores()
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var id = 0; id < Tokens.Count; id++)
            ids[Tokens[id]] = id;
        var bySpan = ids.GetAlternateLookup<ReadOnlySpan<char>>();
        var found = new List<(float Score, int Id, int Left, int Right)>();
        for (var id = 0; id < Tokens.Count && id < Scores.Count; id++)
        {
            if (Type(id) != Normal)
                continue;
            var text = Tokens[id].AsSpan();
            for (var cut = 1; cut < text.Length; cut++)
            {
                if (bySpan.TryGetValue(text[..cut], out var left) && bySpan.TryGetValue(text[cut..], out var right))
                    found.Add((Scores[id], id, left, right));
            }
        }
        return [.. found.OrderByDescending(f => f.Score).ThenBy(f => f.Id).ThenBy(f => f.Left).ThenBy(f => f.Right).Select(f => (Tokens[f.Left], Tokens[f.Right]))];
    }

    private JsonObject SentencePieceNormalizer()
    {
        var steps = new JsonArray();
        if (AddSpacePrefix)
            steps.Add(new JsonObject { ["type"] = "Prepend", ["prepend"] = "\u2581" });
        steps.Add(new JsonObject { ["type"] = "Replace", ["pattern"] = new JsonObject { ["String"] = " " }, ["content"] = "\u2581" });
        return new JsonObject { ["type"] = "Sequence", ["normalizers"] = steps };
    }

    private JsonObject SentencePieceDecoder()
    {
        var steps = new JsonArray(
            new JsonObject { ["type"] = "Replace", ["pattern"] = new JsonObject { ["String"] = "\u2581" }, ["content"] = " " },
            new JsonObject { ["type"] = "ByteFallback" },
            new JsonObject { ["type"] = "Fuse" });
        if (AddSpacePrefix)
            steps.Add(new JsonObject { ["type"] = "Strip", ["content"] = " ", ["start"] = 1, ["stop"] = 0 });
        return new JsonObject { ["type"] = "Sequence", ["decoders"] = steps };
    }
}

/// <summary>llama.cpp's names for ways to cut words, as pre-tokenizers of tokenizer.json.</summary>
internal static class GgufSplits
{
    private static readonly (string[] Names, Func<JsonObject> Node)[] Known =
    [
        (["gpt-2", "gpt2", "default", "mpt", "olmo", "jais", "phi-2", "roberta-bpe", "gigachat"], () => ByteLevel(useRegex: true)),
        (["llama-bpe", "llama3", "llama-v3", "dbrx", "smaug-bpe", "falcon3", "pixtral"], () => Sequence(Regex(WordSplits.Llama3Pattern), ByteLevel(useRegex: false))),
        (["qwen2", "deepseek-r1-qwen", "stablelm2", "hunyuan", "megrez"], () => Sequence(Regex(WordSplits.Qwen2Pattern), ByteLevel(useRegex: false))),
        (["smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"], () => Sequence(Digits(), ByteLevel(useRegex: true))),
        (["falcon"], () => Sequence(
            new JsonObject { ["type"] = "Punctuation", ["behavior"] = "Contiguous" },
            ByteLevel(useRegex: true),
            new JsonObject { ["type"] = "Digits", ["individual_digits"] = false },
            Regex("[0-9][0-9][0-9]"))),
        (["deepseek-coder"], () => Sequence(
            Regex("[\r\n]"), Regex(@"\s?\p{L}+"), Regex(@"\s?\p{P}+"), Regex("[\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+"), Digits(), ByteLevel(useRegex: false))),
    ];

    public static JsonObject? Find(string name) => Known.FirstOrDefault(k => k.Names.Contains(name, StringComparer.Ordinal)).Node?.Invoke();

    /// <summary>The name of a pre-tokenizer, or null where llama.cpp has none for it.</summary>
    public static string? NameOf(JsonElement preTokenizer)
    {
        if (preTokenizer.ValueKind != JsonValueKind.Object)
            return null;
        var canonical = Canonical(JsonNode.Parse(preTokenizer.GetRawText()));
        return Known.FirstOrDefault(k => JsonNode.DeepEquals(Canonical(k.Node()), canonical)).Names?[0];
    }

    public static JsonObject ByteLevel(bool useRegex) =>
        new() { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = useRegex };

    private static JsonObject Regex(string pattern) => new()
    {
        ["type"] = "Split",
        ["pattern"] = new JsonObject { ["Regex"] = pattern },
        ["behavior"] = "Isolated",
        ["invert"] = false,
    };

    private static JsonObject Digits() => new() { ["type"] = "Digits", ["individual_digits"] = true };

    private static JsonObject Sequence(params JsonNode[] steps) => new() { ["type"] = "Sequence", ["pretokenizers"] = new JsonArray(steps) };

    /// <summary>Without the fields that do not change the cut.</summary>
    private static JsonNode? Canonical(JsonNode? node)
    {
        if (node is JsonObject found)
        {
            found.Remove("trim_offsets");
            foreach (var (_, value) in found)
                Canonical(value);
        }
        else if (node is JsonArray list)
        {
            foreach (var item in list)
                Canonical(item);
        }
        return node;
    }
}
