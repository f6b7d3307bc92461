using System.Globalization;
using System.Text;

namespace Attune.Prompts.Jinja;

/// <summary>The escapes of a Python string literal. An unknown one stays as it is written.</summary>
internal static class Escapes
{
    public static string Decode(string text, int position)
    {
        if (!text.Contains('\\', StringComparison.Ordinal))
            return text;
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\' || i + 1 >= text.Length)
            {
                result.Append(text[i]);
                continue;
            }
            var c = text[++i];
            switch (c)
            {
                case '\n': break;
                case '\\' or '\'' or '"': result.Append(c); break;
                case 'a': result.Append('\a'); break;
                case 'b': result.Append('\b'); break;
                case 'f': result.Append('\f'); break;
                case 'n': result.Append('\n'); break;
                case 'r': result.Append('\r'); break;
                case 't': result.Append('\t'); break;
                case 'v': result.Append('\v'); break;
                case 'x': i = Hex(text, i, 2, "\\xXX", result, position); break;
                case 'u': i = Hex(text, i, 4, "\\uXXXX", result, position); break;
                case 'U': i = Hex(text, i, 8, "\\UXXXXXXXX", result, position); break;
                case >= '0' and <= '7':
                    var end = i;
                    while (end < text.Length && end < i + 3 && text[end] is >= '0' and <= '7')
                        end++;
                    result.Append((char)Convert.ToInt32(text[i..end], 8));
                    i = end - 1;
                    break;
                case 'N':
                    throw PyError.Syntax("(unicode error) \\N{...} names are not supported; write \\uXXXX", position);
                default: result.Append('\\').Append(c); break;
            }
        }
        var lone = CodePoints.LoneSurrogate(result.ToString());
        return lone < 0 ? result.ToString() : throw PyError.Syntax("a string literal holds a surrogate without its pair", position);
    }

    private static int Hex(string text, int at, int digits, string shape, StringBuilder result, int position)
    {
        if (at + digits >= text.Length + 0 && at + digits > text.Length - 1
            || !uint.TryParse(text.AsSpan(at + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
            throw PyError.Syntax($"(unicode error) truncated {shape} escape", position);
        if (code > 0x10FFFF)
            throw PyError.Syntax("(unicode error) illegal Unicode character", position);
        if (digits == 8 && code > 0xFFFF)
            result.Append(char.ConvertFromUtf32((int)code));
        else
            result.Append((char)code);
        return at + digits;
    }
}
