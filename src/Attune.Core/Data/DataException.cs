using Attune.Prompts;

namespace Attune.Core.Data;

/// <summary>Data that cannot be used, with its file, line and field (codes ATT3001 to ATT3099).</summary>
public sealed class DataException : AttuneException
{
    internal DataException(string code, string message, Exception? inner = null)
        : base(code, message, inner)
    {
    }

    internal static DataException NoFile(string file, Exception? inner = null) =>
        new("ATT3001", "The file cannot be read.", inner) { File = file, Hint = "Check the path, and that you may read the file." };

    internal static DataException TooLarge(string file) =>
        new("ATT3001", "A JSON array is read whole, and this one is larger than 2 GB.") { File = file, Hint = "Write it as JSONL, one object on each line: that is streamed." };

    internal static DataException Empty(string file) =>
        new("ATT3002", "The file holds no rows.") { File = file };

    internal static DataException Encoding(string file, int? line, string what) =>
        new("ATT3003", what) { File = file, Line = line, Hint = "Save the file as UTF-8 (for example: iconv -f LATIN1 -t UTF-8 file > new)." };

    internal static DataException HalfPair(string file, int line, Exception inner) =>
        new("ATT3003", "The name of a field holds half of a surrogate pair, which is no character.", inner) { File = file, Line = line };

    internal static DataException BrokenJson(string file, int line, string what, Exception? inner = null) =>
        new("ATT3004", $"Broken JSON: {what}", inner) { File = file, Line = line, Hint = "JSONL has one whole object on each line; a JSON file is one array of objects." };

    internal static DataException NaN(string file, int line, Exception inner) =>
        new("ATT2401", "The row holds NaN or Infinity, which JSON has not.", inner) { File = file, Line = line, Hint = "A score that is no number says nothing about the answer; remove the row." };

    internal static DataException NoPreference(string file, string what) =>
        new("ATT2404", what) { File = file, Hint = "Rankings and scores make pairs only where one answer of a prompt is worth more than another." };

    internal static DataException UnknownFormat(string file, int line, string what, string hint) =>
        new("ATT3005", what) { File = file, Line = line, Hint = hint };

    internal static DataException WrongUse(string file, string what, string hint) =>
        new("ATT3009", what) { File = file, Hint = hint };

    internal static DataException Overlong(string file, int line, int count, int rows, int longest, int window) =>
        new("ATT3020", FormattableString.Invariant($"{count} of {rows} rows are longer than the window of {window} tokens (the longest has {longest}; the first is here)."))
        {
            File = file,
            Line = line,
            Hint = "Choose: a longer window, --overlong drop, or --overlong truncate.",
        };

    internal static DataException NoSignal(string what, string hint) => new("ATT3030", what) { Hint = hint };

    internal static DataException NoEndOfTurn(string what, string hint) => new("ATT3031", what) { Hint = hint };

    internal static DataException InferenceBoundary(BoundaryReport report) =>
        new("ATT3033", FormattableString.Invariant($"In all of {report.Rows} rows looked at, what stands before the completion is not the prompt that inference sees."))
        {
            File = report.First?.File,
            Line = report.First?.Line,
            Hint = $"The template's generation prompt and its assistant turn differ: {report.Difference}.",
        };

    internal static DataException Boundary(RowOrigin origin, string what) =>
        new("ATT3032", what)
        {
            File = origin.File,
            Line = origin.Line,
            Hint = "The template must render a prompt the same whatever completion follows, and mark what the assistant says ({% generation %}).",
        };
}
