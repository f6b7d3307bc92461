using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Attune.Core.Tokens;

/// <summary>Writes a byte-level BPE tokenizer as the tokenizer.json that Hugging Face tokenizers writes.</summary>
internal static class TokenizerWriter
{
    // Relaxed: a vocabulary full of \u escapes is for nobody to read. It never goes into HTML.
    private static readonly JsonWriterOptions Readable = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The same file with further added tokens behind those that it has.</summary>
    public static byte[] Add(byte[] file, IEnumerable<AddedToken> added)
    {
        var root = JsonNode.Parse(file)!.AsObject();
        if (root["added_tokens"] is not JsonArray list)
            root["added_tokens"] = list = [];
        foreach (var token in added)
            list.Add(Entry(token));
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Readable))
            root.WriteTo(json);
        return [.. buffer.WrittenSpan, (byte)'\n'];
    }

    public static byte[] Write(IReadOnlyList<string> vocabulary, IReadOnlyList<(string Left, string Right)> merges, IReadOnlyList<AddedToken> added, WordSplit split, bool normalize = false)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Readable))
        {
            json.WriteStartObject();
            json.WriteString("version", "1.0");
            json.WriteNull("truncation");
            json.WriteNull("padding");
            WriteAdded(json, added);
            WriteNormalizer(json, normalize);
            json.WritePropertyName("pre_tokenizer");
            WriteSplit(json, split);
            json.WritePropertyName("post_processor");
            WriteByteLevel(json, prefix: true, trim: false, useRegex: true);
            json.WritePropertyName("decoder");
            WriteByteLevel(json, prefix: true, trim: true, useRegex: true);
            WriteModel(json, vocabulary, merges);
            json.WriteEndObject();
        }
        return [.. buffer.WrittenSpan, (byte)'\n'];
    }

    private static void WriteAdded(Utf8JsonWriter json, IReadOnlyList<AddedToken> added)
    {
        json.WriteStartArray("added_tokens");
        foreach (var token in added)
            Entry(token).WriteTo(json);
        json.WriteEndArray();
    }

    private static JsonObject Entry(AddedToken token) => new()
    {
        ["id"] = token.Id,
        ["content"] = token.Text,
        ["single_word"] = token.SingleWord,
        ["lstrip"] = token.StripLeft,
        ["rstrip"] = token.StripRight,
        ["normalized"] = token.Normalized,
        ["special"] = token.Special,
    };

    private static void WriteNormalizer(Utf8JsonWriter json, bool normalize)
    {
        if (!normalize)
        {
            json.WriteNull("normalizer");
            return;
        }
        json.WriteStartObject("normalizer");
        json.WriteString("type", "NFC");
        json.WriteEndObject();
    }

    private static void WriteSplit(Utf8JsonWriter json, WordSplit split)
    {
        if (split == WordSplit.Gpt2)
        {
            WriteByteLevel(json, prefix: false, trim: true, useRegex: true);
            return;
        }
        json.WriteStartObject();
        json.WriteString("type", "Sequence");
        json.WriteStartArray("pretokenizers");
        json.WriteStartObject();
        json.WriteString("type", "Split");
        json.WriteStartObject("pattern");
        json.WriteString("Regex", WordSplits.PatternOf(split));
        json.WriteEndObject();
        json.WriteString("behavior", "Isolated");
        json.WriteBoolean("invert", false);
        json.WriteEndObject();
        WriteByteLevel(json, prefix: false, trim: true, useRegex: false);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteByteLevel(Utf8JsonWriter json, bool prefix, bool trim, bool useRegex)
    {
        json.WriteStartObject();
        json.WriteString("type", "ByteLevel");
        json.WriteBoolean("add_prefix_space", prefix);
        json.WriteBoolean("trim_offsets", trim);
        json.WriteBoolean("use_regex", useRegex);
        json.WriteEndObject();
    }

    private static void WriteModel(Utf8JsonWriter json, IReadOnlyList<string> vocabulary, IReadOnlyList<(string Left, string Right)> merges)
    {
        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        json.WriteNull("dropout");
        json.WriteNull("unk_token");
        json.WriteNull("continuing_subword_prefix");
        json.WriteNull("end_of_word_suffix");
        json.WriteBoolean("fuse_unk", false);
        json.WriteBoolean("byte_fallback", false);
        json.WriteBoolean("ignore_merges", false);
        json.WriteStartObject("vocab");
        for (var id = 0; id < vocabulary.Count; id++)
            json.WriteNumber(vocabulary[id], id);
        json.WriteEndObject();
        json.WriteStartArray("merges");
        foreach (var (left, right) in merges)
        {
            json.WriteStartArray();
            json.WriteStringValue(left);
            json.WriteStringValue(right);
            json.WriteEndArray();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
