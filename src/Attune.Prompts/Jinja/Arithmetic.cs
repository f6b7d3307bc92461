using System.Numerics;

namespace Attune.Prompts.Jinja;

/// <summary>The operators + - * / // % ** of Python, with its errors.</summary>
internal static class Arithmetic
{
    private static PyError Unsupported(string op, object? left, object? right) =>
        (left as Undefined ?? right as Undefined) is { } undefined ? undefined.Fail()
        : PyError.TypeError($"unsupported operand type(s) for {op}: '{Py.TypeName(left)}' and '{Py.TypeName(right)}'");

    public static object? Add(RenderState state, object? left, object? right)
    {
        if (left is long a && right is long b)
        {
            var sum = unchecked(a + b);
            return ((a ^ sum) & (b ^ sum)) < 0 ? PyNumber.Int((BigInteger)a + b) : PyNumber.Int(sum);
        }
        switch (left)
        {
            case PyStr s when right is PyStr t:
                return AddText(state, s, t);
            case PyList l when right is PyList m:
                state.Charge(l.Items.Length + m.Items.Length);
                return new PyList([.. l.Items, .. m.Items], l.Origin ?? m.Origin);
            case PyTuple l when right is PyTuple m:
                state.Charge(l.Items.Length + m.Items.Length);
                return new PyTuple([.. l.Items, .. m.Items]);
        }
        if (PyNumber.Is(left) && PyNumber.Is(right))
            return left is double || right is double ? PyNumber.Float(left) + PyNumber.Float(right) : PyNumber.Int(PyNumber.Big(left) + PyNumber.Big(right));
        if (right is Undefined undefined)
            throw undefined.Fail();
        throw left switch
        {
            PyStr { Markup: false } or PyList or PyTuple => PyError.TypeError($"can only concatenate {Py.TypeName(left)} (not \"{Py.TypeName(right)}\") to {Py.TypeName(left)}"),
            _ => Unsupported("+", left, right),
        };
    }

    private static PyStr AddText(RenderState state, PyStr left, PyStr right)
    {
        if (left.Markup != right.Markup)
        {
            left = Html.Escape(state, left);
            right = Html.Escape(state, right);
        }
        state.Charge(left.Text.Length + right.Text.Length);
        if (left.Runs is null && right.Runs is null && ReferenceEquals(left.Origin, right.Origin))
            return new PyStr(left.Text + right.Text, left.Origin, left.Markup);
        var text = state.NewText();
        text.Append(left);
        text.Append(right);
        return state.Finish(text, left.Markup);
    }

    public static object Subtract(object? left, object? right) =>
        left is long a && right is long b && !Overflows(a, b) ? PyNumber.Int(a - b)
        : !PyNumber.Is(left) || !PyNumber.Is(right) ? throw Unsupported("-", left, right)
        : left is double || right is double ? PyNumber.Float(left) - PyNumber.Float(right)
        : PyNumber.Int(PyNumber.Big(left) - PyNumber.Big(right));

    private static bool Overflows(long a, long b) => ((a ^ b) & (a ^ unchecked(a - b))) < 0;

    public static object? Multiply(RenderState state, object? left, object? right)
    {
        if (PyNumber.Is(left) && PyNumber.Is(right))
        {
            if (left is double || right is double)
                return PyNumber.Float(left) * PyNumber.Float(right);
            var (a, b) = (PyNumber.Big(left), PyNumber.Big(right));
            state.Charge((a.GetBitLength() + b.GetBitLength()) / 16);
            return PyNumber.Int(a * b);
        }
        if (Py.TryIndex(right, out var count) && left is PyStr or PyList or PyTuple)
            return Repeat(state, left, count);
        if (Py.TryIndex(left, out count) && right is PyStr or PyList or PyTuple)
            return Repeat(state, right, count);
        if ((left as Undefined ?? right as Undefined) is { } undefined)
            throw undefined.Fail();
        throw left is PyStr or PyList or PyTuple ? PyError.TypeError($"can't multiply sequence by non-int of type '{Py.TypeName(right)}'")
            : right is PyStr or PyList or PyTuple ? PyError.TypeError($"can't multiply sequence by non-int of type '{Py.TypeName(left)}'")
            : Unsupported("*", left, right);
    }

    private static object? Repeat(RenderState state, object? value, long count)
    {
        count = Math.Clamp(count, 0, int.MaxValue);
        var size = value switch { PyStr s => s.Text.Length, PyList l => l.Items.Length, _ => ((PyTuple)value!).Items.Length };
        if (size == 0)
            return value;
        state.Charge(size * count);
        switch (value)
        {
            case PyStr text:
                var result = state.NewText();
                for (var i = 0; i < count; i++)
                    result.Append(text);
                return state.Finish(result, text.Markup);
            case PyList list:
                return new PyList([.. Enumerable.Repeat(list.Items, (int)count).SelectMany(x => x)], list.Origin);
            default:
                return new PyTuple([.. Enumerable.Repeat(((PyTuple)value!).Items, (int)count).SelectMany(x => x)]);
        }
    }

