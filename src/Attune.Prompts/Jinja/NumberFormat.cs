using System.Globalization;
using System.Numerics;

namespace Attune.Prompts.Jinja;

/// <summary>Decimal digits of a float, rounded half to even on its exact value as Python rounds it.</summary>
internal static class NumberFormat
{
    /// <summary>Python's format(value, '.{precision}f') of a finite value that is not negative.</summary>
    public static string Fixed(double value, int precision)
    {
        var digits = Scaled(value, precision).ToString(CultureInfo.InvariantCulture);
        if (precision <= 0)
            return digits;
        digits = digits.PadLeft(precision + 1, '0');
        return digits[..^precision] + "." + digits[^precision..];
    }

    /// <summary>round(value × 10^precision), exact ties to even.</summary>
    public static BigInteger Scaled(double value, int precision)
    {
        var bits = BitConverter.DoubleToInt64Bits(value);
        var exponent = (int)((bits >> 52) & 0x7FF);
        var mantissa = bits & 0xFFFFFFFFFFFFF;
        if (exponent == 0)
            exponent++;
        else
            mantissa |= 1L << 52;
        exponent -= 1075;
        var numerator = new BigInteger(mantissa);
        var denominator = BigInteger.One;
        if (precision >= 0)
            numerator *= BigInteger.Pow(10, precision);
        else
            denominator = BigInteger.Pow(10, -precision);
        if (exponent >= 0)
            numerator <<= exponent;
        else
            denominator <<= -exponent;
        var quotient = BigInteger.DivRem(numerator, denominator, out var rest);
        var twice = (rest << 1).CompareTo(denominator);
        return twice > 0 || (twice == 0 && !quotient.IsEven) ? quotient + 1 : quotient;
    }

    /// <summary>So many significant digits, and the power of ten of the first.</summary>
    public static (string Digits, int Exponent) Significant(double value, int count)
    {
        if (value == 0)
            return (new string('0', count), 0);
        var exponent = (int)Math.Floor(Math.Log10(value));
        while (true)
        {
            var digits = Scaled(value, count - 1 - exponent).ToString(CultureInfo.InvariantCulture);
            if (digits.Length == count)
                return (digits, exponent);
            exponent += digits.Length > count ? 1 : -1;
        }
    }

    public static string Scientific(double value, int precision, bool alternate = false)
    {
        var (digits, exponent) = Significant(value, precision + 1);
        return digits[..1] + (precision > 0 || alternate ? "." : "") + digits[1..] + Exponent(exponent);
    }

    public static string General(double value, int precision, bool alternate = false)
    {
        if (precision == 0)
            precision = 1;
        var (digits, exponent) = Significant(value, precision);
        if (exponent < -4 || exponent >= precision)
        {
            var tail = alternate ? digits[1..] : digits[1..].TrimEnd('0');
            return digits[..1] + (tail.Length > 0 || alternate ? "." : "") + tail + Exponent(exponent);
        }
        var text = Fixed(value, Math.Max(precision - 1 - exponent, 0));
        if (alternate)
            return text.Contains('.', StringComparison.Ordinal) ? text : text + ".";
        return text.Contains('.', StringComparison.Ordinal) ? text.TrimEnd('0').TrimEnd('.') : text;
    }

    private static string Exponent(int exponent) => (exponent < 0 ? "e-" : "e+") + Math.Abs(exponent).ToString("00", CultureInfo.InvariantCulture);

    /// <summary>e, f, g, E, F, G of a value without its sign; inf and nan in their words.</summary>
    public static string Format(double value, char type, int precision, bool alternate)
    {
        value = Math.Abs(value);
        var text = double.IsNaN(value) ? "nan" : double.IsInfinity(value) ? "inf" : char.ToLowerInvariant(type) switch
        {
            'f' => Fixed(value, precision) + (alternate && precision == 0 ? "." : ""),
            'e' => Scientific(value, precision, alternate),
            _ => General(value, precision, alternate),
        };
        return char.IsUpper(type) ? text.ToUpperInvariant() : text;
    }

    /// <summary>An int's digits in base 2, 8, 10 or 16, without sign or prefix.</summary>
    public static string Digits(BigInteger value, int radix)
    {
        value = BigInteger.Abs(value);
        if (radix == 10)
            return PyNumber.IntText(value);
        if (value.IsZero)
            return "0";
        var hex = value.ToString("x", CultureInfo.InvariantCulture).TrimStart('0');
        if (radix == 16)
            return hex;
        var bits = string.Concat(hex.Select(c => Convert.ToString(PyNumber.Digit(c), 2).PadLeft(4, '0'))).TrimStart('0');
        if (radix == 2)
            return bits;
        bits = bits.PadLeft((bits.Length + 2) / 3 * 3, '0');
        return string.Concat(Enumerable.Range(0, bits.Length / 3).Select(i => (char)('0' + Convert.ToInt32(bits.Substring(i * 3, 3), 2))));
    }
}
