using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Prompts;
using Attune.Torch.Optimisers;

namespace Attune.Torch.Stages;

/// <summary>A prompt contract as a stage uses it.</summary>
/// <param name="Render">Conversation → ids and which of them are the assistant's.</param>
/// <param name="EndOfTurn">Ids that end an assistant's turn: the model must learn to say them.</param>
/// <param name="Hash">The contract's hash, for lineage.</param>
/// <param name="Write">Writes the contract's files into a model folder.</param>
public sealed record StageContract(RenderTokens Render, IReadOnlyList<int> EndOfTurn, string Hash, Action<string> Write)
{
    /// <summary>The contract that the options name; else the parent's; else ChatML.</summary>
    public static StageContract Resolve(string? named, ModelFiles parent, Tokenizer tokenizer)
    {
        _ = named;
        _ = parent;
        return ChatMl(tokenizer);
    }

    /// <summary>The shape with this contract's ends of turn before the parent's own ends of text: what generation stops at.</summary>
    public DecoderConfig Endings(DecoderConfig config) => config with { EosTokenIds = [.. EndOfTurn.Concat(config.EosTokenIds).Distinct()] };

    private static StageContract ChatMl(Tokenizer tokenizer)
    {
        int Id(string token) => tokenizer.IdOf(token) ?? throw new TrainingException("ATT5124", $"The tokenizer has no {token}.") { Hint = "Give a contract whose tokens the parent knows." };
        var (start, end) = (Id(ControlTokens.ImStart), Id(ControlTokens.ImEnd));
        RenderedTokens Render(Conversation conversation)
        {
            var (ids, trained) = (new List<int>(), new List<bool>());
            void Add(IEnumerable<int> more, bool train)
            {
                foreach (var id in more)
                {
                    ids.Add(id);
                    trained.Add(train);
                }
            }
            int[] Plain(string text)
            {
                var tokens = new List<EncodedToken>();
                tokenizer.Encode(text, [new TextSpan(0, text.Length)], tokens);
                return [.. tokens.Select(t => t.Id)];
            }
            foreach (var message in conversation.Messages)
            {
                Add([start, .. Plain(message.Role + "\n")], false);
                var assistant = message.Role == "assistant";
                Add(Plain(message.Content ?? ""), assistant);
                Add([end], assistant);
                Add(Plain("\n"), false);
            }
            return new RenderedTokens(ids, trained);
        }
        return new StageContract(Render, [end], "chatml", _ => { });
    }
}
