using System.Globalization;

namespace Attune.Core.Evaluation.Alignment;

/// <summary>Numbers as people read them.</summary>
public static class Shown
{
    /// <summary>A number; one that rounds to none has no sign.</summary>
    public static string Of(double value, string format)
    {
        var text = value.ToString(format, CultureInfo.InvariantCulture);
        return text.StartsWith('-') && !text.AsSpan().ContainsAnyInRange('1', '9') ? text[1..] : text;
    }

    /// <summary>A share in percent with one digit, without the sign.</summary>
    public static string Percent(double share) => Of(share * 100, "F1");
}
