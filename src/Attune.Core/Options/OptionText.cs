using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Attune.Core.Options;

/// <summary>How option names and values are written: one spelling each, culture-free.</summary>
public static partial class OptionText
{
    private static readonly (string Unit, long Ticks)[] Units =
        [("d", TimeSpan.TicksPerDay), ("h", TimeSpan.TicksPerHour), ("m", TimeSpan.TicksPerMinute), ("s", TimeSpan.TicksPerSecond), ("ms", TimeSpan.TicksPerMillisecond)];

    /// <summary><c>LearningRate</c> → <c>learning_rate</c>. An underscore stands before each capital that follows a small letter or digit, or that starts a word after capitals.</summary>
    public static string Key(string name)
    {
        var key = new StringBuilder(name.Length + 8);
        for (var i = 0; i < name.Length; i++)
        {
            var starts = char.IsUpper(name[i]) && i > 0
                && (!char.IsUpper(name[i - 1]) || (i + 1 < name.Length && char.IsLower(name[i + 1])));
            if (starts)
                key.Append('_');
            key.Append(char.ToLowerInvariant(name[i]));
        }
        return key.ToString();
    }

    /// <summary>A value as a recipe or a flag would spell it.</summary>
    public static string Of(object? value) => value switch
    {
        null => "none",
        bool flag => flag ? "true" : "false",
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        TimeSpan time => Of(time),
        Enum choice => Key(choice.ToString()),
        string text => text,
        IEnumerable<string> texts => string.Join(' ', texts),
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => "",
    };

    /// <summary>1h30m, 20m, 1500ms: the largest units that fit, exact to the millisecond.</summary>
    public static string Of(TimeSpan time)
    {
        if (time == TimeSpan.Zero)
            return "0s";
        var (text, rest) = (new StringBuilder(time < TimeSpan.Zero ? "-" : ""), Math.Abs(time.Ticks));
        foreach (var (unit, ticks) in Units)
        {
            if (rest / ticks is > 0 and var count)
                text.Append(CultureInfo.InvariantCulture, $"{count}{unit}");
            rest %= ticks;
        }
        return text.ToString();
    }

    /// <summary>Reads a time: numbers with units d, h, m, s or ms, such as 20m, 1.5h or 1h30m.</summary>
    public static bool TryTime(string text, out TimeSpan time)
    {
        time = TimeSpan.Zero;
        if (!TimePattern().IsMatch(text))
            return false;
        foreach (Match part in TimePart().Matches(text))
        {
            var unit = Array.Find(Units, u => u.Unit == part.Groups[2].Value);
            var ticks = double.Parse(part.Groups[1].Value, CultureInfo.InvariantCulture) * unit.Ticks;
            if (ticks + time.Ticks >= long.MaxValue)
                return false;
            time += new TimeSpan((long)Math.Round(ticks));
        }
        return true;
    }

    [GeneratedRegex(@"^([0-9]+(\.[0-9]+)?(ms|d|h|m|s))+$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex TimePattern();

    [GeneratedRegex(@"([0-9]+(?:\.[0-9]+)?)(ms|d|h|m|s)", RegexOptions.CultureInvariant)]
    private static partial Regex TimePart();
}
