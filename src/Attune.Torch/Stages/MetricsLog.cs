using System.Text.Json;
using Attune.Torch.Optimisers;

namespace Attune.Torch.Stages;

/// <summary>
/// metrics.jsonl (one object a step) and a TensorBoard file beside it. Opened at the lengths that a checkpoint holds,
/// so that a resumed run neither doubles a line nor loses one.
/// </summary>
public sealed class MetricsLog : IDisposable
{
    /// <summary>Its name in the run folder.</summary>
    public const string FileName = "metrics.jsonl";

    /// <summary>TensorBoard finds files by this part of their name.</summary>
    public const string EventsName = "events.out.tfevents.0.attune";

    private readonly FileStream _lines;
    private readonly FileStream _events;
    private readonly TimeProvider _time;

    /// <summary>Opens both files, cut back to where <paramref name="state"/> says.</summary>
    public MetricsLog(string runFolder, RunState state, TimeProvider time)
    {
        _time = time;
        _lines = Open(Path.Combine(runFolder, FileName), state.MetricsLength);
        _events = Open(Path.Combine(runFolder, EventsName), state.EventsLength);
        if (_events.Length == 0)
            Append(_events, EventFile.Header(Now));
    }

    /// <summary>Appends the figures of a step.</summary>
    public void Write(StageProgress progress)
    {
        var step = progress.Step;
        List<KeyValuePair<string, double>> figures =
        [
            new("loss", progress.Loss),
            new("learning_rate", progress.LearningRate),
            new("grad_norm", progress.GradNorm),
            new("tokens", progress.Tokens),
            new("tokens_per_second", progress.TokensPerSecond),
            .. progress.Metrics,
        ];
        if (progress.ValidationLoss is { } validation)
            figures.Add(new("validation_loss", validation));
        using var line = new MemoryStream();
        using (var json = new Utf8JsonWriter(line))
        {
            json.WriteStartObject();
            json.WriteNumber("step", step);
            foreach (var (name, value) in figures)
            {
                if (double.IsFinite(value))
                    json.WriteNumber(name, value);
                else
                    json.WriteNull(name);
            }
            json.WriteEndObject();
        }
        line.WriteByte((byte)'\n');
        Append(_lines, line.GetBuffer().AsSpan(0, (int)line.Length));
        Append(_events, EventFile.Scalars(Now, step, figures));
    }

    /// <summary>Brings both files to disk and tells the lengths for a checkpoint.</summary>
    public RunState Mark(RunState state)
    {
        _lines.Flush(flushToDisk: true);
        _events.Flush(flushToDisk: true);
        return state with { MetricsLength = _lines.Length, EventsLength = _events.Length };
    }

    private static void Append(FileStream file, ReadOnlySpan<byte> bytes)
    {
        try
        {
            file.Write(bytes);
        }
        catch (IOException e)
        {
            throw new TrainingException("ATT5132", $"The metrics cannot be written: {e.Message}", e) { File = file.Name, Hint = "Free some space; the last checkpoint is whole, and the same command goes on from it." };
        }
    }

    private double Now => _time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;

    private static FileStream Open(string path, long length)
    {
        var stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        stream.SetLength(Math.Min(length, stream.Length));
        stream.Seek(0, SeekOrigin.End);
        return stream;
    }

    /// <summary>Closes both.</summary>
    public void Dispose()
    {
        _lines.Dispose();
        _events.Dispose();
    }
}
