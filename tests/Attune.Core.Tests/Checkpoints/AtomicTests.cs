using Attune.Core.Checkpoints;
using Xunit;

namespace Attune.Core.Tests.Checkpoints;

public sealed class AtomicTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose()
    {
        WriteSteps.OnStep = null;
        _scratch.Dispose();
    }

    [Fact]
    public void A_crash_at_any_step_leaves_the_old_file_or_the_new_one()
    {
        Atomic.WriteAllText(_scratch["a"], "old");
        for (var crash = 0; ; crash++)
        {
            var step = 0;
            var at = crash;
            WriteSteps.OnStep = _ => { if (step++ >= at) throw new SimulatedCrash(); };
            try
            {
                Atomic.WriteAllText(_scratch["a"], "new");
                Assert.True(crash >= 4);
                break;
            }
            catch (SimulatedCrash)
            {
                Assert.Equal(crash < 4 ? "old" : "new", File.ReadAllText(_scratch["a"]));
            }
        }
    }

    [Theory]
    [InlineData(28, "full")]
    [InlineData(30, "cannot be written to")]
    public void A_disk_that_refuses_is_named_and_nothing_is_lost(int errno, string says)
    {
        Atomic.WriteAllText(_scratch["a"], "old");
        WriteSteps.OnStep = step => { if (step == "sync") throw new IOException("no", errno); };
        var e = Assert.Throws<CheckpointException>(() => Atomic.WriteAllText(_scratch["a"], "new"));
        Assert.Equal("ATT2030", e.Code);
        Assert.Contains(says, e.Message, StringComparison.Ordinal);
        Assert.Equal(["a"], Directory.EnumerateFiles(_scratch.Folder).Select(Path.GetFileName));
        Assert.Equal("old", File.ReadAllText(_scratch["a"]));
    }

    [Fact]
    public void A_device_that_is_full_is_a_full_disk()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "No /dev/full here.");
        var e = Assert.Throws<CheckpointException>(() => Atomic.Guard("/dev/full", null, () => Atomic.WriteDurably("/dev/full", s => s.Write(new byte[1 << 20]))));
        Assert.Contains("disk is full", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_cannot_be_written_to_is_named() =>
        Assert.Equal("ATT2030", Assert.Throws<CheckpointException>(() => Atomic.WriteAllText("/proc/attune/none", "x")).Code);
}

/// <summary>Thrown from <see cref="WriteSteps.OnStep"/>: unlike a fault of the disk, nobody may clean up after it.</summary>
internal sealed class SimulatedCrash : Exception;
