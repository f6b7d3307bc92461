using System.Buffers;
using System.Globalization;
using System.Text;

namespace Attune.Core.Tokens.Models;

/// <summary>The parts of a BPE model in tokenizer.json beside its vocabulary and merges.</summary>
internal sealed record BpeSettings
{
    public string? UnknownToken { get; init; }
    public string? ContinuingPrefix { get; init; }
    public string? EndOfWordSuffix { get; init; }
    public bool FuseUnknown { get; init; }
    public bool ByteFallback { get; init; }
    public bool IgnoreMerges { get; init; }
}

/// <summary>
/// Byte-pair encoding (Sennrich et al. 2016): start from characters, or bytes, and apply the merge of lowest rank,
/// leftmost first, until none applies.
/// </summary>
internal sealed class Bpe : TokenModel
{
    /// <summary>Up to this many symbols a scan for the least rank beats a heap.</summary>
    private const int ShortWord = 40;

    private readonly MergeTable _merges;
    private readonly BpeSettings _settings;
    private readonly int? _unknown;
    private readonly int[]? _fallback;
    private readonly int[] _byteIds;
    private readonly HashSet<int> _made = [];
    private readonly bool _manyWaysToOneToken;

    /// <param name="vocabulary">Texts and ids.</param>
    /// <param name="merges">Pairs of ids with the id that each makes, by rank.</param>
    /// <param name="settings">The rest.</param>
    public Bpe(Vocabulary vocabulary, IReadOnlyList<(int Left, int Right, int Id)> merges, BpeSettings settings)
    {
        Vocabulary = vocabulary;
        Merges = merges;
        _settings = settings;
        _merges = new MergeTable(merges.Count);
        for (var rank = 0; rank < merges.Count; rank++)
        {
            var (left, right, id) = merges[rank];
            var known = _merges.Count;
            _merges.Set(left, right, rank, id);
            _manyWaysToOneToken |= !_made.Add(id) && _merges.Count > known;
        }
        _unknown = settings.UnknownToken is { } text && vocabulary.TryGetId(text, out var unknown) ? unknown : null;
        _fallback = settings.ByteFallback ? FallbackIds(vocabulary) : null;
        _byteIds = new int[256];
        for (var b = 0; b < 256; b++)
            _byteIds[b] = vocabulary.TryGetId([ByteAlphabet.CharOf((byte)b)], out var id) ? id : -1;
    }

    public override Vocabulary Vocabulary { get; }

    public override int Unknown => _unknown ?? -1;

    public IReadOnlyList<(int Left, int Right, int Id)> Merges { get; }

    public BpeSettings Settings => _settings;

    /// <summary>Whether words can go in as bytes: all 256 are known and nothing is added to a character.</summary>
    public bool TakesBytes => Array.TrueForAll(_byteIds, id => id >= 0)
        && _settings is { ContinuingPrefix: null or "", EndOfWordSuffix: null or "" };

    /// <summary>
    /// U+2581 where no token has it after another character: then no merge crosses the place before it, and a long text
    /// can be cut there into words, each encoded, and remembered, by itself. Null where that would change the result.
    /// </summary>
    public char? Boundary => !_settings.IgnoreMerges && _settings is { ContinuingPrefix: null or "", EndOfWordSuffix: null or "" }
        && Vocabulary.TryGetId("\u2581", out _)
        && _made.All(id => Vocabulary.TryGetText(id, out var text) && text.AsSpan().TrimStart('\u2581').IndexOf('\u2581') < 0)
        ? '\u2581' : null;

    public override bool CanMake(IReadOnlySet<int> ids) => ids.Overlaps(_made)
        || Vocabulary.Entries.Any(e => ids.Contains(e.Value) && (_settings.IgnoreMerges || new StringInfo(e.Key).LengthInTextElements <= 1 || e.Key.Length <= 2));

    /// <summary>The ids of &lt;0x00&gt; to &lt;0xFF&gt;, -1 where one is missing.</summary>
    public static int[] FallbackIds(Vocabulary vocabulary)
    {
        var ids = new int[256];
        for (var b = 0; b < 256; b++)
            ids[b] = vocabulary.TryGetId(string.Create(CultureInfo.InvariantCulture, $"<0x{b:X2}>"), out var id) ? id : -1;
        return ids;
    }

    public override void Encode(ReadOnlySpan<char> word, int offset, IReadOnlySet<int>? banned, TokenBuffer output)
    {
        if (_settings.IgnoreMerges && Vocabulary.TryGetId(word, out var whole) && banned?.Contains(whole) != true)
        {
            output.Add(whole, offset, offset + word.Length);
            return;
        }
        var room = (word.Length * 3) + 8;
        var ids = ArrayPool<int>.Shared.Rent(room);
        var ends = ArrayPool<int>.Shared.Rent(room);
        var starts = ArrayPool<int>.Shared.Rent(room);
        var count = Characters(word, banned, ids, starts, ends);
        count = Merge(ids, starts, ends, count, banned);
        output.Reserve(count);
        for (var i = 0; i < count; i++)
            output.Add(ids[i], offset + starts[i], offset + ends[i]);
        ArrayPool<int>.Shared.Return(ids);
        ArrayPool<int>.Shared.Return(ends);
        ArrayPool<int>.Shared.Return(starts);
    }

