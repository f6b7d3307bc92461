using System.Security.Cryptography;
using System.Text;
using Attune.Core.Tokens.Decoders;
using Attune.Prompts;

namespace Attune.Core.Tokens;

/// <summary>
/// A tokenizer as its tokenizer.json describes it: text to ids and back, the same as Hugging Face tokenizers gives.
/// Immutable and safe for several threads.
/// </summary>
public sealed class Tokenizer : ITokenEncoder
{
    private readonly byte[] _json;
    private readonly TokenizerParts _parts;
    private readonly Dictionary<int, AddedToken> _addedById;
    private readonly byte[]?[]? _bytes;
    private readonly TextEncoder _encoder;

    private Tokenizer(byte[] json, TokenizerParts parts)
    {
        _json = json;
        _parts = parts;
        Digest = Convert.ToHexStringLower(SHA256.HashData(json));
        _addedById = parts.Added.ToDictionary(t => t.Id);
        AddedTokens = parts.Added.GroupBy(t => t.Text, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Last().Id, StringComparer.Ordinal);
        VocabularySize = Math.Max(parts.Model.Vocabulary.Size, parts.Added.Count == 0 ? 0 : parts.Added.Max(t => t.Id) + 1);
        _encoder = new TextEncoder(parts);
        if (parts.Decoder is ByteLevelDecoder or DecoderSequence { Steps: [ByteLevelDecoder] })
        {
            _bytes = new byte[]?[VocabularySize];
            for (var id = 0; id < VocabularySize; id++)
                _bytes[id] = TextOrNull(id) is { } text ? ByteAlphabet.Read(text) : null;
        }
    }

    /// <inheritdoc/>
    public string Digest { get; }

    /// <inheritdoc/>
    public int VocabularySize { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, int> AddedTokens { get; }

    /// <summary>The added tokens with all that the file says of them, in the file's order.</summary>
    public IReadOnlyList<AddedToken> Added => _parts.Added;

    /// <summary>Reads tokenizer.json.</summary>
    /// <exception cref="TokenException">The file is broken or has a part that Attune does not know; it says which.</exception>
    public static Tokenizer Load(string path) => Parse(File.ReadAllBytes(path), path);

    /// <summary>Reads the content of a tokenizer.json.</summary>
    /// <param name="json">UTF-8.</param>
    /// <param name="file">Its name, for errors.</param>
    /// <exception cref="TokenException">As for <see cref="Load"/>.</exception>
    public static Tokenizer Parse(byte[] json, string? file = null) => new(json, TokenizerReader.Read(json, file));

    /// <summary>The same tokenizer with further special tokens, as transformers' <c>add_special_tokens</c> gives it: behind all others, or by the id that its model has for the text.</summary>
    /// <param name="texts">Those that are added tokens already change nothing.</param>
    /// <exception cref="TokenException">ATT2502: a text is empty.</exception>
    public Tokenizer WithSpecialTokens(IReadOnlyList<string> texts)
    {
        var (added, next) = (new List<AddedToken>(), VocabularySize);
        foreach (var text in texts.Distinct(StringComparer.Ordinal).Where(t => !AddedTokens.ContainsKey(t)))
        {
            if (text.Length == 0)
                throw TokenException.Bad(null, "added_tokens", "A special token needs a text.");
            added.Add(new(_parts.Model.Vocabulary.TryGetId(text, out var known) ? known : next++, text));
        }
        return Parse(TokenizerWriter.Add(_json, added));
    }

    /// <summary>Writes tokenizer.json: the very bytes that it was read from, so that nothing is lost on the way.</summary>
    public void Save(string path) => File.WriteAllBytes(path, _json);

    /// <summary>The content of tokenizer.json.</summary>
    public ReadOnlyMemory<byte> ToJson() => _json;

    /// <summary>The ids of a text.</summary>
    /// <param name="text">Any text; a lone surrogate counts as U+FFFD.</param>
    /// <param name="addSpecialTokens">Also what the file's post-processor puts around a text, such as BOS.</param>
    public int[] Encode(string text, bool addSpecialTokens = false)
    {
        var output = new TokenBuffer();
        _encoder.Encode(text, [], output);
        if (addSpecialTokens)
            _parts.PostProcessor?.Apply(output, TokenText, addSpecial: true);
        return output.Ids.AsSpan(0, output.Count).ToArray();
    }

    /// <summary>The ids of a text with the places that they came from.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="addSpecialTokens">As for <see cref="Encode(string, bool)"/>.</param>
    public TokenEncoding EncodeWithOffsets(string text, bool addSpecialTokens = false)
    {
        var output = new TokenBuffer();
        _encoder.Encode(text, [], output);
        ToCodePoints(text, output);
        _parts.PostProcessor?.Apply(output, TokenText, addSpecialTokens);
        return new TokenEncoding(
            output.Ids.AsSpan(0, output.Count).ToArray(),
            [.. Enumerable.Range(0, output.Count).Select(i => (output.Starts[i], output.Ends[i]))]);
    }

    /// <inheritdoc/>
    public void Encode(string text, IReadOnlyList<TextSpan> untrusted, List<EncodedToken> output)
    {
        var buffer = new TokenBuffer();
        _encoder.Encode(text, untrusted, buffer);
        output.EnsureCapacity(output.Count + buffer.Count);
        for (var i = 0; i < buffer.Count; i++)
            output.Add(new EncodedToken(buffer.Ids[i], buffer.Starts[i], buffer.Ends[i] - buffer.Starts[i]));
    }

    /// <inheritdoc/>
    /// <exception cref="TokenException">ATT2505: an id that the tokenizer does not have.</exception>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = false)
    {
        if (_bytes is not null)
        {
            var bytes = new List<byte>(ids.Length * 4);
            foreach (var id in ids)
                bytes.AddRange(BytesOf(id, skipSpecialTokens));
            return Encoding.UTF8.GetString(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes));
        }
        var tokens = new List<string>(ids.Length);
        foreach (var id in ids)
        {
            var text = TokenText(id);
            if (!skipSpecialTokens || !IsSpecial(id))
                tokens.Add(text);
        }
        return _parts.Decoder is { } decoder ? string.Concat(decoder.Apply(tokens)) : string.Join(' ', tokens);
    }

