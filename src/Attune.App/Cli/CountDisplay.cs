using System.Diagnostics;
using System.Globalization;

namespace Attune.App.Cli;

/// <summary>One line that follows a count: how many of how many, rate, time left.</summary>
internal sealed class CountDisplay(string title, int total)
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private int _done;

    public void Add(int count)
    {
        _done += count;
        if (!Terminal.IsLive)
            return;
        var rate = _done / Math.Max(1e-3, _clock.Elapsed.TotalSeconds);
        var left = TimeSpan.FromSeconds((total - _done) / Math.Max(1e-3, rate));
        Console.Error.Write(string.Create(CultureInfo.InvariantCulture, $"\r  {title}: {_done:N0}/{total:N0}  {rate:N0}/s  {(int)left.TotalMinutes}:{left.Seconds:D2} left\u001b[K"));
    }

    public void Close() => Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{(Terminal.IsLive ? "\r" : "")}  {title}: {_done:N0} answers in {_clock.Elapsed.TotalSeconds:F0} s{(Terminal.IsLive ? "\u001b[K" : "")}"));
}
