using System.Diagnostics;
using Attune.Core.Data;
using Attune.Core.Preferences;
using Xunit;

namespace Attune.App.Tests;

/// <summary>The command as a person runs it: keys go in, lines of the file come out.</summary>
public sealed class RankCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("attune-rank-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string At(string name) => Path.Combine(_folder, name);

    private string Rankings()
    {
        File.WriteAllText(At("given.jsonl"), """
            {"prompt":"2 + 3?","responses":["5","six","It is 5."],"scores":[1,0,2]}
            {"prompt":"3 + 4?","responses":["8","7"],"scores":[0,1]}
            """);
        return At("given.jsonl");
    }

    private async Task<(int Code, string Output)> RunAsync(string keys, params string[] arguments)
    {
        var here = AppContext.BaseDirectory;
        var start = new ProcessStartInfo("dotnet",
        [
            "exec", "--runtimeconfig", Path.Combine(here, "Attune.App.Tests.runtimeconfig.json"), "--depsfile", Path.Combine(here, "Attune.App.Tests.deps.json"),
            Path.Combine(here, "attune.dll"), .. arguments,
        ])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _folder,
        };
        using var process = Process.Start(start)!;
        await process.StandardInput.WriteAsync(keys);
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output + await error);
    }

    [Fact]
    public async Task Keys_become_lines_the_same_command_goes_on_and_annotators_are_compared()
    {
        var given = Rankings();
        var (code, output) = await RunAsync("213\nq", "rank", given, "--out", At("ann.jsonl"), "--annotator", "ann");
        Assert.True(code == 0, output);
        var first = Assert.Single(AnnotationLog.Read(At("ann.jsonl")));
        Assert.Equal([2, 1, 3], first.Shown!.Select(i => first.Ranks![i]));

        (code, output) = await RunAsync("1=2\n", "rank", given, "--out", At("ann.jsonl"), "--annotator", "ann");
        Assert.True(code == 0, output);
        var both = AnnotationLog.Read(At("ann.jsonl"));
        Assert.Equal([first.Task.Id, both[1].Task.Id], both.Select(a => a.Task.Id));
        Assert.Equal([1, 1], both[1].Ranks!);
        Assert.Equal(3, DataReader.ReadPreferences(At("ann.jsonl")).Count());

        (code, output) = await RunAsync("123\n12\n", "rank", given, "--out", At("ben.jsonl"), "--annotator", "ben");
        Assert.True(code == 0, output);
        (code, output) = await RunAsync("", "rank", "agreement", At("ann.jsonl"), At("ben.jsonl"));
        Assert.True(code == 0, output);
        Assert.Contains("kappa", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_judge_that_is_not_named_is_asked_for()
    {
        var (code, output) = await RunAsync("", "rank", Rankings(), "--by", "judge", "--out", At("judge.jsonl"));
        Assert.Equal(2, code);
        Assert.Contains("ATT4801", output, StringComparison.Ordinal);
    }
}