    /// <summary>The id of a token's text as the vocabulary spells it (byte-level: in GPT-2's alphabet), or null.</summary>
    public int? IdOf(string token) =>
        AddedTokens.TryGetValue(token, out var id) || _parts.Model.Vocabulary.TryGetId(token, out id) ? id : null;

    /// <summary>The text of an id as the vocabulary spells it.</summary>
    /// <exception cref="TokenException">ATT2505: no such id.</exception>
    public string TokenText(int id) => TextOrNull(id) ?? throw NoSuchId(id);

    /// <summary>The bytes that a token stands for: of a byte-level vocabulary its own, of others the UTF-8 of its text.</summary>
    /// <exception cref="TokenException">ATT2505: no such id.</exception>
    public byte[] TokenBytes(int id) => _bytes is not null ? BytesOf(id, skipSpecialTokens: false).ToArray()
        : ByteFallbackDecoder.ByteOf(TokenText(id)) is { } value ? [value]
        : Encoding.UTF8.GetBytes(TokenText(id));

    /// <summary>Whether there is a token with this id; a model may have more rows than its tokenizer has tokens.</summary>
    public bool HasId(int id) => TextOrNull(id) is not null;

    /// <summary>Whether decoding may leave the token out.</summary>
    public bool IsSpecial(int id) => _addedById.TryGetValue(id, out var added) && added.Special;

    /// <summary>The model, for those who write it in another format.</summary>
    internal Models.TokenModel Model => _parts.Model;

    /// <summary>Whether a token's text is its bytes, whatever stands around it: byte-level decoders.</summary>
    internal bool DecodesBytes => _bytes is not null;

    /// <summary>The bytes that a token stands for, where <see cref="DecodesBytes"/>.</summary>
    internal ReadOnlySpan<byte> BytesOf(int id, bool skipSpecialTokens) =>
        (uint)id >= (uint)_bytes!.Length || _bytes[id] is not { } bytes ? throw NoSuchId(id)
        : skipSpecialTokens && IsSpecial(id) ? []
        : bytes;

    private static TokenException NoSuchId(int id) => TokenException.Unknown(FormattableString.Invariant($"The tokenizer has no token with id {id}."));

    private string? TextOrNull(int id) =>
        _addedById.TryGetValue(id, out var added) ? added.Text : _parts.Model.Vocabulary.TryGetText(id, out var text) ? text : null;

    private static void ToCodePoints(string text, TokenBuffer tokens)
    {
        if (text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0)
            return;
        var places = new int[text.Length + 1];
        for (var at = 0; at < text.Length; at++)
            places[at + 1] = places[at] + (char.IsHighSurrogate(text[at]) && at + 1 < text.Length && char.IsLowSurrogate(text[at + 1]) ? 0 : 1);
        for (var i = 0; i < tokens.Count; i++)
            (tokens.Starts[i], tokens.Ends[i]) = (places[tokens.Starts[i]], places[tokens.Ends[i]]);
    }
}
