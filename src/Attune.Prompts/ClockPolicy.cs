using System.Globalization;

namespace Attune.Prompts;

/// <summary>What strftime_now tells a template: the same moment for ever, or the clock at each render.</summary>
/// <param name="UsesClock">The template asks for the time.</param>
/// <param name="Fixed">The moment it is told, or null for the clock.</param>
public sealed record ClockPolicy(bool UsesClock, DateTime? Fixed)
{
    internal string Text => !UsesClock ? "unused" : Fixed is { } at ? at.ToString("s", CultureInfo.InvariantCulture) : "now";

    internal static ClockPolicy Parse(string text) => text switch
    {
        "unused" => new(false, null),
        "now" => new(true, null),
        _ => new(true, DateTime.ParseExact(text, "s", CultureInfo.InvariantCulture)),
    };
}
