using System.Diagnostics;
using System.Globalization;
using Attune.Torch.Stages;

namespace Attune.App.Cli;

/// <summary>
/// One line that follows a stage: a bar, loss, tokens per second and time left, drawn over itself on a terminal;
/// elsewhere a plain line now and then, so that a log stays readable.
/// </summary>
internal sealed class StageDisplay(string title) : IProgress<StageProgress>
{
    private const int BarWidth = 24;
    private static readonly TimeSpan LogEvery = TimeSpan.FromSeconds(15);
    private readonly Stopwatch _sinceLine = new();
    private bool _open;

    public void Report(StageProgress progress)
    {
        if (progress.Message is { } message)
        {
            Close();
            Console.Error.WriteLine($"  {title}: {message}");
            return;
        }
        var last = progress.Step >= progress.Steps;
        if (Terminal.IsLive)
        {
            if (!last && _sinceLine.IsRunning && _sinceLine.ElapsedMilliseconds < 100)
                return;
            Console.Error.Write($"\r  {Line(progress, live: true)}\u001b[K");
            _open = true;
        }
        else
        {
            if (!last && _sinceLine.IsRunning && _sinceLine.Elapsed < LogEvery && progress.ValidationLoss is null)
                return;
            Console.Error.WriteLine($"  {Line(progress, live: false)}");
        }
        _sinceLine.Restart();
        if (last)
            Close();
    }

    /// <summary>Ends the line that is drawn over, so that what follows stands below it.</summary>
    public void Close()
    {
        if (_open)
            Console.Error.WriteLine();
        _open = false;
    }

    private string Line(StageProgress p, bool live)
    {
        var share = p.Steps == 0 ? 1 : (double)p.Step / p.Steps;
        var full = (int)Math.Round(share * BarWidth);
        var bar = live ? $"{new string('━', full)}{new string('╌', BarWidth - full)} " : "";
        var loss = p.ValidationLoss is { } validation ? FormattableString.Invariant($"loss {p.Loss:F3} (validation {validation:F3})") : FormattableString.Invariant($"loss {p.Loss:F3}");
        var accuracy = p.Metrics.Select(m => m.Key switch
        {
            "rewards/accuracies" or "accuracy" => FormattableString.Invariant($"  prefers chosen {m.Value:P0}"),
            "answers/score" => FormattableString.Invariant($"  score {m.Value:F2}"),
            _ => null,
        }).FirstOrDefault(text => text is not null);
        return string.Create(CultureInfo.InvariantCulture,
            $"{title,-14} {bar}{share,4:P0}  step {p.Step}/{p.Steps}  {loss}{accuracy}  {p.TokensPerSecond:N0} tokens/s  {Left(p)}");
    }

    private static string Left(StageProgress p) => p.Step >= p.Steps
        ? "done"
        : string.Create(CultureInfo.InvariantCulture, $"{(int)p.Eta.TotalMinutes}:{p.Eta.Seconds:D2} left");
}
