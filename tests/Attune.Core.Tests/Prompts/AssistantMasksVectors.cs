using System.Text;
using System.Text.Json.Nodes;
using Attune.Core.Tokens;
using Attune.Prompts;
using Attune.Prompts.Tests;
using Attune.Testing;
using Xunit;

namespace Attune.Core.Tests.Prompts;

/// <summary>Token ids and loss masks of the reference's renders, through the contract and our own tokenizer.</summary>
public sealed class AssistantMasksVectors
{
    [Fact]
    public void Ids_and_trained_tokens_are_the_references()
    {
        Assert.SkipWhen(SharedData.MaySkip, "no reference data");
        var tokenizer = Tokenizer.Load(SharedData.PathOf("vectors", "foreign-base", "tokenizer.json"));
        var cases = Reference.Cases();
        var contracts = new Dictionary<string, PromptContract>(StringComparer.Ordinal);
        var failures = new StringBuilder();
        var rows = 0;
        foreach (var row in File.ReadLines(SharedData.PathOf("vectors", "parts", "assistant-masks.jsonl")).Select(l => JsonNode.Parse(l)!.AsObject()))
        {
            rows++;
            var kwargs = row["kwargs"]!.AsObject();
            var (conversation, settings) = Reference.Input(cases[row["case"]!.GetValue<string>()], kwargs);
            var tokens = new JsonObject(settings.SpecialTokens.Select(t => KeyValuePair.Create<string, JsonNode?>(t.Key, t.Value))).ToJsonString();
            var key = row["template"]!.GetValue<string>() + tokens;
            if (!contracts.TryGetValue(key, out var contract))
                contracts[key] = contract = PromptContract.FromFiles(tokens, Reference.Template(row["template"]!.GetValue<string>()), tokenizer).WithClock(Reference.Clock, tokenizer);
            var prompt = contract.Render(conversation, tokenizer, settings.AddGenerationPrompt == true);
            var ids = row["input_ids"]!.AsArray().Select(i => i!.GetValue<int>()).ToArray();
            var runs = row["assistant_runs"]!.AsArray().Select(r => (r![0]!.GetValue<int>(), r[1]!.GetValue<int>())).ToArray();
            if (!prompt.Ids.SequenceEqual(ids))
                failures.AppendLine($"{row["template"]} × {row["case"]}: {prompt.Ids.Length} ids differ from {ids.Length}");
            else if (!Runs(prompt.Trained).SequenceEqual(runs))
                failures.AppendLine($"{row["template"]} × {row["case"]}: runs {string.Join(' ', Runs(prompt.Trained))} instead of {string.Join(' ', runs)}");
            if (tokenizer.Decode(prompt.Ids) != prompt.Text)
                failures.AppendLine($"{row["template"]} × {row["case"]}: decoding does not give the render back");
        }
        Assert.True(rows > 0, "assistant-masks.jsonl holds no rows");
        Assert.True(failures.Length == 0, failures.ToString());
    }

    private static List<(int Start, int End)> Runs(bool[] trained)
    {
        var runs = new List<(int, int)>();
        for (var i = 0; i < trained.Length; i++)
        {
            if (!trained[i])
                continue;
            var start = i;
            while (i < trained.Length && trained[i])
                i++;
            runs.Add((start, i));
        }
        return runs;
    }
}