    public static object Divide(object? left, object? right)
    {
        if (!PyNumber.Is(left) || !PyNumber.Is(right))
            throw Unsupported("/", left, right);
        if (left is double || right is double)
            return PyNumber.Float(right) is var d and not 0 ? PyNumber.Float(left) / d : throw new PyError("ZeroDivisionError", "float division by zero");
        var (a, b) = (PyNumber.Big(left), PyNumber.Big(right));
        if (b.IsZero)
            throw new PyError("ZeroDivisionError", "division by zero");
        if (a.GetBitLength() <= 53 && b.GetBitLength() <= 53)
            return (double)a / (double)b;
        // Scale so that the quotient keeps more bits than a double holds, then let the conversion round.
        var shift = (int)(b.GetBitLength() - a.GetBitLength()) + 66;
        var quotient = shift >= 0 ? BigInteger.Abs(a << shift) / BigInteger.Abs(b) : BigInteger.Abs(a) / BigInteger.Abs(b << -shift);
        var value = Math.ScaleB((double)(quotient | 1), -shift);
        return double.IsInfinity(value) ? throw new PyError("OverflowError", "integer division result too large for a float")
            : a.Sign * b.Sign < 0 ? -value : value;
    }

    public static object FloorDivide(object? left, object? right)
    {
        if (!PyNumber.Is(left) || !PyNumber.Is(right))
            throw Unsupported("//", left, right);
        if (left is double || right is double)
        {
            var (x, y) = (PyNumber.Float(left), PyNumber.Float(right));
            return y == 0 ? throw new PyError("ZeroDivisionError", "float floor division by zero") : FloorMod(x, y).Quotient;
        }
        var (a, b) = (PyNumber.Big(left), PyNumber.Big(right));
        if (b.IsZero)
            throw new PyError("ZeroDivisionError", "integer division or modulo by zero");
        var quotient = BigInteger.DivRem(a, b, out var rest);
        return PyNumber.Int(rest.Sign != 0 && rest.Sign != b.Sign ? quotient - 1 : quotient);
    }

    public static object? Modulo(RenderState state, object? left, object? right)
    {
        if (left is PyStr format)
            return PercentFormat.Apply(state, format, right);
        if (!PyNumber.Is(left) || !PyNumber.Is(right))
            throw Unsupported("%", left, right);
        if (left is double || right is double)
        {
            var (x, y) = (PyNumber.Float(left), PyNumber.Float(right));
            return y == 0 ? throw new PyError("ZeroDivisionError", "float modulo") : FloorMod(x, y).Remainder;
        }
        if (left is long n && right is long m and > 0)
            return PyNumber.Int(n % m is var remainder && remainder < 0 ? remainder + m : remainder);
        var (a, b) = (PyNumber.Big(left), PyNumber.Big(right));
        if (b.IsZero)
            throw new PyError("ZeroDivisionError", "integer modulo by zero");
        var rest = BigInteger.Remainder(a, b);
        return PyNumber.Int(rest.Sign != 0 && rest.Sign != b.Sign ? rest + b : rest);
    }

    private static (double Quotient, double Remainder) FloorMod(double x, double y)
    {
        var rest = x % y;
        var quotient = (x - rest) / y;
        if (rest != 0 && (y < 0) != (rest < 0))
        {
            rest += y;
            quotient -= 1;
        }
        else if (rest == 0)
        {
            rest = Math.CopySign(0, y);
        }
        if (quotient == 0)
            return (Math.CopySign(0, x / y), rest);
        var floor = Math.Floor(quotient);
        return (quotient - floor > 0.5 ? floor + 1 : floor, rest);
    }

    public static object Power(RenderState state, object? left, object? right)
    {
        if (!PyNumber.Is(left) || !PyNumber.Is(right))
            throw Unsupported("** or pow()", left, right);
        if (left is double || right is double || PyNumber.Big(right).Sign < 0)
        {
            var (x, y) = (PyNumber.Float(left), PyNumber.Float(right));
            if (x == 0 && y < 0)
                throw new PyError("ZeroDivisionError", "0.0 cannot be raised to a negative power");
            if (x < 0 && double.IsFinite(y) && Math.Floor(y) != y)
                throw PyError.TypeError("complex numbers are not supported");
            var power = Math.Pow(x, y);
            return double.IsInfinity(power) && double.IsFinite(x) && double.IsFinite(y) ? throw new PyError("OverflowError", "(34, 'Numerical result out of range')") : power;
        }
        var (a, b) = (PyNumber.Big(left), PyNumber.Big(right));
        if (a.IsZero || a.IsOne || b.IsZero)
            return PyNumber.Int(b.IsZero ? BigInteger.One : a);
        if (b > 1_000_000 || (double)a.GetBitLength() * (double)b > 1_000_000)
            throw PyError.Limit("The power is an integer of more than a million bits.");
        state.Charge((long)(a.GetBitLength() * (double)b / 8));
        return PyNumber.Int(BigInteger.Pow(a, (int)b));
    }

    public static object Sign(object? value, bool negative) => value switch
    {
        double d => negative ? -d : d,
        long n and not long.MinValue => PyNumber.Int(negative ? -n : n),
        _ when PyNumber.IsInt(value) => PyNumber.Int(negative ? -PyNumber.Big(value) : PyNumber.Big(value)),
        Undefined undefined => throw undefined.Fail(),
        _ => throw PyError.TypeError($"bad operand type for unary {(negative ? "-" : "+")}: '{Py.TypeName(value)}'"),
    };
}
