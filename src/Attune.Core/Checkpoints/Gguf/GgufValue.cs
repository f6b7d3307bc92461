using System.Globalization;

namespace Attune.Core.Checkpoints.Gguf;

/// <summary>The types of metadata; the numbers are those in the file. Source: ggml's gguf.md.</summary>
public enum GgufValueType
{
    /// <summary>Unsigned byte.</summary>
    UInt8,

    /// <summary>Signed byte.</summary>
    Int8,

    /// <summary>Unsigned, 16 bits.</summary>
    UInt16,

    /// <summary>Signed, 16 bits.</summary>
    Int16,

    /// <summary>Unsigned, 32 bits.</summary>
    UInt32,

    /// <summary>Signed, 32 bits.</summary>
    Int32,

    /// <summary>Float.</summary>
    Float32,

    /// <summary>One byte, 0 or 1.</summary>
    Bool,

    /// <summary>UTF-8 with its length before it.</summary>
    Text,

    /// <summary>Many of one type.</summary>
    Array,

    /// <summary>Unsigned, 64 bits.</summary>
    UInt64,

    /// <summary>Signed, 64 bits.</summary>
    Int64,

    /// <summary>Double.</summary>
    Float64,
}

/// <summary>
/// One value of metadata: a scalar, or a list of them (<see cref="IsList"/>; lists of lists have no use and are refused).
/// Numbers of any width are read through <see cref="long"/>, <see cref="ulong"/> or <see cref="double"/>.
/// </summary>
/// <param name="Type">Its type, or that of a list's elements.</param>
/// <param name="Content">long, ulong, double, bool or string; or an array of one of these (floats as float[]).</param>
public sealed record GgufValue(GgufValueType Type, object Content)
{
    /// <summary>Whether it is a list.</summary>
    public bool IsList => Content is Array;

    /// <summary>A text.</summary>
    public static GgufValue Of(string text) => new(GgufValueType.Text, text);

    /// <summary>A whole number from zero on, as the format writes sizes.</summary>
    public static GgufValue Of(int number) => new(GgufValueType.UInt32, (long)number);

    /// <summary>A float.</summary>
    public static GgufValue Of(double number) => new(GgufValueType.Float32, number);

    /// <summary>True or false.</summary>
    public static GgufValue Of(bool flag) => new(GgufValueType.Bool, flag);

    /// <summary>Texts.</summary>
    public static GgufValue Of(IEnumerable<string> texts) => new(GgufValueType.Text, texts.ToArray());

    /// <summary>Whole numbers with a sign.</summary>
    public static GgufValue Of(IEnumerable<int> numbers) => new(GgufValueType.Int32, numbers.Select(n => (long)n).ToArray());

    /// <summary>Floats.</summary>
    public static GgufValue Of(IEnumerable<float> numbers) => new(GgufValueType.Float32, numbers.ToArray());

    /// <summary>Flags.</summary>
    public static GgufValue Of(IEnumerable<bool> flags) => new(GgufValueType.Bool, flags.ToArray());

    /// <inheritdoc/>
    public override string ToString() => Content is Array list
        ? string.Create(CultureInfo.InvariantCulture, $"{list.Length} × {Type}")
        : Convert.ToString(Content, CultureInfo.InvariantCulture)!;
}
