namespace Attune.Core.Checkpoints.Gguf;

/// <summary>Turns a tensor's values from Hugging Face's form to llama.cpp's and back; both are floats, rows of the shape's last size.</summary>
internal static class GgufTurns
{
    /// <summary>Hugging Face → GGUF.</summary>
    public static float[] ToGguf(GgufPair pair, float[] values) => pair.Turn switch
    {
        GgufTurn.Pairs => Rows(values, pair, PairOfHalf, there: true),
        GgufTurn.Fused => Rows(values, pair, FusedOfHead, there: true),
        GgufTurn.Transposed => Transpose(values, (int)pair.Shape[0], (int)pair.Shape[1]),
        GgufTurn.PlusOne => Array.ConvertAll(values, v => v + 1),
        _ => values,
    };

    /// <summary>GGUF → Hugging Face.</summary>
    public static float[] FromGguf(GgufPair pair, float[] values) => pair.Turn switch
    {
        GgufTurn.Pairs => Rows(values, pair, PairOfHalf, there: false),
        GgufTurn.Fused => Rows(values, pair, FusedOfHead, there: false),
        GgufTurn.Transposed => Transpose(values, (int)pair.Shape[1], (int)pair.Shape[0]),
        GgufTurn.PlusOne => Array.ConvertAll(values, v => v - 1),
        _ => values,
    };

    // Moves every row of Hugging Face's to where GGUF has it, or back.
    private static float[] Rows(float[] values, GgufPair pair, Func<int, int, int, int> place, bool there)
    {
        var (rows, turned) = ((int)pair.Shape[0], new float[values.Length]);
        var width = values.Length / rows;
        for (var row = 0; row < rows; row++)
        {
            var moved = place(row, rows, pair.Heads);
            var (from, to) = there ? (row, moved) : (moved, row);
            values.AsSpan(from * width, width).CopyTo(turned.AsSpan(to * width, width));
        }
        return turned;
    }

    // Row (h, half, i) → (h, i, half): rotation by halves of one is rotation by pairs of the other.
    private static int PairOfHalf(int row, int rows, int heads)
    {
        var size = rows / heads;
        var (head, half, i) = (row / size, row % size / (size / 2), row % (size / 2));
        return head * size + 2 * i + half;
    }

    // Row (h, q/k/v, i) → (q/k/v, h, i).
    private static int FusedOfHead(int row, int rows, int heads)
    {
        var size = rows / heads / 3;
        var (head, part, i) = (row / (3 * size), row / size % 3, row % size);
        return (part * heads + head) * size + i;
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
