using System.CommandLine;
using System.ComponentModel;
using System.Globalization;
using System.Text.Json.Nodes;
using Attune.App.Cli;
using Attune.App.Runs;
using Attune.Core.Checkpoints;
using Attune.Inference;
using Attune.Prompts;

namespace Attune.App.Commands;

/// <summary><c>attune chat VERSION</c>: a conversation in the terminal, streamed, under the version's own contract.</summary>
internal static class ChatCommand
{
    private const string Help = """
        /system TEXT   set the system prompt (without TEXT: take it away)
        /retry         ask the last question again
        /undo          take the last question and its answer back
        /clear         forget everything
        /history       show the conversation so far
        /save FILE     write it as messages JSON
        /tokens        tokens of the last prompt, and how many were already in the cache
        /quit          leave (Ctrl-D does too; Ctrl-C stops an answer)
        """;

    internal sealed record ChatOptions : TalkOptions
    {
        [Description("The system prompt.")]
        public string? System { get; init; }

        [Description("What happens when the conversation outgrows the window: error, or drop_oldest.")]
        public OverflowPolicy Overflow { get; init; } = OverflowPolicy.DropOldest;
    }

    public static Command Create() => Verb.Create<ChatOptions>(
        "chat", "Talk to a version.", RunAsync, nameof(TalkOptions.Version));

    private static async Task<int> RunAsync(ChatOptions options, CancellationToken cancel)
    {
        var (files, version) = Running.Open(options.Store, options.Version);
        using var model = LocalModel.Open(files, options.Opening());
        var how = new GenerationOptions { Sampling = options.Sampling(model.Sampling), MaxTokens = options.MaxTokens };
        using var session = new ChatSession(model, options.System, how, options.Overflow);
        if (version?.Kind == Attune.Core.Versions.VersionKind.Base)
            Terminal.Error.Line($"[yellow]note[/]: {version.Name} is a Base version: it continues text and was never taught to answer.");
        if (options.Contract is not null)
            Terminal.Error.Line($"[yellow]note[/]: it is spoken to by the contract {model.Contract.Name}, which need not be the one that trained it.");
        var prompts = !Console.IsInputRedirected;
        if (prompts)
            Terminal.Error.Line($"{version?.Name ?? files.Description}, window of {model.Config.ContextLength} tokens. /help lists the commands.");

        while (true)
        {
            if (prompts)
                Console.Error.Write("\n> ");
            if (await ReadLineAsync(cancel) is not { } line)
                return ExitCode.Done;
            if (line.Trim().Length == 0)
                continue;
            if (!line.StartsWith('/'))
                await SayAsync(session, line, cancel);
            else if (!await CommandAsync(session, line, cancel))
                return ExitCode.Done;
        }
    }

    private static async Task SayAsync(ChatSession session, string text, CancellationToken cancel)
    {
        var dropped = session.Dropped;
        using var stopped = new Interruption();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopped.Token, cancel);
        try
        {
            await foreach (var part in session.SendAsync(text, either.Token))
                Console.Out.Write(part);
            Console.Out.WriteLine();
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            Console.Out.WriteLine();
            Terminal.Error.Line($"[yellow]stopped[/]: this question and its answer are not part of the conversation.");
        }
        catch (WindowOverflowException error)
        {
            Terminal.Error.Line($"[yellow]{error.Describe()}[/]");
        }
        if (session.Dropped > dropped)
            Terminal.Error.Line($"[yellow]note[/]: the window is full: the {session.Dropped} oldest messages are forgotten.");
    }

    /// <summary>The next line, or null where there is none. A terminal does not hear of cancellation while it waits for a line, so another thread waits.</summary>
    private static async Task<string?> ReadLineAsync(CancellationToken cancel) => await Task.Run(Console.In.ReadLine, CancellationToken.None).WaitAsync(cancel);

    /// <summary>Runs a /command; false ends the conversation.</summary>
    private static async Task<bool> CommandAsync(ChatSession session, string line, CancellationToken cancel)
    {
        var (name, rest) = line.IndexOf(' ') is var space and > 0 ? (line[..space], line[(space + 1)..].Trim()) : (line.Trim(), "");
        switch (name)
        {
            case "/quit" or "/exit":
                return false;
            case "/system":
                session.System = rest.Length == 0 ? null : rest;
                break;
            case "/retry" when session.History.LastOrDefault(m => m.Role == "user") is { Content: { } last }:
                session.Undo();
                await SayAsync(session, last, cancel);
                break;
            case "/undo":
                session.Undo();
                break;
            case "/clear":
                session.Clear();
                break;
            case "/history":
                foreach (var message in Messages(session))
                    Console.Out.WriteLine($"{message.Role}: {message.Content}");
                break;
            case "/save" when rest.Length > 0:
                Atomic.WriteAllText(rest, ToJson(session).ToJsonString(new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
                break;
            case "/tokens":
                Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{session.LastTurn.Prompt} tokens, {session.LastTurn.Reused} of them already in the cache"));
                break;
            default:
                Console.Error.WriteLine(Help);
                break;
        }
        return true;
    }

    private static IEnumerable<Message> Messages(ChatSession session) =>
        session.System is { } system ? session.History.Prepend(new Message("system", system)) : session.History;

    private static JsonObject ToJson(ChatSession session) => new()
    {
        ["messages"] = new JsonArray([.. Messages(session).Select(m => (JsonNode)new JsonObject { ["role"] = m.Role, ["content"] = m.Content })]),
    };
}
