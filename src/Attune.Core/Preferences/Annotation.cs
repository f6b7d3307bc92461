using System.Globalization;
using System.Text.Json.Nodes;
using Attune.Core.Data;
using Attune.Prompts;

namespace Attune.Core.Preferences;

/// <summary>What an annotator did with a task.</summary>
public enum AnnotationEvent
{
    /// <summary>Put the answers into an order.</summary>
    Ranked,

    /// <summary>Found none of them acceptable.</summary>
    AllBad,

    /// <summary>Would not say.</summary>
    Skipped,

    /// <summary>Took back what was said of this task before.</summary>
    Undone,
}

/// <summary>One line of an annotation file: who said what of which answers, when. Files of such lines are read as rankings by every stage.</summary>
public sealed record Annotation
{
    /// <summary>What was done.</summary>
    public required AnnotationEvent Event { get; init; }

    /// <summary>Prompt and answers.</summary>
    public required RankTask Task { get; init; }

    /// <summary>Who: a person's name, or "judge:NAME", "rules", "reward:VERSION".</summary>
    public required string Annotator { get; init; }

    /// <summary>person, rules, reward or judge.</summary>
    public required string By { get; init; }

    /// <summary>When.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Rank of each answer from 1, equal ones tied; null where scores are given, or nothing was ranked.</summary>
    public IReadOnlyList<int>? Ranks { get; init; }

    /// <summary>Score of each answer, higher is better; null where ranks are given.</summary>
    public IReadOnlyList<double>? Scores { get; init; }

    /// <summary>The order in which the answers were shown, as indices; null where nobody saw them.</summary>
    public IReadOnlyList<int>? Shown { get; init; }

    /// <summary>What else there is to say: votes of a judge, outcomes of rules.</summary>
    public JsonObject? Details { get; init; }

    /// <summary>The line.</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject
        {
            ["task"] = Task.Id,
            ["event"] = NameOf(Event),
            ["annotator"] = Annotator,
            ["by"] = By,
            ["time"] = Time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture),
            ["prompt"] = new JsonArray([.. Task.Prompt.Messages.Select(ToJson)]),
            ["responses"] = new JsonArray([.. Task.Answers.Select(a => (JsonNode)a.Text)]),
        };
        if (Task.Prompt.Tools is { } tools)
            json["tools"] = tools.DeepClone();
        if (Scores is { } scores)
            json["scores"] = new JsonArray([.. scores.Select(s => (JsonNode)s)]);
        else
            json["ranks"] = new JsonArray([.. (Ranks ?? Enumerable.Repeat(1, Task.Answers.Count)).Select(r => (JsonNode)r)]);
        if (Shown is { } shown)
            json["shown"] = new JsonArray([.. shown.Select(i => (JsonNode)i)]);
        if (Task.Reference is { } reference)
            json["reference"] = reference;
        json["sources"] = new JsonArray([.. Task.Answers.Select(ToJson)]);
        if (Details is { } details)
            json["details"] = details.DeepClone();
        return json;
    }

    /// <summary>Reads a line back; null where it is none.</summary>
    internal static Annotation? FromJson(JsonNode? node)
    {
        try
        {
            var json = node!.AsObject();
            var sources = json["sources"]!.AsArray();
            Candidate[] answers = [.. json["responses"]!.AsArray().Select((text, i) => FromJson((string)text!, sources[i]!.AsObject()))];
            var prompt = new Conversation([.. json["prompt"]!.AsArray().Select(Message)]) { Tools = json["tools"]?.DeepClone().AsArray() };
            return new Annotation
            {
                Event = Enum.GetValues<AnnotationEvent>().First(e => NameOf(e) == (string)json["event"]!),
                Task = new RankTask(prompt, answers, (string?)json["reference"]),
                Annotator = (string)json["annotator"]!,
                By = (string)json["by"]!,
                Time = DateTimeOffset.Parse((string)json["time"]!, CultureInfo.InvariantCulture),
                Ranks = json["ranks"]?.AsArray().Select(r => (int)r!).ToArray(),
                Scores = json["scores"]?.AsArray().Select(s => (double)s!).ToArray(),
                Shown = json["shown"]?.AsArray().Select(s => (int)s!).ToArray(),
                Details = json["details"]?.DeepClone().AsObject(),
            };
        }
        catch (Exception e) when (e is InvalidOperationException or NullReferenceException or FormatException or ArgumentOutOfRangeException)
        {
            return null;
        }
    }

    private static string NameOf(AnnotationEvent what) => Options.OptionText.Of(what);

    private static JsonNode ToJson(Message message)
    {
        var json = new JsonObject { ["role"] = message.Role, ["content"] = message.Content };
        foreach (var (name, value) in message.Fields ?? [])
            json[name] = value?.DeepClone();
        return json;
    }

    private static Message Message(JsonNode? node)
    {
        var fields = node!.AsObject().DeepClone().AsObject();
        var message = new Message((string)fields["role"]!, (string?)fields["content"]);
        fields.Remove("role");
        fields.Remove("content");
        return message with { Fields = fields.Count > 0 ? fields : null };
    }

    private static JsonNode ToJson(Candidate answer)
    {
        var json = new JsonObject { ["model"] = answer.Model };
        if (answer.Digest is { } digest)
            json["digest"] = digest;
        if (answer.Sampling is { } how)
        {
            json["sampling"] = new JsonObject
            {
                ["temperature"] = how.Temperature,
                ["top_k"] = how.TopK,
                ["top_p"] = how.TopP,
                ["min_p"] = how.MinP,
                ["max_tokens"] = how.MaxTokens,
                ["seed"] = how.Seed,
            };
        }
        return json;
    }

    private static Candidate FromJson(string text, JsonObject source) => new(text, (string)source["model"]!, (string?)source["digest"], source["sampling"] is { } how
        ? new AnswerSampling((double)how["temperature"]!, (int)how["top_k"]!, (double)how["top_p"]!, (double)how["min_p"]!, (int)how["max_tokens"]!, (long)how["seed"]!)
        : null);
}
