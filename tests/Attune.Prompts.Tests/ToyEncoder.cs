using System.Text;

namespace Attune.Prompts.Tests;

/// <summary>A tokenizer of letters: a token for each code point, and added tokens matched where text is trusted.</summary>
internal sealed class ToyEncoder(params string[] added) : ITokenEncoder
{
    private const int Added = 0x110000;

    private readonly string _first = string.Concat(added.Select(t => t[0]).Distinct());

    public static readonly string[] Ours = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|pad|>", "<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"];

    public static ToyEncoder Default => new(Ours);

    public static ToyEncoder Everything => new([.. Ours, "<s>", "</s>", "<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"]);

    public string Digest => "toy-" + string.Join('|', added).GetHashCode(StringComparison.Ordinal).ToString("x8", System.Globalization.CultureInfo.InvariantCulture);

    public int VocabularySize => Added + added.Length;

    public bool IsAdded(int id) => id >= Added;

    public IReadOnlyDictionary<string, int> AddedTokens { get; } = added.Select((t, i) => (t, i)).ToDictionary(p => p.t, p => Added + p.i, StringComparer.Ordinal);

    public void Encode(string text, IReadOnlyList<TextSpan> untrusted, List<EncodedToken> output)
    {
        for (var i = 0; i < text.Length; )
        {
            var token = !_first.Contains(text[i], StringComparison.Ordinal) ? null : added.Where(t => string.CompareOrdinal(text, i, t, 0, t.Length) == 0 && !untrusted.Any(s => s.Start < i + t.Length && i < s.End)).MaxBy(t => t.Length);
            var length = token?.Length ?? (char.IsHighSurrogate(text[i]) ? 2 : 1);
            output.Add(new(token is null ? char.ConvertToUtf32(text, i) : AddedTokens[token], i, length));
            i += length;
        }
    }

    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = false)
    {
        var text = new StringBuilder();
        foreach (var id in ids)
        {
            if (id < Added)
                text.Append(char.ConvertFromUtf32(id));
            else if (!skipSpecialTokens)
                text.Append(added[id - Added]);
        }
        return text.ToString();
    }
}
