using System.Numerics;

namespace Attune.Prompts.Jinja;

/// <summary>int() and float() of any value.</summary>
internal static class Conversion
{
    public static BigInteger ToInt(double value) => double.IsNaN(value) ? throw PyError.ValueError("cannot convert float NaN to integer")
        : double.IsInfinity(value) ? throw new PyError("OverflowError", "cannot convert float infinity to integer")
        : new BigInteger(value);

    /// <summary>The int filter: a number, or the default.</summary>
    public static object? Int(object? value, object? otherwise, int radix)
    {
        if (value is Undefined undefined)
            throw undefined.Fail();
        if (PyNumber.IsInt(value))
            return PyNumber.Int(PyNumber.Big(value));
        if (value is double d)
            return double.IsNaN(d) ? otherwise : PyNumber.Int(ToInt(d));
        if (value is not PyStr text)
            return otherwise;
        if (radix != 0 && radix is < 2 or > 36)
            return otherwise;
        return PyNumber.ParseInt(text.Text, radix)
            ?? (PyNumber.ParseFloat(text.Text) is double f && double.IsFinite(f) ? PyNumber.Int(new BigInteger(f)) : otherwise);
    }

    /// <summary>The float filter: a number, or the default.</summary>
    public static object? Float(object? value, object? otherwise)
    {
        if (value is Undefined undefined)
            throw undefined.Fail();
        return PyNumber.Is(value) ? PyNumber.Float(value) : value is PyStr text ? PyNumber.ParseFloat(text.Text) ?? otherwise : otherwise;
    }
}
