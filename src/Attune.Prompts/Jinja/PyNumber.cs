using System.Globalization;
using System.Numerics;

namespace Attune.Prompts.Jinja;

/// <summary>Python's numbers: int without bound, float as repr prints it.</summary>
internal static class PyNumber
{
    /// <summary>Python refuses to print or read an int of more digits.</summary>
    public const int MaxDigits = 4300;

    private static readonly object[] Small = [.. Enumerable.Range(-8, 1032).Select(n => (object)(long)n)];

    public static object Int(long value) => value is >= -8 and < 1024 ? Small[value + 8] : value;

    public static object Int(BigInteger value) => value >= long.MinValue && value <= long.MaxValue ? Int((long)value) : value;

    public static bool Is(object? value) => value is long or bool or double or BigInteger;

    public static bool IsInt(object? value) => value is long or bool or BigInteger;

    public static BigInteger Big(object? value) => value switch
    {
        long n => n,
        bool b => b ? 1 : 0,
        BigInteger n => n,
        _ => throw new InvalidCastException(),
    };

    public static double Float(object? value) => value switch
    {
        double d => d,
        long n => n,
        bool b => b ? 1 : 0,
        BigInteger n when double.IsFinite((double)n) => (double)n,
        BigInteger => throw new PyError("OverflowError", "int too large to convert to float"),
        _ => throw new InvalidCastException(),
    };

    /// <summary>0 where equal; something else where one is no number.</summary>
    public static int Compare(object? left, object? right)
    {
        if (!Is(left) || !Is(right))
            return 1;
        if (left is long a && right is long b)
            return a.CompareTo(b);
        if (left is not double && right is not double)
            return Big(left).CompareTo(Big(right));
        if (left is double or bool or long && right is double or bool or long && Exact(left) && Exact(right))
        {
            var (x, y) = (Float(left), Float(right));
            return x < y ? -1 : x > y ? 1 : x == y ? 0 : 1;
        }
        return left is double d ? -CompareBig(Big(right), d) : CompareBig(Big(left), (double)right!);
    }

    private static bool Exact(object? value) => value is not long n || Math.Abs((double)n) < 9e15;

    private static int CompareBig(BigInteger left, double right)
    {
        if (double.IsNaN(right))
            return 1;
        if (double.IsInfinity(right))
            return right > 0 ? -1 : 1;
        var floor = Math.Floor(right);
        var order = left.CompareTo(new BigInteger(floor));
        return order == 0 && floor != right ? -1 : order;
    }

    public static string IntText(BigInteger value)
    {
        if (value.GetBitLength() > 14_400)
            throw PyError.ValueError($"Exceeds the limit ({MaxDigits} digits) for integer string conversion; use sys.set_int_max_str_digits() to increase the limit");
        var text = value.ToString(CultureInfo.InvariantCulture);
        return text.Length - (text[0] == '-' ? 1 : 0) <= MaxDigits ? text
            : throw PyError.ValueError($"Exceeds the limit ({MaxDigits} digits) for integer string conversion; use sys.set_int_max_str_digits() to increase the limit");
    }

    /// <summary>repr(float): the shortest digits that read back, with an exponent below 1e-4 and from 1e16 on.</summary>
    public static string FloatText(double value)
    {
        if (double.IsNaN(value))
            return "nan";
        if (double.IsInfinity(value))
            return value > 0 ? "inf" : "-inf";
        if (value == 0)
            return double.IsNegative(value) ? "-0.0" : "0.0";
        var (digits, exponent) = Shortest(Math.Abs(value));
        var sign = value < 0 ? "-" : "";
        if (exponent is < -4 or >= 16)
            return sign + digits[..1] + (digits.Length > 1 ? "." + digits[1..] : "") + "e" + (exponent < 0 ? "-" : "+") + Math.Abs(exponent).ToString("00", CultureInfo.InvariantCulture);
        if (exponent < 0)
            return sign + "0." + new string('0', -exponent - 1) + digits;
        return digits.Length <= exponent + 1 ? sign + digits + new string('0', exponent + 1 - digits.Length) + ".0"
            : sign + digits[..(exponent + 1)] + "." + digits[(exponent + 1)..];
    }

