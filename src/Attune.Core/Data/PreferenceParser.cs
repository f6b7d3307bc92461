using System.Text.Json;
using Attune.Prompts;

namespace Attune.Core.Data;

/// <summary>JSON rows that say which answer is better: pairs, rankings, scores and thumbs, in the forms of TRL, LLaMA-Factory and OpenAI; and bare prompts.</summary>
internal static class PreferenceParser
{
    private const string SameMessage = "Chosen and rejected are the same.", SameHint = "A pair without a difference teaches nothing; remove it.";

    // Beside 'margin', the names that published data gives to the scores of the two sides.
    private static readonly (string Chosen, string Rejected)[] SideScores =
        [("score_chosen", "score_rejected"), ("chosen_score", "rejected_score"), ("chosen_rating", "rejected_rating")];

    // An answer to be scored stands in one of these.
    private static readonly string[] AnswerFields = ["completion", "response", "answer"];

    public static readonly string[] ScoreFields = ["score", "reward", "rating"];

    public static readonly string[] LabelFields = ["label", "kto_tag", "thumbs"];

    public static PreferenceRow Pair(JsonRow row)
    {
        if (row.Has("preferred_output"))
            return OpenAi(row);
        row.RefuseTypos("prompt", "chosen", "rejected", "instruction", "input", "messages", "conversations", "system", "tools", "kind", "margin");
        var (chosen, rejected) = (Side(row, "chosen"), Side(row, "rejected"));
        var whole = chosen is [{ Role: Turns.System or Turns.User }, ..];
        var (prompt, field) = whole ? (Shared(row, chosen, rejected), "chosen") : PromptOf(row, "beside chosen and rejected");
        return Pair(row, new Conversation(prompt) { Tools = Turns.ReadTools(row) }, chosen, rejected, field, ("chosen", "rejected"));
    }

    public static RankingRow Ranking(JsonRow row)
    {
        row.RefuseTypos("prompt", "responses", "completions", "scores", "ranks", "instruction", "input", "output", "messages", "conversations", "system", "tools", "kind", "event");
        var (field, prompt) = (row.Has("responses") ? "responses" : row.Has("completions") ? "completions" : "output", PromptOf(row, "beside the answers"));
        Turns.Check(row, prompt.Messages, prompt.Field, prompt: true);
        var responses = new List<IReadOnlyList<Message>>();
        foreach (var item in row.Items(row.Require(field), field))
        {
            var place = FormattableString.Invariant($"{field}[{responses.Count}]");
            var side = Turns.ReadCompletion(row, item, place);
            CheckSide(row, prompt.Messages, side, place);
            responses.Add(side);
        }
        if (responses.Count < 2)
            throw row.Fail("ATT2402", "A ranking has two answers or more.", field, "A single answer with a score is written as prompt, completion and score.");
        var allBad = row.Text("event") == "all_bad";
        return new RankingRow(new Conversation(prompt.Messages) { Tools = Turns.ReadTools(row) }, responses, allBad ? new double[responses.Count] : Scores(row, field, responses.Count), row.Origin) { AllBad = allBad };
    }

    public static ScoredRow Scored(JsonRow row)
    {
        var score = ScoreFields.First(row.Has);
        if (row.Has("messages") || row.Has("conversations"))
            return new ScoredRow(RowParser.Whole(row, FormatKind.Messages), row.RequireNumber(score), row.Origin);
        row.RefuseTypos(["prompt", .. AnswerFields, .. ScoreFields, "instruction", "input", "system", "tools", "kind"]);
        var (field, prompt) = (AnswerFields.FirstOrDefault(row.Has) ?? "completion", PromptOf(row, "beside the answer and its score"));
        List<Message> messages = [.. prompt.Messages, .. Turns.ReadCompletion(row, row.Require(field), field)];
        Turns.Check(row, messages, field);
        return new ScoredRow(new Conversation(messages) { Tools = Turns.ReadTools(row) }, row.RequireNumber(score), row.Origin);
    }

    public static LabelledRow Labelled(JsonRow row)
    {
        row.RefuseTypos("prompt", "completion", "messages", "conversations", "label", "kto_tag", "thumbs", "instruction", "input", "output", "system", "tools", "kind");
        var kind = row.Has("messages") || row.Has("conversations") ? FormatKind.Messages
            : row.Has("instruction") ? FormatKind.Alpaca
            : FormatKind.PromptCompletion;
        return new LabelledRow(RowParser.Whole(row, kind), Label(row, LabelFields.First(row.Has)), row.Origin);
    }

    public static PromptRow Prompt(JsonRow row)
    {
        row.RefuseTypos("prompt", "question", "messages", "conversations", "instruction", "input", "system", "tools", "kind", "answer");
        // A question of a world has its chat form in messages; 'prompt' is how a Base is asked.
        var (messages, field) = row.Has("question") ? ([new Message(Turns.User, row.RequireText("question"))], "question")
            : row.Has("messages") ? (RowParser.Listed(row, "messages"), "messages")
            : PromptOf(row, "to be answered");
        Turns.Check(row, messages, field, prompt: true);
        var answer = new[] { "answer", "target", "reference", "solution" }.FirstOrDefault(row.Has);
        return new PromptRow(new Conversation(messages) { Tools = Turns.ReadTools(row) }, answer is null ? null : row.Text(answer), row.Origin);
    }

