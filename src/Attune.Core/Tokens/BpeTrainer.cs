using System.Runtime.InteropServices;
using System.Text;

using Attune.Core.Tokens.Models;

namespace Attune.Core.Tokens;

/// <summary>
/// Trains a byte-level BPE tokenizer: the merges, in order, that Hugging Face tokenizers gives on the same texts.
/// Of the pairs seen most often the one with the smaller ids goes first. Counts are kept up to date at each merge and
/// only words that hold the pair are visited.
/// </summary>
public static class BpeTrainer
{
    /// <summary>Trains on texts, each cut into words by itself, so that no word crosses from one to the next.</summary>
    /// <param name="texts">The corpus, read once, never held whole.</param>
    /// <param name="options">Size, split, special tokens.</param>
    /// <param name="cancel">Stops the work.</param>
    /// <exception cref="TokenException">ATT2506 where the options or the corpus give no tokenizer.</exception>
    public static Tokenizer Train(IEnumerable<string> texts, BpeTrainerOptions options, CancellationToken cancel = default)
    {
        var wanted = Check(options);
        var counts = WordCounts.Count(texts, options.Split, options.MostWords, options.Threads, cancel);
        if (counts.Count == 0)
            throw TokenException.Training(nameof(texts), "The corpus has no text.", "Give at least one file that is not empty.");
        List<string> vocabulary = [.. options.SpecialTokens];
        var firstByte = vocabulary.Count;
        vocabulary.AddRange(ByteAlphabet.Sorted().Select(c => c.ToString()));
        var corpus = new Corpus(counts, firstByte, spacesApart: options.SpacedWords is not null);
        var frequency = Math.Max(1, options.MinFrequency);
        var spaced = Math.Min(options.SpacedWords ?? 0, corpus.Spaced(frequency));
        var merges = corpus.Merge(vocabulary, wanted - spaced, frequency, cancel) + corpus.MergeSpaces(vocabulary, spaced);
        var special = options.SpecialTokens.Count;
        AddReserved(vocabulary, options.RoundTo);
        var added = vocabulary
            .Select((text, id) => (text, id))
            .Where(t => t.id < special || t.id >= firstByte + 256 + merges)
            .Select(t => new AddedToken(t.id, t.text));
        return Tokenizer.Parse(TokenizerWriter.Write(vocabulary, corpus.Merges, [.. added], options.Split));
    }

    private static int Check(BpeTrainerOptions options)
    {
        var least = options.SpecialTokens.Count + 256;
        if (options.VocabularySize < least)
            throw TokenException.Training(nameof(options.VocabularySize), FormattableString.Invariant($"{options.VocabularySize} tokens do not hold the {options.SpecialTokens.Count} special tokens and the 256 bytes."), FormattableString.Invariant($"Ask for at least {least}."));
        if (options.VocabularySize > Vocabulary.LargestId)
            throw TokenException.Training(nameof(options.VocabularySize), FormattableString.Invariant($"More than {Vocabulary.LargestId} tokens."));
        if (options.SpacedWords is { } spaced && (spaced < 0 || spaced > options.VocabularySize - least))
            throw TokenException.Training(nameof(options.SpacedWords), FormattableString.Invariant($"{spaced} words with their space do not fit beside the other tokens."), FormattableString.Invariant($"Ask for 0 to {options.VocabularySize - least}."));
        if (options.RoundTo < 1)
            throw TokenException.Training(nameof(options.RoundTo), "A multiple of less than one.", "Use 1 for no rounding.");
        if (options.MostWords < 1000)
            throw TokenException.Training(nameof(options.MostWords), "Fewer than 1000 words give no useful merges.");
        var twice = options.SpecialTokens.GroupBy(t => t, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1 || g.Key.Length == 0);
        if (twice is not null)
            throw TokenException.Training(nameof(options.SpecialTokens), $"'{twice.Key}' is empty or listed twice.");
        return (options.VocabularySize + options.RoundTo - 1) / options.RoundTo * options.RoundTo;
    }

    private static void AddReserved(List<string> vocabulary, int roundTo)
    {
        var known = vocabulary.ToHashSet(StringComparer.Ordinal);
        for (var n = 0; vocabulary.Count % roundTo != 0; n++)
        {
            if (known.Add(ControlTokens.Reserved(n)))
                vocabulary.Add(ControlTokens.Reserved(n));
        }
    }

    /// <summary>
    /// The distinct words as symbols in one array, each word [start, start + length), with its count. Where spaces are
    /// kept apart a word's leading space is not among its symbols, but remembered.
    /// </summary>
    private sealed class Corpus
    {
        private readonly int[] _symbols;
        private readonly int[] _starts;
        private readonly int[] _lengths;
        private readonly long[] _counts;
        private readonly HashSet<int> _spaced = [];
        private readonly int _space;
        private readonly Dictionary<ulong, long> _pairs = [];
        private readonly Dictionary<ulong, List<int>> _touched = [];
        private readonly PriorityQueue<(ulong Pair, long Count, List<int> Words), (long Count, ulong Pair)> _queue;