    /// <summary>The shortest digits and the power of ten of the first.</summary>
    public static (string Digits, int Exponent) Shortest(double value)
    {
        var round = value.ToString("R", CultureInfo.InvariantCulture);
        var mantissa = round;
        var power = 0;
        if (round.IndexOf('E', StringComparison.Ordinal) is var e and >= 0)
        {
            power = int.Parse(round.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
            mantissa = round[..e];
        }
        var dot = mantissa.IndexOf('.', StringComparison.Ordinal);
        var whole = dot < 0 ? mantissa.Length : dot;
        var digits = mantissa.Replace(".", "", StringComparison.Ordinal);
        var leading = digits.Length - digits.TrimStart('0').Length;
        digits = digits.TrimStart('0').TrimEnd('0');
        return (digits.Length == 0 ? "0" : digits, power + whole - 1 - leading);
    }

    /// <summary>The value of a digit in any base up to 36, or 99.</summary>
    public static int Digit(char c) => c switch
    {
        >= '0' and <= '9' => c - '0',
        >= 'a' and <= 'z' => c - 'a' + 10,
        >= 'A' and <= 'Z' => c - 'A' + 10,
        _ => 99,
    };

    /// <summary>int(text, radix); null where Python raises ValueError.</summary>
    public static object? ParseInt(string text, int radix)
    {
        var s = Ascii(text.AsSpan().Trim());
        var at = 0;
        var negative = false;
        if (s.Length > 0 && s[0] is '+' or '-')
            negative = s[at++] == '-';
        var prefix = at + 1 < s.Length && s[at] == '0' ? char.ToLowerInvariant(s[at + 1]) switch { 'x' => 16, 'o' => 8, 'b' => 2, _ => 0 } : 0;
        var prefixed = prefix != 0 && (radix == prefix || radix == 0);
        if (prefixed)
            at += 2;
        var zero = radix == 0;
        if (zero)
            radix = prefixed ? prefix : 10;
        var start = at;
        BigInteger value = 0;
        long small = 0;
        var count = 0;
        for (; at < s.Length; at++)
        {
            if (s[at] == '_' && (at > start || prefixed) && at + 1 < s.Length && s[at + 1] != '_')
                continue;
            var digit = Digit(s[at]);
            if (digit >= radix)
                return null;
            if (++count > MaxDigits)
                return null;
            if (count <= 12)
                small = (small * radix) + digit;
            else
                value = ((count == 13 ? small : value) * radix) + digit;
        }
        if (count == 0 || (zero && !prefixed && count > 1 && s[start] == '0' && small != 0))
            return null;
        if (count <= 12)
            value = small;
        return Int(negative ? -value : value);
    }

    /// <summary>float(text); null where Python raises ValueError.</summary>
    public static object? ParseFloat(string text)
    {
        var s = Ascii(text.AsSpan().Trim()).ToLowerInvariant();
        var bare = s.TrimStart('+', '-');
        if (s.Length - bare.Length > 1 || bare.Length == 0)
            return null;
        var sign = s[0] == '-' ? -1.0 : 1.0;
        if (bare is "inf" or "infinity")
            return sign * double.PositiveInfinity;
        if (bare == "nan")
            return double.NaN;
        for (var i = 0; i < bare.Length; i++)
        {
            if (bare[i] == '_' && (i == 0 || i + 1 == bare.Length || !char.IsAsciiDigit(bare[i - 1]) || !char.IsAsciiDigit(bare[i + 1])))
                return null;
            if (!char.IsAsciiDigit(bare[i]) && bare[i] is not ('.' or 'e' or '+' or '-' or '_'))
                return null;
        }
        return double.TryParse(bare.Replace("_", "", StringComparison.Ordinal), NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var value)
            ? sign * value : null;
    }

    /// <summary>Digits of other scripts as ASCII ones.</summary>
    private static string Ascii(ReadOnlySpan<char> text)
    {
        if (!text.ContainsAnyExceptInRange('\0', '\x7f'))
            return text.ToString();
        return string.Concat(text.ToString().EnumerateRunes().Select(r => System.Text.Rune.IsDigit(r) && System.Text.Rune.GetNumericValue(r) is var n && n >= 0
            ? ((int)n).ToString(CultureInfo.InvariantCulture) : r.ToString()));
    }
}
