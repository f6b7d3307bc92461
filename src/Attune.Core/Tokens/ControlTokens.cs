namespace Attune.Core.Tokens;

/// <summary>
/// The tokens that a tokenizer trained here always reserves, as its first ids, so that a Base model has the rows that
/// its Instruct and Chat children will need, whichever of the usual chat templates they take.
/// </summary>
public static class ControlTokens
{
    /// <summary>End of a text, and the separator of packed texts: id 0.</summary>
    public const string EndOfText = "<|endoftext|>";

    /// <summary>Opens a ChatML turn.</summary>
    public const string ImStart = "<|im_start|>";

    /// <summary>Closes a ChatML turn.</summary>
    public const string ImEnd = "<|im_end|>";

    /// <summary>Fills short rows; never a target.</summary>
    public const string Pad = "<|pad|>";

    /// <summary>Opens a text in Llama 3's format.</summary>
    public const string BeginOfText = "<|begin_of_text|>";

    /// <summary>Opens the role of a turn in Llama 3's format.</summary>
    public const string StartHeader = "<|start_header_id|>";

    /// <summary>Closes the role of a turn in Llama 3's format.</summary>
    public const string EndHeader = "<|end_header_id|>";

    /// <summary>Closes a turn in Llama 3's format.</summary>
    public const string EndOfTurn = "<|eot_id|>";

    /// <summary>All sixteen, in the order of their ids: the named ones, then &lt;|reserved_0|&gt; to &lt;|reserved_7|&gt;.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        EndOfText, ImStart, ImEnd, Pad, BeginOfText, StartHeader, EndHeader, EndOfTurn,
        .. Enumerable.Range(0, 8).Select(Reserved),
    ];

    /// <summary>The text of the n-th reserved token.</summary>
    public static string Reserved(int n) => FormattableString.Invariant($"<|reserved_{n}|>");
}
