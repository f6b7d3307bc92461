namespace Attune.Core.Checkpoints.Gguf;

/// <summary>A GGUF file that is broken, or a model that has no place in one. Codes ATT3301 to ATT3399.</summary>
public sealed class GgufException(string code, string message, Exception? inner = null) : CheckpointException(code, message, inner)
{
    internal static GgufException NotGguf(string path, string message) => new("ATT3301", message)
    {
        File = path,
        Hint = "Give a GGUF file of version 2 or 3, little-endian.",
    };

    internal static GgufException Broken(string path, string field, FormattableString message) => new("ATT3302", FormattableString.Invariant(message))
    {
        File = path,
        Field = field,
        Hint = "Copy or download it again.",
    };

    internal static GgufException Misplaced(string path, string tensor, FormattableString message) => new("ATT3303", FormattableString.Invariant(message))
    {
        File = path,
        Field = tensor,
        Hint = "Copy or download it again.",
    };

    internal static GgufException Metadata(string path, string key, string message) => new("ATT3304", message) { File = path, Field = key };

    internal static GgufException NoPlace(string field, string message) => new("ATT3305", message)
    {
        Field = field,
        Hint = "Export it in Hugging Face's form: --format hf.",
    };
}
