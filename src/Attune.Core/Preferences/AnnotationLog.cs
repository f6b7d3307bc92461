using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Prompts;

namespace Attune.Core.Preferences;

/// <summary>
/// An append-only file of annotations: each is written as one line and is on the disk before the next is asked for. A
/// crash loses at most the line that was being written; what it left of that line is taken away when the file is opened
/// again. One process writes at a time.
/// </summary>
public sealed class AnnotationLog : IDisposable
{
    private static readonly JsonSerializerOptions Line = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly FileStream _stream;
    private readonly List<Annotation> _all;

    private AnnotationLog(string path, FileStream stream, List<Annotation> all, bool repaired) => (Path, _stream, _all, Repaired) = (path, stream, all, repaired);

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Whether a torn last line was taken away when the file was opened.</summary>
    public bool Repaired { get; }

    /// <summary>Every line so far, in order.</summary>
    public IReadOnlyList<Annotation> All => _all;

    /// <summary>What stands: the last line of each annotator on each task, where that was not taken back.</summary>
    public IReadOnlyList<Annotation> Standing => StandingOf(_all);

    /// <summary>Opens a file to add to it; makes it where there is none.</summary>
    /// <exception cref="PreferenceException">ATT2410: another process has it; ATT2411: a line inside it is broken.</exception>
    public static AnnotationLog Open(string path)
    {
        if (!File.Exists(path))
            Atomic.WriteAllText(path, "");
        FileStream stream;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw PreferenceException.Held(path, e);
        }
        try
        {
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            var (annotations, whole, ends) = Parse(path, bytes);
            var repaired = whole < bytes.Length;
            if (repaired)
                stream.SetLength(whole);
            stream.Seek(0, SeekOrigin.End);
            if (!ends)
                stream.WriteByte((byte)'\n');
            stream.Flush(flushToDisk: true);
            return new AnnotationLog(path, stream, annotations, repaired);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Reads what stands in a file that is not written to now.</summary>
    /// <exception cref="PreferenceException">ATT2411: a line inside it is broken.</exception>
    public static IReadOnlyList<Annotation> Read(string path) => StandingOf(Parse(path, TextFile.Utf8(path)).Annotations);

    /// <summary>Adds a line, and waits until the disk has it.</summary>
    public void Append(Annotation annotation)
    {
        var before = _stream.Position;
        try
        {
            _stream.Write(Encoding.UTF8.GetBytes(annotation.ToJson().ToJsonString(Line) + "\n"));
            _stream.Flush(flushToDisk: true);
        }
        catch (IOException)
        {
            // Half a line must not stand before the next one.
            _stream.SetLength(before);
            throw;
        }
        _all.Add(annotation);
    }

    /// <summary>Whether an annotator has dealt with a prompt, by ranking its answers or by skipping it.</summary>
    public bool HasDone(string annotator, Conversation prompt)
    {
        var key = PreferenceForms.Key(prompt);
        return Standing.Any(a => a.Annotator == annotator && PreferenceForms.Key(a.Task.Prompt) == key);
    }

    /// <summary>The answers that somebody was shown for a prompt, so that the next annotator sees the same ones; null where nobody was.</summary>
    public RankTask? TaskOf(Conversation prompt)
    {
        var key = PreferenceForms.Key(prompt);
        return _all.Find(a => PreferenceForms.Key(a.Task.Prompt) == key)?.Task;
    }

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    private static List<Annotation> StandingOf(IReadOnlyList<Annotation> all)
    {
        var last = new Dictionary<(string, string), Annotation>();
        foreach (var annotation in all)
            last[(annotation.Annotator, annotation.Task.Id)] = annotation;
        return [.. all.Where(a => a.Event != AnnotationEvent.Undone && ReferenceEquals(last[(a.Annotator, a.Task.Id)], a))];
    }

    // The lines, how many bytes of the file are whole, and whether those end with a line feed (or are none).
    private static (List<Annotation> Annotations, int Whole, bool Ends) Parse(string path, byte[] bytes)
    {
        var (annotations, start, number) = (new List<Annotation>(), 0, 1);
        while (start < bytes.Length)
        {
            var length = bytes.AsSpan(start).IndexOf((byte)'\n');
            var end = length < 0 ? bytes.Length : start + length;
            var line = bytes.AsSpan(start, end - start);
            if (ParseLine(line) is { } annotation)
                annotations.Add(annotation);
            else if (length < 0)
                return (annotations, start, true);
            else if (line.ContainsAnyExcept((byte)' ', (byte)'\r'))
                throw PreferenceException.BrokenLine(path, number);
            if (length < 0)
                return (annotations, end, false);
            (start, number) = (end + 1, number + 1);
        }
        return (annotations, bytes.Length, true);
    }

    private static Annotation? ParseLine(ReadOnlySpan<byte> line)
    {
        try
        {
            return Annotation.FromJson(JsonNode.Parse(line));
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
