using System.Globalization;
using System.Text;

namespace Attune.Prompts.Jinja;

/// <summary>strftime in the C locale, with glibc's flags - _ 0 ^.</summary>
internal static class Strftime
{
    public static string Format(DateTime now, string format)
    {
        var text = new StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 >= format.Length)
            {
                text.Append(format[i]);
                continue;
            }
            var start = i++;
            var flag = format[i] is '-' or '_' or '0' or '^' or '#' && i + 1 < format.Length ? format[i++] : '\0';
            text.Append(Field(now, format[i], flag) ?? format[start..(i + 1)]);
        }
        return text.ToString();
    }

    private static string? Field(DateTime t, char c, char flag)
    {
        var text = c switch
        {
            'Y' => t.Year.ToString(CultureInfo.InvariantCulture),
            'G' => ISOWeek.GetYear(t).ToString(CultureInfo.InvariantCulture),
            'C' => Number(t.Year / 100, 2, flag),
            'y' => Number(t.Year % 100, 2, flag),
            'g' => Number(ISOWeek.GetYear(t) % 100, 2, flag),
            'm' => Number(t.Month, 2, flag),
            'd' => Number(t.Day, 2, flag),
            'e' => Number(t.Day, 2, flag == '\0' ? '_' : flag),
            'j' => Number(t.DayOfYear, 3, flag),
            'H' => Number(t.Hour, 2, flag),
            'k' => Number(t.Hour, 2, flag == '\0' ? '_' : flag),
            'I' => Number((t.Hour + 11) % 12 + 1, 2, flag),
            'l' => Number((t.Hour + 11) % 12 + 1, 2, flag == '\0' ? '_' : flag),
            'M' => Number(t.Minute, 2, flag),
            'S' => Number(t.Second, 2, flag),
            'f' => t.ToString("ffffff", CultureInfo.InvariantCulture),
            'u' => (((int)t.DayOfWeek + 6) % 7 + 1).ToString(CultureInfo.InvariantCulture),
            'w' => ((int)t.DayOfWeek).ToString(CultureInfo.InvariantCulture),
            'U' => Number((t.DayOfYear + 6 - (int)t.DayOfWeek) / 7, 2, flag),
            'W' => Number((t.DayOfYear + 6 - ((int)t.DayOfWeek + 6) % 7) / 7, 2, flag),
            'V' => Number(ISOWeek.GetWeekOfYear(t), 2, flag),
            'a' => t.ToString("ddd", CultureInfo.InvariantCulture),
            'A' => t.ToString("dddd", CultureInfo.InvariantCulture),
            'b' or 'h' => t.ToString("MMM", CultureInfo.InvariantCulture),
            'B' => t.ToString("MMMM", CultureInfo.InvariantCulture),
            'p' => t.Hour < 12 ? "AM" : "PM",
            'P' => t.Hour < 12 ? "am" : "pm",
            'c' => Format(t, "%a %b %e %H:%M:%S %Y"),
            'x' or 'D' => Format(t, "%m/%d/%y"),
            'X' or 'T' => Format(t, "%H:%M:%S"),
            'F' => Format(t, "%Y-%m-%d"),
            'R' => Format(t, "%H:%M"),
            'r' => Format(t, "%I:%M:%S %p"),
            's' => new DateTimeOffset(DateTime.SpecifyKind(t, DateTimeKind.Utc)).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
            'n' => "\n",
            't' => "\t",
            '%' => "%",
            'z' or 'Z' => "",
            _ => null,
        };
        return flag == '^' ? text?.ToUpperInvariant() : text;
    }

    private static string Number(int value, int width, char flag)
    {
        var text = value.ToString(CultureInfo.InvariantCulture);
        return flag switch { '-' => text, '_' => text.PadLeft(width), _ => text.PadLeft(width, '0') };
    }
}
