using System.Numerics;

namespace Attune.Prompts.Jinja;

/// <summary>abs, round, filesizeformat.</summary>
internal static class NumberFilters
{
    public static object Abs(object? value) => value switch
    {
        double d => Math.Abs(d),
        _ when PyNumber.IsInt(value) => PyNumber.Int(BigInteger.Abs(PyNumber.Big(value))),
        _ => throw PyError.TypeError($"bad operand type for abs(): '{Py.TypeName(value)}'"),
    };

    public static object Round(object? value, object? precision, string method)
    {
        if (method is not ("common" or "ceil" or "floor"))
            throw PyError.FilterArgument("method must be common, ceil or floor");
        if (!PyNumber.Is(value))
            throw value is Undefined absent && method != "common" ? absent.Fail() : PyError.TypeError(method == "common" ? $"type {Py.TypeName(value)} doesn't define __round__ method" : $"must be real number, not {Py.TypeName(value)}");
        var digits = precision is null ? 0 : Math.Clamp(Py.Index(precision), -400, 400);
        if (method == "common")
            return value is double d ? RoundFloat(d, digits) : RoundInt(PyNumber.Big(value), digits);
        var scale = digits >= 0 ? (object)PyNumber.Int(BigInteger.Pow(10, digits)) : Math.Pow(10, digits);
        var scaled = value is double || scale is double ? PyNumber.Float(value) * PyNumber.Float(scale) : (object)PyNumber.Int(PyNumber.Big(value) * PyNumber.Big(scale));
        if (scaled is double f)
            scaled = PyNumber.Int(Conversion.ToInt(method == "ceil" ? Math.Ceiling(f) : Math.Floor(f)));
        return Arithmetic.Divide(scaled, scale);
    }

    private static double RoundFloat(double value, int digits)
    {
        if (!double.IsFinite(value) || digits > 323)
            return value;
        var scaled = NumberFormat.Scaled(Math.Abs(value), digits);
        var text = scaled.ToString(System.Globalization.CultureInfo.InvariantCulture) + "e" + (-digits).ToString(System.Globalization.CultureInfo.InvariantCulture);
        var rounded = double.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
        return double.IsNegative(value) ? -rounded : rounded;
    }

    private static object RoundInt(BigInteger value, int digits)
    {
        if (digits >= 0)
            return PyNumber.Int(value);
        var unit = BigInteger.Pow(10, -digits);
        var quotient = BigInteger.DivRem(BigInteger.Abs(value), unit, out var rest);
        var twice = (rest * 2).CompareTo(unit);
        if (twice > 0 || (twice == 0 && !quotient.IsEven))
            quotient += 1;
        return PyNumber.Int(quotient * unit * value.Sign);
    }

    public static PyStr FileSize(object? value, bool binary)
    {
        var bytes = value is PyStr s ? PyNumber.ParseFloat(s.Text) as double? ?? throw PyError.ValueError($"could not convert string to float: {PyRepr.Repr(s)}")
            : PyNumber.Is(value) ? PyNumber.Float(value)
            : throw (value is Undefined u ? u.Fail() : PyError.TypeError($"float() argument must be a string or a real number, not '{Py.TypeName(value)}'"));
        var unitSize = binary ? 1024.0 : 1000.0;
        if (bytes == 1)
            return new PyStr("1 Byte");
        if (bytes < unitSize)
            return new PyStr(Conversion.ToInt(bytes).ToString(System.Globalization.CultureInfo.InvariantCulture) + " Bytes");
        string[] names = binary ? ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"] : ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
        var unit = unitSize * unitSize;
        var i = 0;
        while (i < names.Length - 1 && bytes >= unit)
        {
            unit *= unitSize;
            i++;
        }
        return new PyStr(NumberFormat.Format(unitSize * bytes / unit, 'f', 1, alternate: false) + " " + names[i]);
    }
}