    /// <summary>The same for a word that stands for its UTF-8 bytes (byte-level BPE): each character is told whole.</summary>
    public void EncodeBytes(ReadOnlySpan<char> word, int offset, IReadOnlySet<int>? banned, TokenBuffer output)
    {
        var room = word.Length * 3;
        var bytes = ArrayPool<byte>.Shared.Rent(room);
        var ids = ArrayPool<int>.Shared.Rent(room);
        var starts = ArrayPool<int>.Shared.Rent(room);
        var ends = ArrayPool<int>.Shared.Rent(room);
        var count = 0;
        for (var i = 0; i < word.Length;)
        {
            Rune.DecodeFromUtf16(word[i..], out var rune, out var consumed);
            var size = rune.EncodeToUtf8(bytes.AsSpan(count));
            for (var b = 0; b < size; b++, count++)
                (ids[count], starts[count], ends[count]) = (_byteIds[bytes[count]], i, i + consumed);
            i += consumed;
        }
        if (_settings.IgnoreMerges && Vocabulary.TryGetId(ByteAlphabet.Write(bytes.AsSpan(0, count)), out var whole) && banned?.Contains(whole) != true)
            (ids[0], ends[0], count) = (whole, word.Length, 1);
        else
            count = Merge(ids, starts, ends, count, banned);
        output.Reserve(count);
        for (var i = 0; i < count; i++)
            output.Add(ids[i], offset + starts[i], offset + ends[i]);
        ArrayPool<byte>.Shared.Return(bytes);
        ArrayPool<int>.Shared.Return(ids);
        ArrayPool<int>.Shared.Return(starts);
        ArrayPool<int>.Shared.Return(ends);
    }

    /// <summary>The symbols that a word starts from. A character that is not known becomes bytes, or the unknown token, or nothing.</summary>
    private int Characters(ReadOnlySpan<char> word, IReadOnlySet<int>? banned, int[] ids, int[] starts, int[] ends)
    {
        var count = 0;
        var at = 0;
        int? pending = null;
        var pendingLength = 0;
        Span<byte> utf8 = stackalloc byte[4];
        for (var i = 0; i < word.Length;)
        {
            Rune.DecodeFromUtf16(word[i..], out var rune, out var consumed);
            var text = word.Slice(i, consumed);
            if (_settings is { ContinuingPrefix.Length: > 0 } or { EndOfWordSuffix.Length: > 0 })
            {
                var prefix = i > 0 ? _settings.ContinuingPrefix : null;
                var suffix = i + consumed == word.Length ? _settings.EndOfWordSuffix : null;
                text = string.Concat(prefix, text, suffix);
            }
            i += consumed;
            if (Vocabulary.TryGetId(text, out var id) && banned?.Contains(id) != true)
            {
                Flush();
                Add(id, consumed);
                continue;
            }
            if (_fallback is not null && Fallback(text, utf8, out var size))
            {
                // The reference gives each byte its own place; every place inside a character is the whole character.
                for (var b = 0; b < size; b++)
                    (ids[count], starts[count], ends[count++]) = (_fallback[utf8[b]], at, at + consumed);
                at += consumed;
                continue;
            }
            if (_unknown is null)
                continue;
            if (!_settings.FuseUnknown)
                Flush();
            (pending, pendingLength) = (_unknown, pendingLength + consumed);
        }
        Flush();
        return count;

        void Add(int id, int length)
        {
            (ids[count], starts[count], ends[count++]) = (id, at, at + length);
            at += length;
        }

        void Flush()
        {
            if (pending is { } unknown)
                Add(unknown, pendingLength);
            (pending, pendingLength) = (null, 0);
        }
    }

    private bool Fallback(ReadOnlySpan<char> text, Span<byte> utf8, out int size)
    {
        size = 0;
        if (Encoding.UTF8.GetByteCount(text) > utf8.Length)
            return false;
        size = Encoding.UTF8.GetBytes(text, utf8);
        for (var b = 0; b < size; b++)
        {
            if (_fallback![utf8[b]] < 0)
                return false;
        }
        return true;
    }

    private int Merge(int[] ids, int[] starts, int[] ends, int count, IReadOnlySet<int>? banned) =>
        count < 2 ? count
        : count > ShortWord || banned is not null ? MergeByHeap(ids, starts, ends, count, banned)
        : _manyWaysToOneToken ? MergeByList(ids, starts, ends, count)
        : MergeByScan(ids, starts, ends, count);

