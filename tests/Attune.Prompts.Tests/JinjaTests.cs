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
    /// <summary>Single expressions, by value and by message; and whole programs made by a grammar (statements inside each other, blank space, broken tags).</summary>
    [Theory]
    [InlineData("jinja.jsonl", true)]
    [InlineData("programs.jsonl", false)]
    public void Templates_give_what_Jinja_gives(string file, bool messages)
    {
        using var reader = new StreamReader(typeof(JinjaTests).Assembly.GetManifestResourceStream(file)!);
        var context = JsonNode.Parse(reader.ReadLine()!)!["context"]!.AsObject();
        var settings = new TemplateSettings { Now = Reference.Clock };
        var (rows, failures) = (0, new StringBuilder());
        while (reader.ReadLine() is { } line)
        {
            rows++;
            var row = JsonNode.Parse(line)!.AsObject();
            var problem = Check(row, context, settings, messages);
            if (problem is not null)
                failures.AppendLine($"{row["template"]}: {problem}");
        }
        Assert.True(rows > 1000);
        Assert.True(failures.Length == 0, failures.ToString());
    }

    private static string? Check(JsonObject row, JsonObject context, TemplateSettings settings, bool messages)
    {
        try
        {
            var text = ChatTemplate.Parse(row["template"]!.GetValue<string>()).RenderVariables(context, settings).Text;
            return text == row["output"]?.GetValue<string>() ? null : $"gave {text}";
        }
        catch (TemplateException e)
        {
            var expected = row["error"];
            return expected is not null && e.ErrorType == expected["type"]!.GetValue<string>() && (!messages || e.Message == expected["message"]!.GetValue<string>())
                && e.Phase.ToString().Equals(expected["phase"]!.GetValue<string>(), StringComparison.OrdinalIgnoreCase)
                ? null : $"raised {e.ErrorType} ({e.Phase}): {e.Message}";
        }
    }
}
