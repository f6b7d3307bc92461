using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
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
    private readonly AddedTokenMatcher _matcher;
    private readonly Dictionary<int, AddedToken> _addedById;
    private readonly HashSet<int> _control;
    private readonly bool _modelMakesControl;
    private readonly byte[]?[] _bytes;
    private readonly ConcurrentBag<WordCache> _caches = [];

    private Tokenizer(byte[] json, TokenizerParts parts)
    {
        _json = json;
        _parts = parts;
        Digest = Convert.ToHexStringLower(SHA256.HashData(json));
        _matcher = new AddedTokenMatcher(parts.Added.Select(t => (t.Text, t)));
        _addedById = parts.Added.ToDictionary(t => t.Id);
        AddedTokens = parts.Added.GroupBy(t => t.Text, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Last().Id, StringComparer.Ordinal);
        _control = [.. parts.Added.Where(t => t.IsControl).Select(t => t.Id)];
        _modelMakesControl = parts.Model.CanMake(_control);
        VocabularySize = Math.Max(parts.Model.Vocabulary.Size, parts.Added.Count == 0 ? 0 : parts.Added.Max(t => t.Id) + 1);
        _bytes = new byte[]?[VocabularySize];
        for (var id = 0; id < VocabularySize; id++)
            _bytes[id] = TextOrNull(id) is { } text ? ByteAlphabet.Read(text) : null;
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
        Encode(text, [], output);
        return output.Ids.AsSpan(0, output.Count).ToArray();
    }

    /// <inheritdoc/>
    public void Encode(string text, IReadOnlyList<TextSpan> untrusted, List<EncodedToken> output)
    {
        var buffer = new TokenBuffer();
        Encode(text, untrusted, buffer);
        output.EnsureCapacity(output.Count + buffer.Count);
        for (var i = 0; i < buffer.Count; i++)
            output.Add(new EncodedToken(buffer.Ids[i], buffer.Starts[i], buffer.Ends[i] - buffer.Starts[i]));
    }

    /// <inheritdoc/>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = false)
    {
        var bytes = new List<byte>(ids.Length * 4);
        foreach (var id in ids)
            bytes.AddRange(BytesOf(id, skipSpecialTokens));
        return Encoding.UTF8.GetString(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes));
    }

    /// <summary>The id of a token's text as the vocabulary spells it (byte-level: in GPT-2's alphabet), or null.</summary>
    public int? IdOf(string token) =>
        AddedTokens.TryGetValue(token, out var id) || _parts.Model.Vocabulary.TryGetId(token, out id) ? id : null;

    /// <summary>The text of an id as the vocabulary spells it.</summary>
    /// <exception cref="TokenException">ATT2505: no such id.</exception>
    public string TokenText(int id) => TextOrNull(id) ?? throw NoSuchId(id);

    /// <summary>The bytes that a token stands for.</summary>
    internal ReadOnlySpan<byte> BytesOf(int id, bool skipSpecialTokens) =>
        (uint)id >= (uint)_bytes.Length || _bytes[id] is not { } bytes ? throw NoSuchId(id)
        : skipSpecialTokens && _addedById.TryGetValue(id, out var added) && added.Special ? []
        : bytes;

    private static TokenException NoSuchId(int id) => TokenException.Unknown(FormattableString.Invariant($"The tokenizer has no token with id {id}."));

    private string? TextOrNull(int id) =>
        _addedById.TryGetValue(id, out var added) ? added.Text : _parts.Model.Vocabulary.TryGetText(id, out var text) ? text : null;

    private void Encode(string text, IReadOnlyList<TextSpan> untrusted, TokenBuffer output)
    {
        if (!_caches.TryTake(out var cache))
            cache = new WordCache();
        var parts = new List<(AddedToken? Token, int Start, int End)>();
        Func<AddedToken, int, int, bool>? refuses = untrusted.Count == 0 ? null
            : (token, start, end) => token.IsControl && Touches(untrusted, start, end);
        _matcher.Split(text, refuses, parts);
        foreach (var (token, start, end) in parts)
        {
            if (token is not null)
                output.Add(token.Id, start, end);
            else
                EncodeWords(text.AsSpan(start, end - start), start, untrusted, output, cache);
        }
        _caches.Add(cache);
    }

    private void EncodeWords(ReadOnlySpan<char> text, int offset, IReadOnlyList<TextSpan> untrusted, TokenBuffer output, WordCache cache)
    {
        var bpe = (Bpe)_parts.Model;
        var split = _parts.Split!.Value;
        var careful = _modelMakesControl && untrusted.Count > 0;
        for (var at = 0; at < text.Length;)
        {
            var end = WordSplits.Next(split, text, at);
            var word = text[at..end];
            if (careful && Touches(untrusted, offset + at, offset + end))
            {
                bpe.EncodeBytes(word, offset + at, _control, output);
            }
            else
            {
                var hash = WordCache.Hash(word);
                if (!cache.TryAppend(word, hash, offset + at, output))
                {
                    var from = output.Count;
                    bpe.EncodeBytes(word, offset + at, null, output);
                    cache.Add(word, hash, offset + at, output, from);
                }
            }
            at = end;
        }
    }

    /// <summary>Whether [start, end) shares a code unit with one of the sorted spans.</summary>
    private static bool Touches(IReadOnlyList<TextSpan> spans, int start, int end)
    {
        var (low, high) = (0, spans.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (spans[middle].End <= start)
                low = middle + 1;
            else
                high = middle;
        }
        for (; low < spans.Count && spans[low].Start < end; low++)
        {
            if (spans[low].Length > 0)
                return true;
        }
        return false;
    }
}
