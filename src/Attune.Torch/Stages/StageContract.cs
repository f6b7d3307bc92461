using System.Text.Json.Nodes;
using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Prompts;
using Attune.Torch.Optimisers;

namespace Attune.Torch.Stages;

/// <summary>A prompt contract as a stage uses it.</summary>
/// <param name="Contract">The contract of the new version.</param>
/// <param name="Tokenizer">Its tokenizer.</param>
public sealed record StageContract(PromptContract Contract, Tokenizer Tokenizer)
{
    private const string Default = "chatml";

    /// <summary>Ids that end an assistant's turn: the model must learn to say them.</summary>
    public IReadOnlyList<int> EndOfTurn => Contract.StopIds;

    /// <summary>What of the parent's contract this one breaks, in words: empty where it keeps all of it, else said on purpose.</summary>
    public IReadOnlyList<string> Broken { get; init; } = [];

    /// <summary>The contract that the options name (built in, a folder's or a file's); else the parent's; else ChatML.</summary>
    /// <param name="named">The option, or null.</param>
    /// <param name="parent">The files of the parent.</param>
    /// <param name="tokenizer">The parent's tokenizer.</param>
    /// <param name="change">The contract may break what trained the parent; <see cref="Note"/> says so in the lineage.</param>
    /// <exception cref="PromptException">The contract cannot be read or does not fit the tokenizer; ATT1106: it breaks the parent's and <paramref name="change"/> is not given.</exception>
    /// <exception cref="TrainingException">ATT5126: there is no contract of that name and no such folder.</exception>
    public static StageContract Resolve(string? named, ModelFiles parent, Tokenizer tokenizer, bool change = false)
    {
        // A Base model has no format of its own to pass on.
        var kept = ModelContract.Of(parent, tokenizer, change) is { Name: not "base" } own ? own : null;
        var contract = named is null ? kept ?? BuiltInContracts.ByName(Default, tokenizer)
            : ModelContract.Named(named, tokenizer) is { } found && (found.Name != "base" || BuiltInContracts.All.ContainsKey(named)) ? found
            : throw Unknown(named);
        if (kept is null)
            return new StageContract(contract, tokenizer);
        ContractGate.Require(kept, contract, change, tokenizer);
        return new StageContract(contract, tokenizer) { Broken = ContractGate.Broken(kept, contract, tokenizer), IsParents = contract.Hash == kept.Hash };
    }

    /// <summary>Facts of a run with what its contract breaks, where it breaks anything.</summary>
    public JsonObject Note(JsonObject facts)
    {
        if (Broken.Count > 0)
            facts["contract_change"] = new JsonArray([.. Broken.Select(b => (JsonNode)b)]);
        return facts;
    }

    /// <summary>Conversation → ids and which of them are the assistant's.</summary>
    public RenderTokens Render { get; } = ContractRender.ForTraining(Contract, Tokenizer);

    /// <summary>What differs between the prompts of these rows and those that inference will see, or null (failure 1).</summary>
    /// <exception cref="DataException">ATT3033: they differ in every row.</exception>
    public string? Edge(IEnumerable<ConversationRow> rows) => Boundary.Check(rows, Render, ContractRender.ForGeneration(Contract, Tokenizer), Tokenizer) is { Different: > 0 } report
        ? FormattableString.Invariant($"In {report.Different} of {report.Rows} rows training and inference see other tokens before the completion, first in {report.First}: {report.Difference}.")
        : null;

    /// <summary>
    /// Rows with the place of whatever the template refuses: <paramref name="make"/> reads rows and renders them one by one.
    /// </summary>
    /// <exception cref="TrainingException">ATT5127: the template refuses a row.</exception>
    public static TResult Placed<TRow, TResult>(IEnumerable<TRow> rows, Func<IEnumerable<TRow>, TResult> make)
        where TRow : DataRow
    {
        RowOrigin? place = null;
        try
        {
            return make(rows.Select(row =>
            {
                place = row.Origin;
                return row;
            }));
        }
        catch (TemplateException e)
        {
            throw new TrainingException("ATT5127", $"The prompt contract refuses the row: {e.Message}", e)
            {
                File = place?.File,
                Line = place?.Line,
                Field = "contract",
                Hint = "Give a contract with a place for it (--contract), or leave the row out.",
            };
        }
    }

    /// <summary>The shape with this contract's ends of turn before the parent's own ends of text: what generation stops at.</summary>
    public DecoderConfig Endings(DecoderConfig config) => config with { EosTokenIds = [.. EndOfTurn.Concat(config.EosTokenIds).Distinct()] };

    /// <summary>Whether it is the parent's own, word for word.</summary>
    public bool IsParents { get; init; }

    /// <summary>Writes chat_template.jinja and prompt_contract.json into a model folder, with the parent's further templates where the contract is the parent's.</summary>
    public void Write(string folder, ModelFiles parent)
    {
        if (IsParents)
            Inheritance.CopyTemplates(parent, folder);
        Atomic.WriteAllText(Path.Combine(folder, ModelFiles.ChatTemplate), Contract.Template.Source);
        Atomic.WriteAllText(Path.Combine(folder, ModelFiles.PromptContract), Contract.ToJson());
    }

    private static TrainingException Unknown(string named) => new("ATT5126", $"There is no prompt contract '{named}'.")
    {
        Field = "contract",
        Hint = $"Built in are {string.Join(", ", BuiltInContracts.All.Keys)}; or give a file, or a folder with chat_template.jinja.",
    };
}
