using System.Diagnostics;
using System.Globalization;
using Attune.Core.Exchange.Hub;

namespace Attune.App.Cli;

/// <summary>One line that follows a download: the file, how much of it, how fast.</summary>
internal sealed class DownloadDisplay : IProgress<HubProgress>
{
    private readonly Stopwatch _sinceShown = Stopwatch.StartNew();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private string _file = "";
    private long _start;

    public void Report(HubProgress value)
    {
        if (value.File != _file)
        {
            (_file, _start) = (value.File, value.Done);
            _clock.Restart();
            if (!Terminal.IsLive)
                Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {value.File}: {value.Size / 1e6:N1} MB"));
        }
        if (!Terminal.IsLive || (_sinceShown.ElapsedMilliseconds < 100 && value.Done < value.Size))
            return;
        _sinceShown.Restart();
        var rate = (value.Done - _start) / 1e6 / Math.Max(1e-3, _clock.Elapsed.TotalSeconds);
        Console.Error.Write(string.Create(CultureInfo.InvariantCulture, $"\r  {value.File}: {value.Done / 1e6:N1}/{value.Size / 1e6:N1} MB  {rate:N1} MB/s\u001b[K"));
    }

    public void Close()
    {
        if (Terminal.IsLive && _file.Length > 0)
            Console.Error.WriteLine();
    }
}
