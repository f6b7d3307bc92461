using Attune.Core.Tokens;
using Attune.Prompts;

namespace Attune.App.Templates;

internal static class GgufPrompt
{
    public static PromptSubject Open(string path, Tokenizer? given) => throw new PromptException("ATT1303", "GGUF") { File = path, Field = given?.Digest };
}
