using System.Globalization;
using System.Text;
using Attune.Core.Tokens.Patterns;

namespace Attune.Core.Tokens.Decoders;

/// <summary>Turns the texts of tokens into text. Each step maps a list of texts to another; what is left is joined.</summary>
internal abstract class TokenDecoder
{
    public abstract List<string> Apply(List<string> tokens);
}

internal sealed class DecoderSequence(IReadOnlyList<TokenDecoder> steps) : TokenDecoder
{
    public IReadOnlyList<TokenDecoder> Steps => steps;

    public override List<string> Apply(List<string> tokens)
    {
        foreach (var step in steps)
            tokens = step.Apply(tokens);
        return tokens;
    }
}

/// <summary>Visible characters back to bytes, bytes to text.</summary>
internal sealed class ByteLevelDecoder : TokenDecoder
{
    public override List<string> Apply(List<string> tokens)
    {
        var bytes = new List<byte>();
        foreach (var token in tokens)
            bytes.AddRange(ByteAlphabet.Read(token));
        return [Encoding.UTF8.GetString([.. bytes])];
    }
}

/// <summary>The mark back to a space; in the first token it goes, unless no mark is ever put there.</summary>
internal sealed class MetaspaceDecoder(char mark, bool keepFirst) : TokenDecoder
{
    public override List<string> Apply(List<string> tokens) =>
        [.. tokens.Select((t, i) => i > 0 || keepFirst ? t.Replace(mark, ' ') : t.Replace(mark.ToString(), "", StringComparison.Ordinal))];
}

/// <summary>Runs of &lt;0x…&gt; to text; a run that is no valid UTF-8 becomes U+FFFD for each byte.</summary>
internal sealed class ByteFallbackDecoder : TokenDecoder
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    public override List<string> Apply(List<string> tokens)
    {
        var output = new List<string>(tokens.Count);
        var run = new List<byte>();
        foreach (var token in tokens)
        {
            if (ByteOf(token) is { } value)
            {
                run.Add(value);
                continue;
            }
            Flush();
            output.Add(token);
        }
        Flush();
        return output;

        void Flush()
        {
            if (run.Count == 0)
                return;
            try
            {
                output.Add(Strict.GetString([.. run]));
            }
            catch (DecoderFallbackException)
            {
                output.Add(new string('\uFFFD', run.Count));
            }
            run.Clear();
        }
    }

    public static byte? ByteOf(string token) =>
        token is ['<', '0', 'x', _, _, '>'] && byte.TryParse(token.AsSpan(3, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var value) ? value : null;
}

/// <summary>All texts as one.</summary>
internal sealed class Fuse : TokenDecoder
{
    public override List<string> Apply(List<string> tokens) => [string.Concat(tokens)];
}

/// <summary>Takes up to so many of a character from the ends of each text.</summary>
internal sealed class StripDecoder(char content, int start, int stop) : TokenDecoder
{
    public override List<string> Apply(List<string> tokens) => [.. tokens.Select(token =>
    {
        var (from, to) = (0, token.Length);
        while (from < to && from < start && token[from] == content)
            from++;
        while (to > from && token.Length - to < stop && token[to - 1] == content)
            to--;
        return token[from..to];
    })];
}

/// <summary>A pattern to a text, in each.</summary>
internal sealed class ReplaceDecoder(Pattern pattern, string content) : TokenDecoder
{
    public override List<string> Apply(List<string> tokens) => [.. tokens.Select(token =>
    {
        var builder = new StringBuilder();
        var at = 0;
        foreach (var (start, end) in pattern.Matches(token))
        {
            builder.Append(token, at, start - at).Append(content);
            at = end;
        }
        return at == 0 && builder.Length == 0 ? token : builder.Append(token, at, token.Length - at).ToString();
    })];
}

/// <summary>BERT's: a piece that goes on loses its prefix, others get a space; then the spaces of English are mended.</summary>
internal sealed class WordPieceDecoder(string prefix, bool cleanUp) : TokenDecoder
{
    private static readonly (string From, string To)[] CleanUps =
    [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"), (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ];

    public override List<string> Apply(List<string> tokens) => [.. tokens.Select((token, i) =>
    {
        var text = i == 0 ? token : token.StartsWith(prefix, StringComparison.Ordinal) ? token[prefix.Length..] : " " + token;
        return cleanUp ? CleanUps.Aggregate(text, (t, c) => t.Replace(c.From, c.To, StringComparison.Ordinal)) : text;
    })];
}

/// <summary>The suffix that ends words becomes a space, but for the last.</summary>
internal sealed class SuffixDecoder(string suffix) : TokenDecoder
{
    public override List<string> Apply(List<string> tokens) => suffix.Length == 0 ? tokens
        : [.. tokens.Select((t, i) => t.Replace(suffix, i == tokens.Count - 1 ? "" : " ", StringComparison.Ordinal))];
}

/// <summary>Reads the decoder of tokenizer.json.</summary>
internal static class DecoderReader
{
    public static TokenDecoder? Read(JsonField field) => field.IsNull ? null : ReadOne(field);

    private static TokenDecoder ReadOne(JsonField field)
    {
        var kind = field["type"].Text();
        switch (kind)
        {
            case "Sequence":
                return new DecoderSequence([.. field["decoders"].Items().Select(ReadOne)]);
            case "ByteLevel":
                return new ByteLevelDecoder();
            case "Metaspace":
                var (mark, scheme) = PreTokenizers.PreTokenizerReader.ReadMetaspace(field);
                return new MetaspaceDecoder(mark, scheme == PreTokenizers.PrependScheme.Never);
            case "ByteFallback":
                return new ByteFallbackDecoder();
            case "Fuse":
                return new Fuse();
            case "Strip":
                var content = field["content"].Text();
                return new StripDecoder(content is [var one] ? one : throw field["content"].Bad("One character is expected here."),
                    field["start"].Whole(0, 1_000_000), field["stop"].Whole(0, 1_000_000));
            case "Replace":
                return new ReplaceDecoder(PatternReader.Read(field["pattern"]), field["content"].Text());
            case "WordPiece":
                return new WordPieceDecoder(field["prefix"].TextOr("##"), field["cleanup"].Flag(true));
            case "BPEDecoder":
                return new SuffixDecoder(field["suffix"].TextOr("</w>"));
            default:
                throw field["type"].Unsupported(kind);
        }
    }
}
