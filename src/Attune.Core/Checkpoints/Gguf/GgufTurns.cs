namespace Attune.Core.Checkpoints.Gguf;

/// <summary>Turns a tensor's values from Hugging Face's form to llama.cpp's and back; both are floats, rows of the shape's last size.</summary>
internal static class GgufTurns
{
    /// <summary>Hugging Face → GGUF.</summary>
    public static float[] ToGguf(GgufPair pair, float[] values) => pair.Turn switch
    {
        GgufTurn.Pairs => Rows(values, pair.Shape, pair.Heads, toPairs: true),
        GgufTurn.Transposed => Transpose(values, (int)pair.Shape[0], (int)pair.Shape[1]),
        GgufTurn.PlusOne => Array.ConvertAll(values, v => v + 1),
        _ => values,
    };

    /// <summary>GGUF → Hugging Face.</summary>
    public static float[] FromGguf(GgufPair pair, float[] values) => pair.Turn switch
    {
        GgufTurn.Pairs => Rows(values, pair.Shape, pair.Heads, toPairs: false),
        GgufTurn.Transposed => Transpose(values, (int)pair.Shape[1], (int)pair.Shape[0]),
        GgufTurn.PlusOne => Array.ConvertAll(values, v => v - 1),
        _ => values,
    };

    /// <summary>
    /// Row (h, half, i) of Hugging Face ↔ row (h, i, half) of llama: reshape(H, 2, C/2, …).transpose(1, 2). Rotation by
    /// halves of one is rotation by pairs of the other.
    /// </summary>
    private static float[] Rows(float[] values, long[] shape, int heads, bool toPairs)
    {
        var width = shape.Length == 1 ? 1 : (int)shape[1];
        var (size, turned) = ((int)shape[0] / heads, new float[values.Length]);
        for (var head = 0; head < heads; head++)
        {
            for (var i = 0; i < size; i++)
            {
                var (halves, pairs) = (head * size + i % 2 * (size / 2) + i / 2, head * size + i);
                var (from, to) = toPairs ? (halves, pairs) : (pairs, halves);
                values.AsSpan(from * width, width).CopyTo(turned.AsSpan(to * width, width));
            }
        }
        return turned;
    }

    private static float[] Transpose(float[] values, int rows, int columns)
    {
        var turned = new float[values.Length];
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < columns; column++)
                turned[column * rows + row] = values[row * columns + column];
        }
        return turned;
    }
}
