using System.Text.Json;
using Attune.Core.Options;

namespace Attune.Core.Data;

/// <summary>The formats that are read; docs/guides/data.md shows a row of each.</summary>
public enum FormatKind
{
    /// <summary>Plain text.</summary>
    Text,

    /// <summary>JSON rows with a <c>text</c> (or <c>content</c>) field.</summary>
    JsonText,

    /// <summary>instruction, input, output; system and history where given.</summary>
    Alpaca,

    /// <summary>conversations of {from, value}, with tools.</summary>
    ShareGpt,

    /// <summary>messages of {role, content}, OpenAI's.</summary>
    Messages,

    /// <summary>prompt and completion, texts or messages.</summary>
    PromptCompletion,

    /// <summary>chosen and rejected, with a prompt in any of the forms above.</summary>
    Preference,

    /// <summary>Several answers of one prompt with scores or ranks.</summary>
    Ranking,

    /// <summary>The same as <c>attune rank</c> writes it: with who, when and from which version, and with what was skipped or taken back.</summary>
    Annotations,

    /// <summary>A conversation with a score.</summary>
    Scored,

    /// <summary>A conversation with a boolean label.</summary>
    Kto,

    /// <summary>A prompt alone, perhaps with the answer that is right.</summary>
    Prompts,
}

/// <summary>How the rows lie in the file.</summary>
public enum FileLayout
{
    /// <summary>One document: the file.</summary>
    WholeText,

    /// <summary>One document on each line.</summary>
    TextLines,

    /// <summary>Documents between lines that say &lt;|endoftext|&gt;.</summary>
    MarkedText,

    /// <summary>One JSON object on each line.</summary>
    JsonLines,

    /// <summary>One JSON array of objects.</summary>
    JsonArray,
}

/// <summary>What a data file is, and how that was seen.</summary>
/// <param name="Kind">What the rows hold.</param>
/// <param name="Layout">How they lie in the file.</param>
/// <param name="Evidence">One sentence for people: which fields or lines decided.</param>
public sealed record DataFormat(FormatKind Kind, FileLayout Layout, string Evidence)
{
    internal const string DocumentMark = "<|endoftext|>";

    // A file of lines without a blank one between is one document a line when the lines are long enough to be documents.
    private const int DocumentLine = 200;
    private const int LinesSeen = 2000;

    private static readonly string[] DecidingFields =
        ["messages", "conversations", "instruction", "output", "prompt", "completion", "chosen", "rejected", "label", "text", "responses", "scores", "ranks", "score", "preferred_output", "non_preferred_output"];

    /// <summary>Looks into a file (its name counts only where the content leaves it open).</summary>
    /// <exception cref="DataException">ATT3001 no file, ATT3002 empty, ATT3003 encoding, ATT3004 broken JSON, ATT3005 no known format.</exception>
    public static DataFormat Detect(string path)
    {
        var (number, first) = TextFile.Lines(path).FirstOrDefault(l => !string.IsNullOrWhiteSpace(l.Text));
        if (first is null)
            throw DataException.Empty(path);
        var start = first.AsSpan().TrimStart();
        var json = Path.GetExtension(path).ToLowerInvariant() is ".json" or ".jsonl" or ".ndjson";
        if (start[0] == '[' && (json || IsArray(path)))
            return OfRow(JsonRecords.Array(path).FirstOrDefault(), FileLayout.JsonArray, path);
        if (start[0] == '{' && (json || Parses(first)))
            return Parses(first) || !IsOneObject(path, out var fields)
                ? OfRow(JsonRecords.Lines(path, e => throw e).First(), FileLayout.JsonLines, path)
                : throw DataException.UnknownFormat(path, number, $"The file is one JSON object (fields: {fields}), not rows.", "Write its rows as an array, [{…}, {…}], or one whole object on each line.");
        return json
            ? throw DataException.BrokenJson(path, number, "the file starts neither with '[' nor with '{'.")
            : OfText(path);
    }

    private static DataFormat OfRow(JsonRow row, FileLayout layout, string path)
    {
        if (row.File is null)
            throw DataException.Empty(path);
        if (row.Element.ValueKind != JsonValueKind.Object)
            throw row.WrongType("row", "an object", row.Element);
        row.RefuseHalfPairs(row.Element, null);
        var (kind, evidence) = Decide(row) ?? throw Unknown(row);
        var where = layout == FileLayout.JsonArray ? "JSON array" : "one JSON object a line";
        return new DataFormat(kind, layout, $"{where}, {TextFile.EncodingName(path)}; {evidence}");
    }

