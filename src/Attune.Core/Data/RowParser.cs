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
            FormatKind.Preference => Preference(row),
            FormatKind.Kto => Labelled(row),
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
    private static Conversation Whole(JsonRow row, FormatKind kind)
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

    private static List<Message> Listed(JsonRow row, string field)
    {
        row.RefuseTypos("messages", "conversations", "tools", "system", "kind");
        return Turns.WithSystem(row.Text("system"), Turns.Read(row, row.Require(field), field));
    }

    private static List<Message> AlpacaPrompt(JsonRow row)
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

    private static List<Message> Prompt(JsonRow row)
    {
        var prompt = row.Require("prompt");
        var messages = prompt.ValueKind == JsonValueKind.String
            ? [new Message(Turns.User, row.Text(prompt, "prompt"))]
            : Turns.Read(row, prompt, "prompt");
        return Turns.WithSystem(row.Text("system"), messages);
    }

    private static PreferenceRow Preference(JsonRow row)
    {
        row.RefuseTypos("prompt", "chosen", "rejected", "instruction", "input", "messages", "conversations", "system", "tools", "kind");
        var (chosen, rejected) = (Side(row, "chosen"), Side(row, "rejected"));
        List<Message> prompt;
        string field;
        if (chosen is [{ Role: Turns.System or Turns.User }, ..])
            (prompt, field) = (Shared(row, chosen, rejected), "chosen");
        else if (row.Has("prompt"))
            (prompt, field) = (Prompt(row), "prompt");
        else if (row.Has("instruction"))
            (prompt, field) = (AlpacaPrompt(row), "instruction");
        else if (row.Has("conversations") || row.Has("messages"))
            (prompt, field) = (Listed(row, row.Has("messages") ? "messages" : "conversations"), "conversations");
        else
            throw row.Fail("ATT3014", "The pair has no prompt.", "prompt", "Give 'prompt', 'instruction' or 'conversations' beside chosen and rejected.");

        Turns.Check(row, prompt, field, prompt: true);
        CheckSide(row, prompt, chosen, "chosen");
        CheckSide(row, prompt, rejected, "rejected");
        if (Same(chosen, rejected))
            throw row.Fail("ATT3013", "Chosen and rejected are the same.", "rejected", "A pair without a difference teaches nothing; remove it.");
        return new PreferenceRow(new Conversation(prompt) { Tools = Turns.ReadTools(row) }, chosen, rejected, row.Origin);
    }

    private static List<Message> Side(JsonRow row, string field) => Turns.ReadCompletion(row, row.Require(field), field);

    // Both sides tell the whole conversation: what they share before the first difference is the prompt.
    private static List<Message> Shared(JsonRow row, List<Message> chosen, List<Message> rejected)
    {
        var shared = 0;
        while (shared < Math.Min(chosen.Count, rejected.Count) && Same(chosen[shared], rejected[shared]))
            shared++;
        if (shared == chosen.Count && shared == rejected.Count)
            throw row.Fail("ATT3013", "Chosen and rejected are the same.", "rejected", "A pair without a difference teaches nothing; remove it.");
        while (shared > 0 && chosen[shared - 1].Role == Turns.Assistant)
            shared--;
        var prompt = chosen[..shared];
        chosen.RemoveRange(0, shared);
        rejected.RemoveRange(0, shared);
        return prompt;
    }

    private static void CheckSide(JsonRow row, List<Message> prompt, List<Message> side, string field)
    {
        if (side is not [.., { Role: Turns.Assistant }])
            throw row.Fail("ATT3012", "There is no assistant message: the completion is missing.", field, null);
        Turns.Check(row, [.. prompt, .. side], field);
    }

    private static LabelledRow Labelled(JsonRow row)
    {
        row.RefuseTypos("prompt", "completion", "messages", "conversations", "label", "kto_tag", "instruction", "input", "output", "system", "tools", "kind");
        var kind = row.Has("messages") || row.Has("conversations") ? FormatKind.Messages
            : row.Has("instruction") ? FormatKind.Alpaca
            : FormatKind.PromptCompletion;
        return new LabelledRow(Whole(row, kind), row.RequireBool(row.Has("kto_tag") ? "kto_tag" : "label"), row.Origin);
    }

    private static bool Same(List<Message> a, List<Message> b) => a.Count == b.Count && a.Zip(b).All(p => Same(p.First, p.Second));

    private static bool Same(Message a, Message b) =>
        a.Role == b.Role && a.Content == b.Content && a.Fields?.ToJsonString() == b.Fields?.ToJsonString();
}
