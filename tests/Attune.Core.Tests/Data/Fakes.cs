using System.Text;
using Attune.Core.Data;
using Attune.Prompts;

namespace Attune.Core.Tests.Data;

/// <summary>A token for each character, and one for each control token: enough to see masks.</summary>
internal sealed class CharEncoder : ITokenEncoder
{
    public const int EndOfText = 0x110000, Start = 0x110001, EndOfTurn = 0x110002;

    public string Digest => "chars";

    public int VocabularySize => EndOfTurn + 1;

    public IReadOnlyDictionary<string, int> AddedTokens { get; } =
        new Dictionary<string, int> { ["<|endoftext|>"] = EndOfText, ["<|im_start|>"] = Start, ["<|im_end|>"] = EndOfTurn };

    public void Encode(string text, IReadOnlyList<TextSpan> untrusted, List<EncodedToken> output)
    {
        for (var i = 0; i < text.Length; i++)
            output.Add(new EncodedToken(text[i], i, 1));
    }

    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = false)
    {
        var text = new StringBuilder();
        foreach (var id in ids)
            text.Append(id < EndOfText ? ((char)id).ToString() : AddedTokens.First(t => t.Value == id).Key);
        return text.ToString();
    }
}

/// <summary>ChatML by hand: role, newline, content, end of turn, newline. The assistant's content and end of turn are trained.</summary>
internal static class FakeTemplate
{
    public static RenderedTokens Render(Conversation conversation) => Render(conversation, trainEnd: true);

    public static RenderedTokens Render(Conversation conversation, bool trainEnd)
    {
        var (ids, trained) = (new List<int>(), new List<bool>());
        foreach (var message in conversation.Messages)
        {
            var assistant = message.Role == "assistant";
            Add(CharEncoder.Start, false);
            AddText(message.Role + "\n", false);
            AddText(message.Content ?? message.Fields?.ToJsonString() ?? "", assistant);
            Add(CharEncoder.EndOfTurn, assistant && trainEnd);
            AddText("\n", false);
        }
        return new RenderedTokens(ids, trained);

        void AddText(string text, bool train)
        {
            foreach (var character in text)
                Add(character, train);
        }

        void Add(int id, bool train)
        {
            ids.Add(id);
            trained.Add(train);
        }
    }
}

/// <summary>A data file that lives as long as its test.</summary>
internal sealed class TempFile : IDisposable
{
    public TempFile(string extension, string content)
        : this(extension, Encoding.UTF8.GetBytes(content))
    {
    }

    public TempFile(string extension, byte[] content)
    {
        Path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"attune-{Guid.NewGuid():N}{extension}");
        File.WriteAllBytes(Path, content);
    }

    public string Path { get; }

    public void Dispose() => File.Delete(Path);
}