    private int MergeByScan(int[] ids, int[] starts, int[] ends, int count)
    {
        Span<long> found = stackalloc long[ShortWord];
        for (var i = 0; i + 1 < count; i++)
            found[i] = _merges.Find(ids[i], ids[i + 1]);
        while (count > 1)
        {
            var best = MergeTable.None;
            var at = -1;
            for (var i = 0; i + 1 < count; i++)
            {
                if (found[i] < best)
                    (best, at) = (found[i], i);
            }
            if (at < 0)
                break;
            ids[at] = (int)best;
            starts[at] = Math.Min(starts[at], starts[at + 1]);
            ends[at] = Math.Max(ends[at], ends[at + 1]);
            count--;
            for (var i = at + 1; i < count; i++)
                (ids[i], starts[i], ends[i], found[i - 1]) = (ids[i + 1], starts[i + 1], ends[i + 1], found[i]);
            if (at > 0)
                found[at - 1] = _merges.Find(ids[at - 1], ids[at]);
            if (at + 1 < count)
                found[at] = _merges.Find(ids[at], ids[at + 1]);
        }
        return count;
    }

    /// <summary>As <see cref="MergeByHeap"/>, with a list that is searched for a queue: faster while it is short.</summary>
    private int MergeByList(int[] ids, int[] starts, int[] ends, int count)
    {
        Span<(long Priority, int Made)> waiting = stackalloc (long, int)[ShortWord * 3];
        Span<sbyte> next = stackalloc sbyte[ShortWord];
        Span<sbyte> previous = stackalloc sbyte[ShortWord];
        var held = 0;
        for (var i = 0; i < count; i++)
            (previous[i], next[i]) = ((sbyte)(i - 1), (sbyte)(i + 1 < count ? i + 1 : -1));
        for (var i = 0; i + 1 < count; i++)
            Push(waiting, ref held, i, i + 1);
        while (held > 0)
        {
            var least = 0;
            for (var i = 1; i < held; i++)
            {
                if (waiting[i].Priority < waiting[least].Priority)
                    least = i;
            }
            var (priority, made) = waiting[least];
            waiting[least] = waiting[--held];
            var at = (int)(uint)priority;
            var right = ids[at] < 0 ? -1 : next[at];
            if (right < 0 || _merges.Find(ids[at], ids[right]) is var found && (found == MergeTable.None || (int)found != made))
                continue;
            (ids[at], ids[right]) = (made, -1);
            starts[at] = Math.Min(starts[at], starts[right]);
            ends[at] = Math.Max(ends[at], ends[right]);
            next[at] = next[right];
            if (next[at] >= 0)
                previous[next[at]] = (sbyte)at;
            if (previous[at] >= 0)
                Push(waiting, ref held, previous[at], at);
            if (next[at] >= 0)
                Push(waiting, ref held, at, next[at]);
        }
        return Kept(ids, starts, ends, count);

        void Push(Span<(long Priority, int Made)> queue, ref int used, int left, int right)
        {
            var found = _merges.Find(ids[left], ids[right]);
            if (found != MergeTable.None)
                queue[used++] = ((found & ~0xFFFFFFFFL) | (uint)left, (int)found);
        }
    }

    /// <summary>
    /// The reference's own way for long words, n log n. An entry stays in the queue when its pair has changed and
    /// still counts if the pair that stands there now makes the same token: that is the reference's behaviour too.
    /// </summary>
    private int MergeByHeap(int[] ids, int[] starts, int[] ends, int count, IReadOnlySet<int>? banned)
    {
        var next = ArrayPool<int>.Shared.Rent(count);
        var previous = ArrayPool<int>.Shared.Rent(count);
        var queue = new PriorityQueue<int, long>(count);
        for (var i = 0; i < count; i++)
            (previous[i], next[i]) = (i - 1, i + 1 < count ? i + 1 : -1);
        for (var i = 0; i + 1 < count; i++)
            Push(i, i + 1);
        while (queue.TryDequeue(out var made, out var priority))
        {
            var at = (int)(uint)priority;
            var right = ids[at] < 0 ? -1 : next[at];
            if (right < 0)
                continue;
            var found = _merges.Find(ids[at], ids[right]);
            if (found == MergeTable.None || (int)found != made)
                continue;
            ids[at] = made;
            ids[right] = -1;
            starts[at] = Math.Min(starts[at], starts[right]);
            ends[at] = Math.Max(ends[at], ends[right]);
            next[at] = next[right];
            if (next[at] >= 0)
                previous[next[at]] = at;
            if (previous[at] >= 0)
                Push(previous[at], at);
            if (next[at] >= 0)
                Push(at, next[at]);
        }
        ArrayPool<int>.Shared.Return(next);
        ArrayPool<int>.Shared.Return(previous);
        return Kept(ids, starts, ends, count);

        void Push(int left, int right)
        {
            var found = _merges.Find(ids[left], ids[right]);
            if (found != MergeTable.None && banned?.Contains((int)found) != true)
                queue.Enqueue((int)found, (found & ~0xFFFFFFFFL) | (uint)left);
        }
    }

    private static int Kept(int[] ids, int[] starts, int[] ends, int count)
    {
        var kept = 0;
        for (var i = 0; i < count; i++)
        {
            if (ids[i] >= 0)
                (ids[kept], starts[kept], ends[kept++]) = (ids[i], starts[i], ends[i]);
        }
        return kept;
    }
}
