using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Core.Checkpoints;

namespace Attune.Core.Versions;

/// <summary>
/// README.md as Hugging Face's model cards have it: YAML for machines, then prose for people, both from what is known
/// about the version and nothing else. The same version gets the same card, byte for byte; figures that were measured
/// later are reports attached to the version, not part of it.
/// Source: https://huggingface.co/docs/hub/model-cards.
/// </summary>
public static class ModelCard
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes the card, atomically.</summary>
    /// <param name="path">README.md.</param>
    /// <param name="kind">What the version is.</param>
    /// <param name="lineage">Where it came from.</param>
    /// <param name="config">Its shape.</param>
    /// <param name="contract">prompt_contract.json, or null.</param>
    public static void Write(string path, VersionKind kind, Lineage lineage, DecoderConfig config, JsonObject? contract = null) =>
        Atomic.WriteAllText(path, Text(kind, lineage, config, contract));

    /// <summary>The card's text.</summary>
    public static string Text(VersionKind kind, Lineage lineage, DecoderConfig config, JsonObject? contract = null)
    {
        var text = new StringBuilder();
        AppendFrontMatter(text, kind, lineage);
        text.Append(CultureInfo.InvariantCulture, $"# A {kind} model of {Count(config.Parameters)} parameters\n\n{About(kind)}\n\n");
        AppendShape(text, config);
        AppendOrigin(text, lineage);
        AppendPrompt(text, lineage, contract);
        text.Append(kind == VersionKind.Reward ? """
            ## Use

            ```
            attune ppo PROMPTS --parent VERSION --reward-model FOLDER
            ```

            or, in Python, `transformers.AutoModelForSequenceClassification.from_pretrained("FOLDER")`.

            """.ReplaceLineEndings("\n") : $"""
            ## Use

            ```
            attune {(kind == VersionKind.Base ? "generate FOLDER \"some text\"" : "chat FOLDER")}
            ```

            or, in Python, `transformers.AutoModelForCausalLM.from_pretrained("FOLDER")`.

            """.ReplaceLineEndings("\n"));
        text.Append("""
            ## What it can and cannot do

            Measurements are attached to the version in the store (`attune versions show`), with their number of items and
            their intervals. A figure that is not there was not measured.

            """.ReplaceLineEndings("\n"));
        return text.ToString();
    }

    /// <summary>The licence that a model's card names in its front matter, or null.</summary>
    public static string? LicenceOf(ModelFiles model)
    {
        if (model.Find(ModelFiles.Card) is not { } card)
            return null;
        using var lines = File.ReadLines(card).GetEnumerator();
        if (!lines.MoveNext() || lines.Current.Trim() != "---")
            return null;
        while (lines.MoveNext() && lines.Current.Trim() != "---")
        {
            if (lines.Current.StartsWith("license:", StringComparison.Ordinal))
                return lines.Current["license:".Length..].Trim().Trim('"', '\'');
        }
        return null;
    }

    private static void AppendFrontMatter(StringBuilder text, VersionKind kind, Lineage lineage)
    {
        var licence = lineage.Facts["license"] is JsonValue named && named.TryGetValue<string>(out var value) ? $"license: {Yaml(value)}\n" : "";
        text.Append(CultureInfo.InvariantCulture, $"---\n{licence}library_name: transformers\npipeline_tag: {(kind == VersionKind.Reward ? "text-classification" : "text-generation")}\ntags:\n- attune\n");
        text.Append(CultureInfo.InvariantCulture, $"- {kind.ToString().ToLowerInvariant()}\nattune:\n  kind: {kind.ToString().ToLowerInvariant()}\n  stage: {Yaml(lineage.Stage)}\n");
        if (lineage.Parent is not null)
            text.Append(CultureInfo.InvariantCulture, $"  parent: {Yaml(lineage.Parent)}\n");
        if (lineage.Contract is not null)
            text.Append(CultureInfo.InvariantCulture, $"  prompt_contract: {Yaml(lineage.Contract)}\n");
        text.Append(CultureInfo.InvariantCulture, $"  seed: {lineage.Seed}\n  code_version: {Yaml(lineage.CodeVersion)}\n---\n\n");
    }

    private static string About(VersionKind kind) => kind switch
    {
        VersionKind.Base => "It predicts the next token of a text and continues whatever it is given. It has not been taught to answer, to follow instructions or to refuse.",
        VersionKind.Instruct => "It was taught to follow instructions, one at a time, in the form of its prompt contract.",
        VersionKind.Chat => "It was taught to talk over several turns, and aligned to preferences, in the form of its prompt contract.",
        VersionKind.Reward => "It reads a conversation and gives its last answer a score, at its last token; only differences between answers to one prompt mean anything. It says nothing itself.",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private static void AppendShape(StringBuilder text, DecoderConfig config)
    {
        text.Append("## Shape\n\n| | |\n|---|---|\n");
        foreach (var (name, value) in ((string, string)[])
        [
            ("architecture", config.Architecture),
            ("parameters", config.Parameters.ToString(CultureInfo.InvariantCulture)),
            ("vocabulary", Number(config.VocabularySize)),
            ("window, in tokens", Number(config.ContextLength)),
            ("layers", Number(config.Layers)),
            ("width", Number(config.HiddenSize)),
            ("feed-forward width", Number(config.IntermediateSize)),
            ("query heads / key-value heads / head width", $"{Number(config.Heads)} / {Number(config.KeyValueHeads)} / {Number(config.HeadSize)}"),
            ("embedding and head", config.TiedEmbeddings ? "tied" : "separate"),
            ("weights stored as", config.Dtype),
        ])
            text.Append(CultureInfo.InvariantCulture, $"| {name} | {Cell(value)} |\n");
        text.Append('\n');
    }

    private static void AppendOrigin(StringBuilder text, Lineage lineage)
    {
        text.Append("## Where it came from\n\n");
        text.Append(CultureInfo.InvariantCulture, $"Stage `{lineage.Stage}`, seed {lineage.Seed}, Attune {lineage.CodeVersion}");
        text.Append(lineage.Kernels is null ? ", " : $" ({lineage.Kernels}), ");
        text.Append(lineage.Parent is null ? "from nothing.\n\n" : $"from the version `{lineage.Parent}`.\n\n");
        if (lineage.Data.Count > 0)
        {
            text.Append("| data | rows | sha256 |\n|---|---:|---|\n");
            foreach (var data in lineage.Data)
                text.Append(CultureInfo.InvariantCulture, $"| {Cell(data.Name)} | {data.Rows} | `{data.Digest}` |\n");
            text.Append('\n');
        }
        AppendJson(text, "Options:", lineage.Options);
        AppendJson(text, "Facts of the run:", lineage.Facts);
    }

    private static void AppendPrompt(StringBuilder text, Lineage lineage, JsonObject? contract)
    {
        text.Append("## Prompt\n\n");
        text.Append(lineage.Contract is null
            ? "It has no prompt contract: give it plain text.\n\n"
            : $"Its prompt contract has the hash `{lineage.Contract}`; prompts that are rendered in another way are not what it was trained on.\n\n");
        // The template is shown, for people; the rest of the contract is a file beside this one.
        if ((contract?["template"] ?? contract?["chat_template"]) is JsonValue template && template.GetValueKind() == JsonValueKind.String)
        {
            var fence = new string('`', 3);
            while (template.GetValue<string>().Contains(fence, StringComparison.Ordinal))
                fence += "`";
            text.Append(CultureInfo.InvariantCulture, $"{fence}jinja\n{template.GetValue<string>().ReplaceLineEndings("\n").TrimEnd('\n')}\n{fence}\n\n");
        }
    }

    private static void AppendJson(StringBuilder text, string title, JsonObject json)
    {
        if (json.Count > 0)
            text.Append(CultureInfo.InvariantCulture, $"{title}\n\n```json\n{JsonNode.Parse(CanonicalJson.Bytes(json))!.ToJsonString(Indented)}\n```\n\n");
    }

    private static string Count(long parameters) => parameters switch
    {
        >= 1_000_000_000 => (parameters / 1e9).ToString("0.##", CultureInfo.InvariantCulture) + " B",
        >= 1_000_000 => (parameters / 1e6).ToString("0.##", CultureInfo.InvariantCulture) + " M",
        _ => parameters.ToString(CultureInfo.InvariantCulture),
    };

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    // JSON's strings are YAML's.
    private static string Yaml(string value) => JsonSerializer.Serialize(value);

    private static string Cell(string value) => value.Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ");
}
