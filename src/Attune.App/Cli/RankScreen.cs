using System.Globalization;
using Attune.Core.Preferences;
using Spectre.Console;

namespace Attune.App.Cli;

/// <summary>A ranking session on a terminal: draws the task, turns keys into actions. What a key means is decided here, what an action does in <see cref="RankSession"/>.</summary>
internal static class RankScreen
{
    public const string Help = "1–9 best of the rest · = ties with the one before · Enter done (the rest tie last) · b all bad · s skip · u undo · q quit";

    /// <summary>The action of a key, or null where it has none.</summary>
    public static (RankAction Action, int Number)? ActionOf(ConsoleKeyInfo key) => key switch
    {
        { KeyChar: >= '1' and <= '9' and var digit } => (RankAction.Place, digit - '0'),
        { KeyChar: '=' } => (RankAction.Tie, 0),
        { Key: ConsoleKey.Enter } or { KeyChar: '\r' or '\n' } => (RankAction.Commit, 0),
        { KeyChar: 'b' or 'B' } => (RankAction.AllBad, 0),
        { KeyChar: 's' or 'S' } => (RankAction.Skip, 0),
        { Key: ConsoleKey.Backspace } or { KeyChar: 'u' or 'U' } => (RankAction.Undo, 0),
        { Key: ConsoleKey.Escape } or { KeyChar: 'q' or 'Q' } => (RankAction.Quit, 0),
        _ => null,
    };

    /// <summary>The next key: from the keyboard, or, where input is piped, its next character; null at its end.</summary>
    public static ConsoleKeyInfo? ReadKey()
    {
        if (!Console.IsInputRedirected)
            return Console.ReadKey(intercept: true);
        var read = Console.In.Read();
        return read < 0 ? null : new ConsoleKeyInfo((char)read, read is '\r' or '\n' ? ConsoleKey.Enter : ConsoleKey.None, shift: false, alt: false, control: false);
    }

    /// <summary>Shows the prompt and its answers, numbered.</summary>
    public static void ShowTask(IAnsiConsole console, RankSession session)
    {
        if (session.Current is not { } task)
            return;
        console.Line($"\n[grey]{session.Done} judged by {session.Annotator}[/]");
        foreach (var message in task.Prompt.Messages)
            console.Line($"[bold]{message.Role}[/]: {message.Content}");
        for (var number = 1; number <= session.Shown.Count; number++)
            console.Write(new Panel(new Text(task.Answers[session.Shown[number - 1]].Text)) { Header = new PanelHeader(string.Create(CultureInfo.InvariantCulture, $" {number} ")), Expand = true });
        ShowOrder(console, session);
    }

    /// <summary>Shows what was placed so far.</summary>
    public static void ShowOrder(IAnsiConsole console, RankSession session)
    {
        var order = string.Join(" > ", session.Placed.Select(group => string.Join(" = ", group.Select(n => n.ToString(CultureInfo.InvariantCulture)))));
        console.Line($"  {(order.Length == 0 ? Help : order)}{(session.TieNext ? " = …" : "")}");
    }
}
