using System.Text;
using Attune.Prompts;

namespace Attune.App.Templates;

/// <summary>
/// The keys of a GGUF file (versions 2 and 3): magic, version, two counts, then key, type and value one after the other.
/// Texts, numbers and lists of them are kept; the tensors behind are not looked at.
/// </summary>
internal sealed class GgufKeys
{
    private const int Text = 8, List = 9;

    private readonly Dictionary<string, object> _values = new(StringComparer.Ordinal);
    private readonly BinaryReader _reader;
    private readonly string _path;

    private GgufKeys(BinaryReader reader, string path) => (_reader, _path) = (reader, path);

    /// <summary>Reads the keys of a file.</summary>
    /// <exception cref="PromptException">ATT1303: it is no GGUF file, or it is cut short.</exception>
    public static GgufKeys Read(string path)
    {
        using var reader = new BinaryReader(File.OpenRead(path), Encoding.UTF8);
        var keys = new GgufKeys(reader, path);
        try
        {
            keys.All();
            return keys;
        }
        catch (EndOfStreamException e)
        {
            throw keys.Broken("the file ends inside its keys", null, e);
        }
    }

    /// <summary>A text, or null where there is none of that key.</summary>
    public string? TextOf(string key) => _values.GetValueOrDefault(key) as string;

    /// <summary>A whole number, or null.</summary>
    public int? Number(string key) => _values.GetValueOrDefault(key) is double number ? (int)number : null;

    /// <summary>A flag, or null.</summary>
    public bool? Flag(string key) => _values.GetValueOrDefault(key) is double number ? number != 0 : null;

    /// <summary>A list of texts; empty where there is none.</summary>
    public IReadOnlyList<string> Texts(string key) => _values.GetValueOrDefault(key) as string[] ?? [];

    /// <summary>A list of numbers; empty where there is none.</summary>
    public IReadOnlyList<double> Numbers(string key) => _values.GetValueOrDefault(key) as double[] ?? [];

    private void All()
    {
        if (_reader.ReadUInt32() != 0x46554747)
            throw Broken("it does not begin with GGUF", null);
        if (_reader.ReadUInt32() is var version and not (2 or 3))
            throw Broken(FormattableString.Invariant($"version {version} is not known"), "version");
        _ = _reader.ReadUInt64();
        var count = Count("keys", 13);
        for (var i = 0; i < count; i++)
        {
            var key = String("key");
            _values[key] = Value(_reader.ReadUInt32(), key);
        }
    }

    private object Value(uint type, string key)
    {
        if (type == Text)
            return String(key);
        if (type != List)
            return Scalar(type, key);
        var of = _reader.ReadUInt32();
        if (of == Text)
        {
            var texts = new string[Count(key, 8)];
            for (var i = 0; i < texts.Length; i++)
                texts[i] = String(key);
            return texts;
        }
        var numbers = new double[Count(key, 1)];
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] = Scalar(of, key);
        return numbers;
    }

    private double Scalar(uint type, string key) => type switch
    {
        0 or 7 => _reader.ReadByte(),
        1 => _reader.ReadSByte(),
        2 => _reader.ReadUInt16(),
        3 => _reader.ReadInt16(),
        4 => _reader.ReadUInt32(),
        5 => _reader.ReadInt32(),
        6 => _reader.ReadSingle(),
        10 => _reader.ReadUInt64(),
        11 => _reader.ReadInt64(),
        12 => _reader.ReadDouble(),
        _ => throw Broken(FormattableString.Invariant($"a value of type {type} is not known"), key),
    };

    private string String(string key) => Encoding.UTF8.GetString(_reader.ReadBytes(Count(key, 1)));

    /// <summary>A length that the rest of the file can hold: a damaged one must not ask for all memory.</summary>
    private int Count(string key, int leastBytes)
    {
        var count = _reader.ReadUInt64();
        var rest = _reader.BaseStream.Length - _reader.BaseStream.Position;
        return count <= (ulong)(rest / leastBytes) ? (int)Math.Min(count, int.MaxValue) : throw Broken(FormattableString.Invariant($"a length of {count} does not fit the file"), key);
    }

    private PromptException Broken(string message, string? field, Exception? inner = null) => new("ATT1303", $"This is no whole GGUF file: {message}.", inner)
    {
        File = _path,
        Field = field,
        Hint = "Copy or download it again.",
    };
}
