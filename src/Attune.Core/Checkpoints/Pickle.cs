namespace Attune.Core.Checkpoints;

/// <summary>
/// PyTorch's pickle files hold a program that runs when they are opened, so Attune never opens one.
/// They are known by their first bytes, whatever they are called.
/// </summary>
public static class Pickle
{
    private static readonly string[] Extensions = [".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle"];

    /// <summary>Whether a file's name is one that pickles usually have.</summary>
    public static bool IsPickleName(string name) => Extensions.Contains(Path.GetExtension(name), StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Whether a file starts as a zip (PyTorch since 1.6), a pickle of protocol 2 to 5 (before), or a gzip of one.
    /// </summary>
    public static bool LooksLikePickle(ReadOnlySpan<byte> start) =>
        !LooksLikeHeader(start)
        && (start.StartsWith("PK\u0003\u0004"u8)
            || start.StartsWith("PK\u0005\u0006"u8)
            || (start.Length >= 2 && start[0] == 0x80 && start[1] is >= 2 and <= 5)
            || start.StartsWith((ReadOnlySpan<byte>)[0x1f, 0x8b]));

    /// <summary>The refusal, with the way out.</summary>
    public static CheckpointException Refusal(string path) => new("ATT2014", "This is a pickle: opening it would run the program inside it.")
    {
        File = path,
        Hint = "Convert it once, where you trust the file: python -c \"from transformers import AutoModelForCausalLM as A; "
            + "A.from_pretrained('FOLDER').save_pretrained('OUT', safe_serialization=True)\" "
            + "(or safetensors' convert.py), then open OUT.",
    };

    // The length of a safetensors header may happen to start with the same bytes; after its eight comes a brace.
    private static bool LooksLikeHeader(ReadOnlySpan<byte> start) => start.Length > 8 && start[8] == (byte)'{';
}
