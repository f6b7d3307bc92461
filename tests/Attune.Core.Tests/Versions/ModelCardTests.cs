using System.Text.Json.Nodes;
using Attune.Core.Tests.Checkpoints;
using Attune.Core.Versions;
using Xunit;
using YamlDotNet.Serialization;

namespace Attune.Core.Tests.Versions;

public sealed class ModelCardTests
{
    [Fact]
    public void The_front_matter_is_YAML_and_the_card_is_the_same_every_time()
    {
        var lineage = Drafts.Lineage(1, $"sha256:{new string('b', 64)}", "sft") with { Contract = "c0ffee", Kernels = "libtorch avx512", Data = [new("a|b.jsonl", new string('a', 64), 12)] };
        var contract = new JsonObject { ["template"] = "{{ messages }}\n```\n" };
        var card = ModelCard.Text(VersionKind.Instruct, lineage, Drafts.Config, contract);
        Assert.Equal(card, ModelCard.Text(VersionKind.Instruct, lineage with { Options = new(lineage.Options.Reverse().Select(p => KeyValuePair.Create(p.Key, p.Value?.DeepClone()))) }, Drafts.Config, contract));

        var parts = card.Split("---\n");
        var yaml = new DeserializerBuilder().Build().Deserialize<Dictionary<string, object>>(parts[1]);
        Assert.Equal("transformers", yaml["library_name"]);
        var attune = Assert.IsType<Dictionary<object, object>>(yaml["attune"]);
        Assert.Equal(("instruct", "sft", lineage.Parent, "c0ffee"), (attune["kind"], attune["stage"], attune["parent"], attune["prompt_contract"]));
        Assert.Contains("| a\\|b.jsonl | 12 | `aaaa", card, StringComparison.Ordinal);
        Assert.Contains("````jinja\n{{ messages }}\n```\n````", card, StringComparison.Ordinal);
        Assert.Contains("\"learning_rate\": 0.001", card, StringComparison.Ordinal);
        Assert.DoesNotContain('\r', card);
    }

    [Fact]
    public void A_Base_says_that_it_only_continues()
    {
        using var scratch = new Scratch();
        ModelCard.Write(scratch[ModelFiles.Card], VersionKind.Base, Drafts.Lineage(1, null, "pretrain"), Drafts.Config);
        var card = File.ReadAllText(scratch[ModelFiles.Card]);
        Assert.Contains("continues whatever it is given", card, StringComparison.Ordinal);
        Assert.Contains("from nothing", card, StringComparison.Ordinal);
        Assert.Contains("no prompt contract", card, StringComparison.Ordinal);
    }
}
