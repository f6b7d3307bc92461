namespace Attune.Core.Tests.Checkpoints;

/// <summary>A folder of a test's own, gone when the test is.</summary>
internal sealed class Scratch : IDisposable
{
    // In memory where that can be had: these tests wait for the disk hundreds of times.
    private static readonly string Root = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();

    public string Folder { get; } = Directory.CreateDirectory(Path.Combine(Root, $"attune-test-{Guid.NewGuid():N}")).FullName;

    public string this[string name] => Path.Combine(Folder, name);

    public string Write(string name, string text)
    {
        File.WriteAllText(this[name], text);
        return this[name];
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
