using System.Globalization;

namespace Attune.Bench;

/// <summary>
/// The most memory that this process held, looked at every few milliseconds: all resident pages (what VmHWM keeps), and the
/// anonymous ones among them (heap, stacks), which no file backs. The rest are pages of mapped files: libraries, and of a
/// checkpoint what has been read and not yet let go.
/// </summary>
internal sealed class MemoryWatch : IDisposable
{
    private readonly Thread _watcher;
    private readonly int _milliseconds;
    private readonly Lock _gate = new();
    private MemoryPeak _most;
    private volatile bool _done;

    public MemoryWatch(int milliseconds = 1)
    {
        _milliseconds = milliseconds;
        _watcher = new(Watch) { IsBackground = true };
        _watcher.Start();
    }

    /// <summary>What it holds now.</summary>
    public static MemoryPeak Now()
    {
        var (resident, anonymous) = (0L, 0L);
        foreach (var line in File.ReadLines("/proc/self/status"))
        {
            if (line.StartsWith("VmRSS:", StringComparison.Ordinal))
                resident = Bytes(line);
            else if (line.StartsWith("RssAnon:", StringComparison.Ordinal))
                anonymous = Bytes(line);
        }
        return new(resident, anonymous);
    }

    /// <summary>The most of all resident pages since the process began, by the kernel's own count.</summary>
    public static long Highest() => File.ReadLines("/proc/self/status").Where(l => l.StartsWith("VmHWM:", StringComparison.Ordinal)).Select(Bytes).Single();

    /// <summary>The most since the last time that this was asked.</summary>
    public MemoryPeak Lap()
    {
        Look();
        lock (_gate)
        {
            var most = _most;
            _most = default;
            return most;
        }
    }

    public void Dispose()
    {
        _done = true;
        _watcher.Join();
    }

    private void Watch()
    {
        while (!_done)
        {
            Look();
            Thread.Sleep(_milliseconds);
        }
    }

    private void Look()
    {
        var now = Now();
        lock (_gate)
            _most = new(Math.Max(_most.Resident, now.Resident), Math.Max(_most.Anonymous, now.Anonymous));
    }

    private static long Bytes(string line) => 1024 * long.Parse(line.AsSpan(line.IndexOf(':') + 1).Trim().TrimEnd("kB").Trim(), CultureInfo.InvariantCulture);
}

/// <summary>Bytes held.</summary>
/// <param name="Resident">All resident pages.</param>
/// <param name="Anonymous">Those that no file backs.</param>
internal readonly record struct MemoryPeak(long Resident, long Anonymous);
