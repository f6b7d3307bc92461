using System.Diagnostics;
using Attune.Core.Versions;
using Xunit;

namespace Attune.App.Tests;

/// <summary>What goes wrong while the command works (the arithmetic, the disk, a damaged or a newer store): exit code 1 or 2, a code, and nothing lost.</summary>
public sealed class MisfortuneTests : IDisposable
{
    private static readonly string[] Tiny =
        ["--threads", "1", "--vocabulary-size", "320", "--hidden-size", "32", "--layers", "2", "--heads", "2", "--sequence-length", "64", "--micro-batch-tokens", "256"];

    private readonly Workplace _at = new();

    // Decay at rate × decay = 100 turns every weight into −99 times itself: it overflows within some twenty steps.
    [Fact]
    public async Task ARunThatDivergesSaysSoAndStoresNothing()
    {
        string[] run = ["pretrain", "text.jsonl", "--save-as", "my:base", "--steps", "200", "--checkpoint-steps", "1", .. Tiny];
        var diverged = await _at.RunAsync([.. run, "--learning-rate", "10", "--weight-decay", "10", "--clip", "0"]);
        Assert.True(diverged.ExitCode == 1, diverged.ToString());
        Assert.Contains("ATT5120", diverged.Error, StringComparison.Ordinal);
        Assert.Contains("learning_rate", diverged.Error, StringComparison.Ordinal);
        Assert.Empty(ModelStore.Open(_at.PathOf("models")).List());
        Assert.NotEmpty(Directory.EnumerateFiles(_at.PathOf("runs", "pretrain-my-base", "checkpoints")));

        // Another rate is another run: said, and possible.
        var changed = await _at.RunAsync([.. run, "--learning-rate", "0.01"]);
        Assert.True(changed.ExitCode == 2, changed.ToString());
        Assert.Contains("learning_rate was 10, is 0.01", changed.Error, StringComparison.Ordinal);
        var restarted = await _at.RunAsync([.. run, "--learning-rate", "0.01", "--restart"]);
        Assert.True(restarted.ExitCode == 0, restarted.ToString());
    }

    [Fact]
    public async Task AFullDiskEndsTheRunAndItGoesOnWhenThereIsRoom()
    {
        // As root a file system of its own runs full; else the size of files is limited, which fails the same writes.
        var (small, mounted) = (_at.PathOf("small"), Mount(_at.PathOf("small"), "700k"));
        string[] run = ["pretrain", "text.jsonl", "--save-as", "my:base", "--steps", "40", "--checkpoint-steps", "10", "--run", Path.Combine(small, "run"), "--store", Path.Combine(small, "models"), .. Tiny];
        try
        {
            using var limited = mounted ? AttuneCommand.Start(_at.Folder, run) : AttuneCommand.StartUnder("trap '' XFSZ; export DOTNET_EnableWriteXorExecute=0; ulimit -f 256", _at.Folder, run);
            var full = await limited.ResultAsync();
            Assert.True(full.ExitCode == 1, full.ToString());
            Assert.Matches(mounted ? "The disk is full.*(ATT2030|ATT5132)" : "ATT2030|ATT5132", full.Error);
            Assert.DoesNotContain("   at ", full.Error, StringComparison.Ordinal);

            if (mounted)
                Assert.Equal(0, Shell("mount", "-o", "remount,size=64m", small));
            var resumed = await _at.RunAsync(run);
            Assert.True(resumed.ExitCode == 0, resumed.ToString());
            Assert.Empty(ModelStore.Open(Path.Combine(small, "models")).Verify());
        }
        finally
        {
            if (mounted)
                Shell("umount", "-l", small);
        }
    }

    [Fact]
    public async Task ADamagedByteIsFoundAndNamed()
    {
        var made = await _at.RunAsync(["pretrain", "text.jsonl", "--save-as", "my:base", "--steps", "2", .. Tiny]);
        Assert.True(made.ExitCode == 0, made.ToString());
        var whole = await _at.RunAsync("versions", "verify");
        Assert.True(whole.ExitCode == 0, whole.ToString());

        var weights = ModelStore.Open(_at.PathOf("models")).Resolve("my:base").Files.Require(ModelFiles.Weights);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(weights, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using (var file = File.Open(weights, FileMode.Open))
        {
            file.Seek(-1, SeekOrigin.End);
            var last = file.ReadByte();
            file.Seek(-1, SeekOrigin.End);
            file.WriteByte((byte)(last ^ 1));
        }
        var damaged = await _at.RunAsync("versions", "verify");
        Assert.True(damaged.ExitCode == 1, damaged.ToString());
        Assert.Contains(ModelFiles.Weights, damaged.Error, StringComparison.Ordinal);
        Assert.Contains("my:base", damaged.Error, StringComparison.Ordinal);
        var exported = await _at.RunAsync("export", "my:base", "out");
        Assert.True(exported.ExitCode == 1, exported.ToString());
        Assert.Contains("ATT2057", exported.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_at.PathOf("out")));
    }

    [Fact]
    public async Task AStoreOfANewerFormatIsRefusedAndNotTouched()
    {
        _ = ModelStore.Open(_at.PathOf("models"));
        _at.Write("models/oci-layout", """{"imageLayoutVersion":"9.0.0"}""");
        var before = Directory.GetFiles(_at.PathOf("models"), "*", SearchOption.AllDirectories).ToDictionary(p => p, File.GetLastWriteTimeUtc);
        string[][] commands = [["versions", "list"], ["versions", "gc"], ["chat", "my:base"], ["pretrain", "text.jsonl", "--save-as", "my:base"]];
        foreach (var command in commands)
        {
            var refused = await _at.RunAsync(command);
            Assert.True(refused.ExitCode == 2, refused.ToString());
            Assert.Contains("ATT2052", refused.Error, StringComparison.Ordinal);
        }
        Assert.Equal(before, Directory.GetFiles(_at.PathOf("models"), "*", SearchOption.AllDirectories).ToDictionary(p => p, File.GetLastWriteTimeUtc));
    }

    private static bool Mount(string folder, string size)
    {
        Directory.CreateDirectory(folder);
        return OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess && Shell("mount", "-t", "tmpfs", "-o", $"size={size}", "tmpfs", folder) == 0;
    }

    private static int Shell(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode;
    }

    public void Dispose() => _at.Dispose();
}
