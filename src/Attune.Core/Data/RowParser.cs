using System.Text.Json;
using Attune.Prompts;

namespace Attune.Core.Data;

/// <summary>One JSON row → one typed row, by format.</summary>
internal static class RowParser
{
    public static DataRow Parse(JsonRow row, FormatKind kind)
    {
        if (row.Element.ValueKind != JsonValueKind.Object)
            throw row.WrongType("row", "an object", row.Element);
        row.RefuseHalfPairs(row.Element, null);
        return kind switch
        {
            FormatKind.JsonText => Text(row),
            FormatKind.Preference => PreferenceParser.Pair(row),
            FormatKind.Ranking or FormatKind.Annotations => PreferenceParser.Ranking(row),
            FormatKind.Scored => PreferenceParser.Scored(row),
            FormatKind.Kto => PreferenceParser.Labelled(row),
            FormatKind.Prompts => PreferenceParser.Prompt(row),
            _ => new ConversationRow(Whole(row, kind), row.Origin),
        };
    }

    private static TextRow Text(JsonRow row)
    {
        row.RefuseTypos("text", "content", "kind");
        var field = row.Has("content") && !row.Has("text") ? "content" : "text";
        var text = row.RequireText(field);
        return string.IsNullOrWhiteSpace(text)
            ? throw row.Fail("ATT3012", "The text is empty.", field, null)
            : new TextRow(text.ReplaceLineEndings("\n"), row.Origin);
    }

    /// <summary>A conversation with its completion, in whichever form the row has it.</summary>
    internal static Conversation Whole(JsonRow row, FormatKind kind)
    {
        var field = row.Has("messages") ? "messages" : "conversations";
        var messages = kind switch
        {
            FormatKind.Alpaca => [.. AlpacaPrompt(row), new Message(Turns.Assistant, row.RequireText("output"))],
            FormatKind.PromptCompletion => [.. Prompt(row), .. Turns.ReadCompletion(row, row.Require("completion"), "completion")],
            _ => Listed(row, field),
        };
        field = kind switch { FormatKind.Alpaca => "output", FormatKind.PromptCompletion => "completion", _ => field };
        Turns.Check(row, messages, field);
        return new Conversation(messages) { Tools = Turns.ReadTools(row) };
    }

    internal static List<Message> Listed(JsonRow row, string field)
    {
        row.RefuseTypos("messages", "conversations", "tools", "system", "kind");
        return Turns.WithSystem(row.Text("system"), Turns.Read(row, row.Require(field), field));
    }

    internal static List<Message> AlpacaPrompt(JsonRow row)
    {
        row.RefuseTypos("instruction", "input", "output", "system", "history", "kind");
        var (instruction, input) = (row.RequireText("instruction"), row.Text("input") ?? "");
        var messages = new List<Message>();
        if (row.Find("history") is { } history)
        {
            foreach (var pair in row.Items(history, "history"))
            {
                if (row.Items(pair, "history").Count() != 2)
                    throw row.Fail("ATT3007", "A turn of the history is [question, answer].", "history", null);
                messages.Add(new Message(Turns.User, row.Text(pair[0], "history")));
                messages.Add(new Message(Turns.Assistant, row.Text(pair[1], "history")));
            }
        }
        var question = input.Length == 0 ? instruction : instruction.Length == 0 ? input : instruction + "\n" + input;
        if (string.IsNullOrWhiteSpace(question))
            throw row.Fail("ATT3014", "The instruction and the input are empty: the prompt is missing.", "instruction", null);
        messages.Add(new Message(Turns.User, question));
        return Turns.WithSystem(row.Text("system"), messages);
    }

    internal static List<Message> Prompt(JsonRow row)
    {
        var prompt = row.Require("prompt");
        var messages = prompt.ValueKind == JsonValueKind.String
            ? [new Message(Turns.User, row.Text(prompt, "prompt"))]
            : Turns.Read(row, prompt, "prompt");
        return Turns.WithSystem(row.Text("system"), messages);
    }
}
