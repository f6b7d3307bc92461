using System.CommandLine;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Attune.App.Cli;
using Attune.App.Runs;
using Attune.Core.Options;
using Attune.Inference;

namespace Attune.App.Commands;

/// <summary><c>attune generate VERSION PROMPT</c>: continues a text, as any version does that predicts the next token.</summary>
internal static class GenerateCommand
{
    internal sealed record GenerateOptions : TalkOptions
    {
        [Description("The text to continue; - reads standard input.")]
        public required string Prompt { get; init; }

        [Description("Stop before any of these texts.")]
        public IReadOnlyList<string> Stop { get; init; } = [];

        [Description("How many continuations."), Range(1, 10_000)]
        public int Samples { get; init; } = 1;

        [Description("Print JSON.")]
        public bool Json { get; init; }
    }

    public static Command Create() => Verb.Create<GenerateOptions>(
        "generate", "Continue a text.", RunAsync, nameof(TalkOptions.Version), nameof(GenerateOptions.Prompt));

    private static async Task<int> RunAsync(GenerateOptions options, CancellationToken cancel)
    {
        using var model = LocalModel.Open(Running.Open(options.Store, options.Version).Files, options.Opening());
        // The line end that a shell puts behind what it pipes is no part of the text.
        var prompt = options.Prompt == "-" ? (await Console.In.ReadToEndAsync(cancel)).TrimEnd('\r', '\n') : options.Prompt;
        var how = new GenerationOptions { Sampling = options.Sampling(model.Sampling), MaxTokens = options.MaxTokens, StopTexts = options.Stop };
        var ids = model.Encode(prompt);
        if (options.Samples == 1 && !options.Json)
        {
            Console.Out.Write(prompt);
            await foreach (var part in model.StreamAsync(ids, how, cancel))
                Console.Out.Write(part);
            Console.Out.WriteLine();
            return ExitCode.Done;
        }
        var continuations = await model.GenerateAsync([.. Enumerable.Repeat(ids, options.Samples)], how, cancel);
        if (options.Json)
        {
            Terminal.WriteJson(new JsonArray([.. continuations.Select(c => (JsonNode)new JsonObject
            {
                ["text"] = c.Text,
                ["finish"] = OptionText.Of(c.Finish),
                ["prompt_tokens"] = c.PromptTokens,
                ["tokens"] = c.Ids.Count,
            })]));
        }
        else
        {
            foreach (var continuation in continuations)
                Console.Out.WriteLine($"{prompt}{continuation.Text}\n");
        }
        return ExitCode.Done;
    }
}
