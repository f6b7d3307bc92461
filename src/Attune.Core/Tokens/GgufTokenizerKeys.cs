using Attune.Core.Checkpoints.Gguf;

namespace Attune.Core.Tokens;

/// <summary>The keys tokenizer.ggml.* of a GGUF file, to and from <see cref="GgufVocabulary"/>.</summary>
public static class GgufTokenizerKeys
{
    private const string Prefix = "tokenizer.ggml.";

    /// <summary>The vocabulary of a file.</summary>
    /// <exception cref="GgufException">ATT3304: a key is missing or of another type.</exception>
    public static GgufVocabulary Read(GgufMetadata metadata) => new()
    {
        Model = metadata.RequiredText(Prefix + "model"),
        Pre = metadata.Text(Prefix + "pre") ?? "default",
        Tokens = metadata.Texts(Prefix + "tokens"),
        Types = metadata.Ints(Prefix + "token_type"),
        Merges = metadata.Texts(Prefix + "merges"),
        Scores = metadata.Floats(Prefix + "scores"),
        Unknown = metadata.Int(Prefix + "unknown_token_id"),
        AddSpacePrefix = metadata.Flag(Prefix + "add_space_prefix") ?? true,
    };

    /// <summary>The keys of a vocabulary; those of special tokens are the model's.</summary>
    public static IEnumerable<KeyValuePair<string, GgufValue>> Write(GgufVocabulary vocabulary)
    {
        yield return new(Prefix + "model", GgufValue.Of(vocabulary.Model));
        yield return new(Prefix + "pre", GgufValue.Of(vocabulary.Pre));
        yield return new(Prefix + "tokens", GgufValue.Of(vocabulary.Tokens));
        if (vocabulary.Scores.Count > 0)
            yield return new(Prefix + "scores", GgufValue.Of(vocabulary.Scores));
        yield return new(Prefix + "token_type", GgufValue.Of(vocabulary.Types));
        if (vocabulary.Merges.Count > 0)
            yield return new(Prefix + "merges", GgufValue.Of(vocabulary.Merges));
        if (vocabulary.Unknown is { } unknown)
            yield return new(Prefix + "unknown_token_id", GgufValue.Of(unknown));
        if (vocabulary.Model == "llama")
            yield return new(Prefix + "add_space_prefix", GgufValue.Of(vocabulary.AddSpacePrefix));
    }

    /// <summary>The vocabulary with as many tokens as the embedding has rows: rows without a token get one that is never used.</summary>
    public static GgufVocabulary PaddedTo(this GgufVocabulary vocabulary, int rows)
    {
        var missing = Enumerable.Range(vocabulary.Tokens.Count, Math.Max(0, rows - vocabulary.Tokens.Count)).ToArray();
        return vocabulary with
        {
            Tokens = [.. vocabulary.Tokens, .. missing.Select(id => FormattableString.Invariant($"[PAD{id}]"))],
            Types = [.. vocabulary.Types, .. missing.Select(_ => GgufVocabulary.Unused)],
            Scores = vocabulary.Scores.Count == 0 ? [] : [.. vocabulary.Scores, .. missing.Select(_ => -10_000f)],
        };
    }
}
