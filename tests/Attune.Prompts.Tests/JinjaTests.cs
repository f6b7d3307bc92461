using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Attune.Prompts.Tests;

/// <summary>
/// The language beyond what today's templates use: filters, tests, methods, operators and formats over every kind of value,
/// with what Jinja 3.1.6 on Python 3.11 gave for them.
/// </summary>
public sealed class JinjaTests
{
    [Fact]
    public void Expressions_give_what_Jinja_gives()
    {
        using var reader = new StreamReader(typeof(JinjaTests).Assembly.GetManifestResourceStream("jinja.jsonl")!);
        var context = JsonNode.Parse(reader.ReadLine()!)!["context"]!.AsObject();
        var settings = new TemplateSettings { Now = Reference.Clock };
        var (rows, failures) = (0, new StringBuilder());
        while (reader.ReadLine() is { } line)
        {
            rows++;
            var row = JsonNode.Parse(line)!.AsObject();
            var problem = Check(row, context, settings);
            if (problem is not null)
                failures.AppendLine($"{row["template"]}: {problem}");
        }
        Assert.True(rows > 1000);
        Assert.True(failures.Length == 0, failures.ToString());
    }

    private static string? Check(JsonObject row, JsonObject context, TemplateSettings settings)
    {
        try
        {
            var text = ChatTemplate.Parse(row["template"]!.GetValue<string>()).RenderVariables(context, settings).Text;
            return text == row["output"]?.GetValue<string>() ? null : $"gave {text}";
        }
        catch (TemplateException e)
        {
            var expected = row["error"];
            return expected is not null && e.ErrorType == expected["type"]!.GetValue<string>() && e.Message == expected["message"]!.GetValue<string>()
                && e.Phase.ToString().Equals(expected["phase"]!.GetValue<string>(), StringComparison.OrdinalIgnoreCase)
                ? null : $"raised {e.ErrorType} ({e.Phase}): {e.Message}";
        }
    }
}
