using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Attune.App.Tests;

/// <summary>What the command printed and returned.</summary>
internal sealed record CommandResult(int ExitCode, string Out, string Error)
{
    public override string ToString() => $"exit code {ExitCode}\n{Out}\n{Error}";
}

/// <summary>The real command as a child process, in a folder of its own, as a user's shell starts it.</summary>
internal sealed partial class AttuneCommand : IDisposable
{
    private const int Interrupt = 2;

    private static readonly string Configuration = Path.GetFileName(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
    private static readonly string Assembly = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "Attune.App", Configuration, "attune.dll"));

    private readonly Process _process;
    private readonly Task<string> _out;
    private readonly Task<string> _error;

    private AttuneCommand(Process process) => (_process, _out, _error) = (process, process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>Starts it.</summary>
    /// <param name="folder">Its working folder: models/ and runs/ appear here.</param>
    /// <param name="arguments">What stands behind <c>attune</c>.</param>
    public static AttuneCommand Start(string folder, params IEnumerable<string> arguments) => Begin(folder, "dotnet", [Assembly, .. arguments]);

    /// <summary>Starts it in a shell that first runs <paramref name="before"/>, such as a limit on the size of files.</summary>
    public static AttuneCommand StartUnder(string before, string folder, params IEnumerable<string> arguments) =>
        Begin(folder, "/bin/sh", ["-c", $"{before}; exec dotnet \"$@\"", "sh", Assembly, .. arguments]);

    /// <summary>Runs it to its end.</summary>
    /// <param name="folder">Its working folder.</param>
    /// <param name="input">What it reads from standard input.</param>
    /// <param name="arguments">What stands behind <c>attune</c>.</param>
    public static async Task<CommandResult> TalkAsync(string folder, string input, params IEnumerable<string> arguments)
    {
        using var command = Start(folder, arguments);
        await command._process.StandardInput.WriteAsync(input);
        return await command.ResultAsync();
    }

    /// <inheritdoc cref="TalkAsync"/>
    public static Task<CommandResult> RunAsync(string folder, params IEnumerable<string> arguments) => TalkAsync(folder, "", arguments);

    /// <summary>Until it has ended, however.</summary>
    public Task ExitedAsync() => _process.WaitForExitAsync();

    /// <summary>Waits for its end.</summary>
    public async Task<CommandResult> ResultAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        return new(_process.ExitCode, await _out, await _error);
    }

    /// <summary>SIGKILL: no handler hears it, nothing is cleaned up.</summary>
    public void Kill()
    {
        if (!_process.HasExited)
            _process.Kill();
    }

    /// <summary>SIGINT, as Ctrl-C sends it.</summary>
    public void PressControlC() => _ = Signal(_process.Id, Interrupt);

    public void Dispose()
    {
        Kill();
        _process.Dispose();
    }

    private static AttuneCommand Begin(string folder, string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["ATTUNE_ROOT"] = Checkout.Root;
        start.Environment.Remove("ATTUNE_STORE");
        return new(Process.Start(start)!);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);
}
