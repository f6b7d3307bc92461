namespace Attune.App.Tests;

/// <summary>Waits until a file with a certain name appears in a folder: made there, or renamed to it.</summary>
internal sealed class FileWatch : IDisposable
{
    private readonly TaskCompletionSource _seen = new();
    private readonly FileSystemWatcher _watcher;
    private readonly TimeSpan _longest;

    public FileWatch(string folder, Predicate<string> which, TimeSpan longest)
    {
        _longest = longest;
        _watcher = new FileSystemWatcher(folder) { NotifyFilter = NotifyFilters.FileName };
        void Look(object sender, FileSystemEventArgs file)
        {
            if (which(file.Name ?? ""))
                _seen.TrySetResult();
        }
        _watcher.Created += Look;
        _watcher.Renamed += Look;
        _watcher.EnableRaisingEvents = true;
    }

    /// <summary>Until it has appeared, or the command has ended.</summary>
    /// <exception cref="TimeoutException">Neither happened.</exception>
    public async Task SeenAsync(AttuneCommand command) => await Task.WhenAny(_seen.Task, command.ExitedAsync()).WaitAsync(_longest);

    public void Dispose() => _watcher.Dispose();
}