        public Corpus(Dictionary<string, long> counts, int firstByte, bool spacesApart)
        {
            var ids = new int[256];
            var next = firstByte;
            foreach (var c in ByteAlphabet.Sorted())
                ids[ByteAlphabet.ByteOf(c)] = next++;
            _space = ids[' '];
            _starts = new int[counts.Count];
            _lengths = new int[counts.Count];
            _counts = new long[counts.Count];
            _symbols = new int[counts.Keys.Sum(w => (long)Encoding.UTF8.GetByteCount(w))];
            var (word, at) = (0, 0);
            foreach (var (text, count) in counts)
            {
                (_starts[word], _counts[word]) = (at, count);
                var apart = spacesApart && text.Length > 1 && text[0] == ' ' && text[1] != ' ';
                if (apart)
                    _spaced.Add(word);
                foreach (var b in Encoding.UTF8.GetBytes(apart ? text[1..] : text))
                    _symbols[at++] = ids[b];
                _lengths[word] = at - _starts[word++];
            }
            // Most often seen first; of equals the smaller pair.
            _queue = new(Comparer<(long Count, ulong Pair)>.Create((a, b) =>
                a.Count != b.Count ? b.Count.CompareTo(a.Count) : a.Pair.CompareTo(b.Pair)));
        }

        /// <summary>Every merge so far, in order.</summary>
        public List<(string Left, string Right)> Merges { get; } = [];

        /// <summary>Merges pairs until the vocabulary has the wanted size or no pair is left; returns how many tokens that made.</summary>
        public int Merge(List<string> vocabulary, int wanted, long minFrequency, CancellationToken cancel)
        {
            var known = new Dictionary<string, int>(StringComparer.Ordinal);
            for (var id = 0; id < vocabulary.Count; id++)
                known[vocabulary[id]] = id;
            var first = vocabulary.Count;
            CountPairs();
            while (vocabulary.Count < wanted && _queue.TryDequeue(out var top, out _))
            {
                cancel.ThrowIfCancellationRequested();
                var current = _pairs[top.Pair];
                if (current != top.Count)
                {
                    // Counts only shrink while an entry waits: put it back where it belongs now.
                    if (current > 0)
                        _queue.Enqueue((top.Pair, current, top.Words), (current, top.Pair));
                    continue;
                }
                if (top.Count < minFrequency)
                    break;
                var (left, right) = ((int)(top.Pair >> 32), (int)(uint)top.Pair);
                var text = vocabulary[left] + vocabulary[right];
                // Two pairs may make one text: then the id is the same, as in the reference.
                if (!known.TryGetValue(text, out var made))
                {
                    made = vocabulary.Count;
                    known[text] = made;
                    vocabulary.Add(text);
                }
                Merges.Add((vocabulary[left], vocabulary[right]));
                foreach (var word in top.Words)
                    MergeWord(word, left, right, made);
                Enqueue();
            }
            return vocabulary.Count - first;
        }

        /// <summary>How many distinct words follow a space at least so often.</summary>
        public int Spaced(long frequency) => _spaced.Count(word => _counts[word] >= frequency);

        /// <summary>
        /// Gives the words that most often follow a space, whole ones only, a token with their space. As the last merges
        /// they are the last to be applied, so a space never parts a word otherwise than it is parted without one.
        /// </summary>
        public int MergeSpaces(List<string> vocabulary, int most)
        {
            var first = vocabulary.Count;
            // A run of spaces before a line end may have made such a token already.
            var known = vocabulary.ToHashSet(StringComparer.Ordinal);
            var words = _spaced.Where(word => _lengths[word] == 1)
                .OrderByDescending(word => _counts[word]).ThenBy(word => _symbols[_starts[word]])
                .Select(word => (Left: vocabulary[_space], Right: vocabulary[_symbols[_starts[word]]]))
                .Where(pair => !known.Contains(pair.Left + pair.Right));
            foreach (var (left, right) in words.Take(most).ToArray())
            {
                Merges.Add((left, right));
                vocabulary.Add(left + right);
            }
            return vocabulary.Count - first;
        }

        private void CountPairs()
        {
            for (var word = 0; word < _starts.Length; word++)
            {
                for (var at = _starts[word]; at < _starts[word] + _lengths[word] - 1; at++)
                    Change(_symbols[at], _symbols[at + 1], word, 1);
            }
            Enqueue();
        }

        private void Enqueue()
        {
            foreach (var (pair, words) in _touched)
            {
                if (_pairs[pair] is var count and > 0)
                    _queue.Enqueue((pair, count, words), (count, pair));
            }
            _touched.Clear();
        }

        private void Change(int left, int right, int word, int sign)
        {
            var pair = ((ulong)(uint)left << 32) | (uint)right;
            CollectionsMarshal.GetValueRefOrAddDefault(_pairs, pair, out _) += sign * _counts[word];
            if (sign < 0)
                return;
            ref var words = ref CollectionsMarshal.GetValueRefOrAddDefault(_touched, pair, out _);
            words ??= [];
            // Words are visited one after the other, so a word that is there already is the last one.
            if (words.Count == 0 || words[^1] != word)
                words.Add(word);
        }

        private void MergeWord(int word, int left, int right, int made)
        {
            var symbols = _symbols.AsSpan(_starts[word], _lengths[word]);
            var kept = 0;
            for (var at = 0; at < symbols.Length; at++)
            {
                if (symbols[at] != left || at + 1 == symbols.Length || symbols[at + 1] != right)
                {
                    symbols[kept++] = symbols[at];
                    continue;
                }
                if (kept > 0)
                {
                    Change(symbols[kept - 1], left, word, -1);
                    Change(symbols[kept - 1], made, word, 1);
                }
                if (at + 2 < symbols.Length)
                {
                    Change(right, symbols[at + 2], word, -1);
                    Change(made, symbols[at + 2], word, 1);
                }
                symbols[kept++] = made;
                at++;
            }
            _lengths[word] = kept;
        }
    }
}
