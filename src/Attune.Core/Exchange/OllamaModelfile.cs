using System.Globalization;
using System.Text;
using Attune.Core.Checkpoints;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Prompts;

namespace Attune.Core.Exchange;

/// <summary>
/// The Modelfile that <c>ollama create NAME -f Modelfile</c> reads, beside a GGUF file: the prompt template in Go's
/// form, the texts that stop an answer, the sampling that the model's makers recommend.
/// Source: https://github.com/ollama/ollama/blob/main/docs/modelfile.md.
/// </summary>
public static class OllamaModelfile
{
    /// <summary>
    /// Go templates for the formats that Attune writes itself, by the template's text: a contract that was changed is no
    /// longer one of them. Ollama calls them with .Messages and appends what the model says.
    /// </summary>
    private static readonly Dictionary<string, string> Known = new(StringComparer.Ordinal)
    {
        [BuiltInTemplates.ChatMl] = """
            {{- range .Messages }}<|im_start|>{{ .Role }}
            {{ .Content }}<|im_end|>
            {{ end }}<|im_start|>assistant
            
            """,
        [BuiltInTemplates.Llama3] = """
            {{- range .Messages }}<|start_header_id|>{{ .Role }}<|end_header_id|>

            {{ .Content }}<|eot_id|>{{ end }}<|start_header_id|>assistant<|end_header_id|>


            """,
        [BuiltInTemplates.Llama2] = """
            {{- $system := "" }}{{ range .Messages }}
            {{- if eq .Role "system" }}{{ $system = .Content }}
            {{- else if eq .Role "user" }}[INST] {{ if $system }}<<SYS>>
            {{ $system }}
            <</SYS>>

            {{ $system = "" }}{{ end }}{{ .Content }} [/INST]
            {{- else }} {{ .Content }} </s><s>{{ end }}
            {{- end }}
            """,
        [BuiltInTemplates.Mistral] = """
            {{- $system := "" }}{{ range .Messages }}
            {{- if eq .Role "system" }}{{ $system = .Content }}
            {{- else if eq .Role "user" }}[INST] {{ if $system }}{{ $system }}

            {{ $system = "" }}{{ end }}{{ .Content }} [/INST]
            {{- else }} {{ .Content }}</s>{{ end }}
            {{- end }}
            """,
        [BuiltInTemplates.Gemma] = """
            {{- range .Messages }}<start_of_turn>{{ if eq .Role "assistant" }}model{{ else }}{{ .Role }}{{ end }}
            {{ .Content }}<end_of_turn>
            {{ end }}<start_of_turn>model
            
            """,
        [BuiltInTemplates.Zephyr] = """
            {{- range .Messages }}<|{{ .Role }}|>
            {{ .Content }}</s>
            {{ end }}<|assistant|>
            
            """,
        [BuiltInTemplates.Alpaca] = """
            {{- range .Messages }}
            {{- if eq .Role "system" }}{{ .Content }}

            {{ else if eq .Role "user" }}### Instruction:
            {{ .Content }}

            {{ else }}### Response:
            {{ .Content }}</s>

            {{ end }}
            {{- end }}### Response:
            
            """,
        [BuiltInTemplates.Vicuna] = """
            {{- range .Messages }}
            {{- if eq .Role "system" }}{{ .Content }} {{ else if eq .Role "user" }}USER: {{ .Content }} {{ else }}ASSISTANT: {{ .Content }}</s>{{ end }}
            {{- end }}ASSISTANT:
            """,
    };

    /// <summary>The Modelfile's text.</summary>
    /// <param name="ggufName">Name of the GGUF file in the same folder.</param>
    /// <param name="config">The model's shape.</param>
    /// <param name="contract">How it is spoken to; null for a Base model.</param>
    /// <param name="stops">The texts that end an answer.</param>
    /// <param name="generation">How its makers sample from it, or null.</param>
    public static string Text(string ggufName, DecoderConfig config, PromptContract? contract, IEnumerable<string> stops, GenerationConfig? generation)
    {
        var text = new StringBuilder();
        Line($"FROM ./{ggufName}");
        if (contract is null)
        {
            // A Base model continues what it is given; Ollama's own default would be the same, said here so that it stays so.
            Line($"TEMPLATE \"\"\"{{{{ .Prompt }}}}\"\"\"");
        }
        else if (Known.TryGetValue(contract.Template.Source, out var go))
        {
            Line($"TEMPLATE \"\"\"{EndOfText(go, contract)}\"\"\"");
        }
        else
        {
            // Ollama knows many published templates by the one inside the GGUF file.
            Line($"# The template inside {ggufName} is not one of Attune's; Ollama takes it from there where it knows it.");
        }
        foreach (var stop in stops)
            Line($"PARAMETER stop {Quoted(stop)}");
        Line($"PARAMETER num_ctx {config.ContextLength}");
        if (generation is { DoSample: false })
            Line($"PARAMETER temperature 0");
        Number("temperature", generation is { DoSample: true } ? generation.Temperature : null);
        Number("top_k", generation?.TopK);
        Number("top_p", generation?.TopP);
        Number("min_p", generation?.MinP);
        Number("repeat_penalty", generation?.RepetitionPenalty);
        return text.ToString();

        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');

        void Number(string name, double? value)
        {
            if (value is { } number)
                Line($"PARAMETER {name} {number}");
        }
    }

    /// <summary>Writes the Modelfile of a model whose GGUF file lies in the same folder.</summary>
    public static void Write(string folder, string ggufName, ModelFiles model)
    {
        var tokenizer = model.Find(ModelFiles.Tokenizer) is { } json ? Tokenizer.Load(json) : null;
        var contract = tokenizer is null ? null : PromptFiles.ContractOf(model, tokenizer);
        var config = HuggingFaceConfig.Read(model.Require(ModelFiles.Config), DecoderFeatures.All);
        var generation = model.Find(ModelFiles.GenerationConfig) is { } path ? GenerationConfig.Read(path) : null;
        Atomic.WriteAllText(Path.Combine(folder, "Modelfile"), Text(ggufName, config, contract, contract is null ? [] : contract.StopIds.Select(tokenizer!.TokenText), generation));
    }

    // The built-in contracts end with the tokenizer's own end of text where it is another.
    private static string EndOfText(string go, PromptContract contract) =>
        contract.SpecialTokens.GetValueOrDefault("eos_token") is { Length: > 0 } eos ? go.Replace("</s>", eos, StringComparison.Ordinal) : go;

    private static string Quoted(string text) => "\"" + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal) + "\"";
}