    // OpenAI's preference fine-tuning: {input: {messages, tools}, preferred_output, non_preferred_output}.
    private static PreferenceRow OpenAi(JsonRow row)
    {
        row.RefuseTypos("input", "preferred_output", "non_preferred_output", "kind", "margin");
        var input = row.Require("input");
        if (input.ValueKind != JsonValueKind.Object)
            throw row.WrongType("input", "an object with messages", input);
        var inside = row with { Element = input };
        var (chosen, rejected) = (Side(row, "preferred_output"), Side(row, "non_preferred_output"));
        return Pair(row, new Conversation(RowParser.Listed(inside, "messages")) { Tools = Turns.ReadTools(inside) }, chosen, rejected, "input.messages", ("preferred_output", "non_preferred_output"));
    }

    private static PreferenceRow Pair(JsonRow row, Conversation prompt, List<Message> chosen, List<Message> rejected, string promptField, (string Chosen, string Rejected) fields)
    {
        Turns.Check(row, prompt.Messages, promptField, prompt: true);
        CheckSide(row, prompt.Messages, chosen, fields.Chosen);
        CheckSide(row, prompt.Messages, rejected, fields.Rejected);
        if (Turns.Same(chosen, rejected))
            throw row.Fail("ATT3013", SameMessage, fields.Rejected, SameHint);
        return new PreferenceRow(prompt, chosen, rejected, row.Origin) { Margin = Margin(row) };
    }

    private static (List<Message> Messages, string Field) PromptOf(JsonRow row, string where)
    {
        if (row.Has("prompt"))
            return (RowParser.Prompt(row), "prompt");
        if (row.Has("instruction"))
            return (RowParser.AlpacaPrompt(row), "instruction");
        var listed = row.Has("messages") ? "messages" : row.Has("conversations") ? "conversations" : null;
        return listed is not null
            ? (RowParser.Listed(row, listed), listed)
            : throw row.Fail("ATT3014", "The row has no prompt.", "prompt", $"Give 'prompt', 'instruction' or 'conversations' {where}.");
    }

    private static List<Message> Side(JsonRow row, string field) => Turns.ReadCompletion(row, row.Require(field), field);

    // Both sides tell the whole conversation: what they share before the first difference is the prompt.
    private static List<Message> Shared(JsonRow row, List<Message> chosen, List<Message> rejected)
    {
        var shared = 0;
        while (shared < Math.Min(chosen.Count, rejected.Count) && Turns.Same(chosen[shared], rejected[shared]))
            shared++;
        if (shared == chosen.Count && shared == rejected.Count)
            throw row.Fail("ATT3013", SameMessage, "rejected", SameHint);
        while (shared > 0 && chosen[shared - 1].Role == Turns.Assistant)
            shared--;
        var prompt = chosen[..shared];
        chosen.RemoveRange(0, shared);
        rejected.RemoveRange(0, shared);
        return prompt;
    }

    private static void CheckSide(JsonRow row, IReadOnlyList<Message> prompt, List<Message> side, string field)
    {
        if (side is not [.., { Role: Turns.Assistant }])
            throw row.Fail("ATT3012", "There is no assistant message: the completion is missing.", field, null);
        Turns.Check(row, [.. prompt, .. side], field);
    }

    private static double? Margin(JsonRow row)
    {
        double margin;
        if (row.Has("margin"))
            margin = row.RequireNumber("margin");
        else if (Array.Find(SideScores, s => row.Has(s.Chosen) && row.Has(s.Rejected)) is { Chosen: { } chosen, Rejected: { } rejected })
            margin = row.RequireNumber(chosen) - row.RequireNumber(rejected);
        else
            return null;
        return margin >= 0 ? margin : throw row.Fail("ATT2403", "The rejected answer has the higher score.", "margin", "Exchange the two sides, or remove the row.");
    }

    private static double[] Scores(JsonRow row, string answers, int count)
    {
        // LLaMA-Factory's older form: 'output' lists the answers, best first.
        var field = row.Has("scores") ? "scores" : row.Has("ranks") ? "ranks" : answers == "output" ? null : throw row.Missing("scores");
        if (field is null)
            return [.. Enumerable.Range(0, count).Select(i => (double)(count - 1 - i))];
        double[] numbers = [.. row.Items(row.Require(field), field).Select((n, i) => row.Number(n, FormattableString.Invariant($"{field}[{i}]")))];
        if (numbers.Length != count)
            throw row.Fail("ATT2402", FormattableString.Invariant($"There are {count} answers and {numbers.Length} {field}."), field, "Each answer has one.");
        if (field == "scores")
            return numbers;
        return numbers.All(n => n >= 1 && n == Math.Truncate(n))
            ? [.. numbers.Select(n => count - n)]
            : throw row.Fail("ATT2402", "A rank is a whole number from 1, the best; equal ranks are ties.", field, null);
    }

    private static bool Label(JsonRow row, string field) => row.Require(field) switch
    {
        { ValueKind: JsonValueKind.True or JsonValueKind.False } flag => flag.GetBoolean(),
        { ValueKind: JsonValueKind.Number } number when number.TryGetInt32(out var value) && value is -1 or 0 or 1 => value == 1,
        { ValueKind: JsonValueKind.String } text when text.GetString() is "up" or "down" => text.GetString() == "up",
        var other => throw row.WrongType(field, "true or false (or 1 and 0, up and down)", other),
    };
}