    private static (FormatKind Kind, string Evidence)? Decide(JsonRow row)
    {
        var fields = string.Join(", ", row.Keys);
        var (label, score) = (PreferenceParser.LabelFields.FirstOrDefault(row.Has), PreferenceParser.ScoreFields.FirstOrDefault(row.Has));
        var turns = row.Has("messages") ? "messages" : row.Has("conversations") ? "conversations" : null;
        var answers = row.Has("responses") ? "responses" : row.Has("completions") ? "completions" : null;
        if (answers is not null && row.Has("event") && row.Has("annotator"))
            return (FormatKind.Annotations, $"'{answers}' with 'event' and 'annotator' make it annotations of attune rank (fields: {fields})");
        if (answers is not null && (row.Has("scores") || row.Has("ranks")))
            return (FormatKind.Ranking, $"'{answers}' beside {(row.Has("scores") ? "'scores'" : "'ranks'")} make it rankings (fields: {fields})");
        if (row.Has("instruction") && row.Find("output") is { ValueKind: JsonValueKind.Array })
            return (FormatKind.Ranking, $"'output' is a list, best first: rankings in LLaMA-Factory's older form (fields: {fields})");
        if (row.Has("preferred_output") && row.Has("non_preferred_output"))
            return (FormatKind.Preference, $"'preferred_output' and 'non_preferred_output' make it OpenAI's preference pairs (fields: {fields})");
        if (row.Has("chosen") && row.Has("rejected"))
            return (FormatKind.Preference, $"'chosen' and 'rejected' make it preference pairs{(row.Has("margin") ? " with margins" : "")} (fields: {fields})");
        if (label is not null && (turns is not null || row.Has("prompt") || row.Has("instruction")))
            return (FormatKind.Kto, $"'{label}' beside a conversation makes it labelled data (fields: {fields})");
        if (score is not null && (turns is not null || ((row.Has("prompt") || row.Has("instruction")) && (row.Has("completion") || row.Has("response") || row.Has("answer")))))
            return (FormatKind.Scored, $"'{score}' beside a conversation makes it scored answers (fields: {fields})");
        if (turns is not null && EndsWithUser(row, turns))
            return (FormatKind.Prompts, $"'{turns}' that end with the user are prompts (fields: {fields})");
        if (turns is not null)
        {
            var tagged = row.Find(turns) is { ValueKind: JsonValueKind.Array } list && list.GetArrayLength() > 0
                && list[0].ValueKind == JsonValueKind.Object && list[0].TryGetProperty("from", out _);
            return tagged
                ? (FormatKind.ShareGpt, $"'{turns}' of {{from, value}} make it sharegpt (fields: {fields})")
                : (FormatKind.Messages, $"'{turns}' of {{role, content}} make it OpenAI messages (fields: {fields})");
        }
        if (row.Has("instruction") && !row.Has("output") && !HoldsAnswers(row))
            return (FormatKind.Prompts, $"'instruction' without 'output' is a prompt (fields: {fields})");
        if (row.Has("instruction"))
            return (FormatKind.Alpaca, $"'instruction' makes it alpaca (fields: {fields})");
        if (row.Has("prompt") && row.Has("completion"))
            return (FormatKind.PromptCompletion, $"'prompt' and 'completion' (fields: {fields})");
        if ((row.Has("prompt") || (row.Has("question") && row.Has("answer"))) && !HoldsAnswers(row))
            return (FormatKind.Prompts, $"'{(row.Has("prompt") ? "prompt" : "question")}' without a completion is a prompt (fields: {fields})");
        var text = row.Has("text") ? "text" : row.Has("content") ? "content" : null;
        return text is null ? null : (FormatKind.JsonText, $"'{text}' is the document (fields: {fields})");
    }

    // A row that has half a pair, an answer of another name or a misspelt field is a faulty row, not a prompt.
    private static bool HoldsAnswers(JsonRow row) =>
        row.Keys.Any(key => key is "chosen" or "rejected" or "response" or "completion" || DecidingFields.Any(f => Nearest.IsTypo(key, f)));

    private static bool EndsWithUser(JsonRow row, string turns) =>
        row.Find(turns) is { ValueKind: JsonValueKind.Array } list && list.GetArrayLength() > 0
        && list[list.GetArrayLength() - 1] is { ValueKind: JsonValueKind.Object } last
        && (last.TryGetProperty("role", out var role) || last.TryGetProperty("from", out role))
        && role.ValueKind == JsonValueKind.String && role.GetString() is "user" or "human";

    private static DataException Unknown(JsonRow row)
    {
        foreach (var key in row.Keys)
        {
            if (DecidingFields.FirstOrDefault(f => Nearest.IsTypo(key, f)) is { } near)
                return row.Fail("ATT3008", $"There is no field '{key}'.", key, $"Did you mean '{near}'?");
        }
        return DataException.UnknownFormat(row.File, row.Line, $"No format has the fields {string.Join(", ", row.Keys)}.",
            "Known: text | instruction, output | conversations | messages | prompt, completion | prompt, chosen, rejected | prompt, responses, scores | messages, label | prompt.");
    }

    private static DataFormat OfText(string path)
    {
        var (lines, blank, characters) = (0, 0, 0L);
        foreach (var (_, text) in TextFile.Lines(path))
        {
            if (text.Trim() == DocumentMark)
                return new(FormatKind.Text, FileLayout.MarkedText, $"plain text, {TextFile.EncodingName(path)}; lines '{DocumentMark}' part the documents");
            lines++;
            characters += text.Length;
            blank += string.IsNullOrWhiteSpace(text) ? 1 : 0;
            if (lines == LinesSeen)
                break;
        }
        var mean = characters / Math.Max(1, lines);
        return blank == 0 && lines > 1 && mean >= DocumentLine
            ? new(FormatKind.Text, FileLayout.TextLines, FormattableString.Invariant($"plain text, {TextFile.EncodingName(path)}; no blank lines and {mean} characters a line: one document on each line"))
            : new(FormatKind.Text, FileLayout.WholeText, $"plain text, {TextFile.EncodingName(path)}; {(blank > 0 ? "blank lines between paragraphs" : "short lines")}: the file is one document");
    }

    private static bool Parses(string line)
    {
        try
        {
            return JsonElement.Parse(line).ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    // An object that goes on over several lines: valid JSON, and not JSONL.
    private static bool IsOneObject(string path, out string fields)
    {
        fields = "";
        try
        {
            var file = JsonElement.Parse(TextFile.Utf8(path));
            fields = string.Join(", ", file.EnumerateObject().Select(p => p.Name).Take(8));
            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    private static bool IsArray(string path)
    {
        try
        {
            return JsonRecords.Array(path).FirstOrDefault().File is not null;
        }
        catch (DataException)
        {
            return false;
        }
    }
}
