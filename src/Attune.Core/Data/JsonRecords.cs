using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Attune.Core.Data;

/// <summary>The objects of a JSONL file or of a JSON array, each with the line that it starts on.</summary>
internal static partial class JsonRecords
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>JSONL, streamed. A broken line goes to <paramref name="onBroken"/>, which may throw or let it be skipped.</summary>
    public static IEnumerable<JsonRow> Lines(string path, Action<DataException> onBroken)
    {
        foreach (var (number, line) in TextFile.Lines(path))
        {
            if (string.IsNullOrWhiteSpace(line))
                continue;
            JsonElement element;
            try
            {
                element = JsonElement.Parse(line, Strict);
            }
            catch (JsonException e)
            {
                onBroken(BareNaN().IsMatch(line) ? DataException.NaN(path, number, e) : DataException.BrokenJson(path, number, Reason(e), e));
                continue;
            }
            catch (InvalidOperationException e)
            {
                onBroken(DataException.HalfPair(path, number, e));
                continue;
            }
            yield return new JsonRow(path, number, element);
        }
    }

    /// <summary>A JSON array, read whole: its elements in order.</summary>
    public static IEnumerable<JsonRow> Array(string path)
    {
        var bytes = TextFile.Utf8(path);
        var state = new JsonReaderState();
        var (offset, line) = (0, 1);
        while (Next(path, bytes, ref state, ref offset, ref line) is { } row)
            yield return row;
    }

    // One element; the reader cannot live across a yield, so its state and place do.
    private static JsonRow? Next(string path, byte[] bytes, ref JsonReaderState state, ref int offset, ref int line)
    {
        var reader = new Utf8JsonReader(bytes.AsSpan(offset), isFinalBlock: true, state);
        try
        {
            if (!reader.Read())
                return null;
            if (reader.TokenType == JsonTokenType.StartArray && reader.CurrentDepth == 0)
                reader.Read();
            if (reader.TokenType == JsonTokenType.EndArray)
            {
                // Whatever stands behind the array's end is an error of the reader's own.
                reader.Read();
                return null;
            }
            var start = offset + (int)reader.TokenStartIndex;
            var at = line + Newlines(bytes.AsSpan(offset..start));
            reader.Skip();
            var end = offset + (int)reader.BytesConsumed;
            (line, offset, state) = (at + Newlines(bytes.AsSpan(start..end)), end, reader.CurrentState);
            return new JsonRow(path, at, Parse(path, bytes.AsSpan(start..end), at));
        }
        catch (JsonException e)
        {
            // A reader that goes on from a state counts lines from where the document began.
            var broken = (int)(e.LineNumber ?? 0) + 1;
            throw BareNaN().IsMatch(LineOf(bytes, broken)) ? DataException.NaN(path, broken, e) : DataException.BrokenJson(path, broken, Reason(e), e);
        }
    }

    private static JsonElement Parse(string path, ReadOnlySpan<byte> value, int line)
    {
        try
        {
            return JsonElement.Parse(value, Strict);
        }
        catch (JsonException e)
        {
            throw DataException.BrokenJson(path, line + (int)(e.LineNumber ?? 0), Reason(e), e);
        }
        catch (InvalidOperationException e)
        {
            throw DataException.HalfPair(path, line, e);
        }
    }

    private static int Newlines(ReadOnlySpan<byte> bytes) => bytes.Count((byte)'\n');

    private static string LineOf(ReadOnlySpan<byte> bytes, int line)
    {
        for (; line > 1 && bytes.IndexOf((byte)'\n') is >= 0 and var end; line--)
            bytes = bytes[(end + 1)..];
        return Encoding.UTF8.GetString(bytes.IndexOf((byte)'\n') is >= 0 and var length ? bytes[..length] : bytes);
    }

    // Python writes NaN and Infinity as they are; JSON has neither.
    [GeneratedRegex(@"(^|[:\[,])\s*-?(NaN|Infinity)\b", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex BareNaN();

    private static string Reason(JsonException e)
    {
        var end = e.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return end < 0 ? e.Message : e.Message[..end];
    }
}
