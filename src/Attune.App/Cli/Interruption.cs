using System.Runtime.InteropServices;

namespace Attune.App.Cli;

/// <summary>
/// Ctrl-C and SIGTERM. The first asks the innermost work that listens to stop where nothing is lost (a run writes a
/// checkpoint, however long its step is; a chat stops its answer); the second ends the process as the system does.
/// </summary>
internal sealed class Interruption : IDisposable
{
    private static readonly Lock Gate = new();
    private static readonly PosixSignalRegistration[] Signals =
        [PosixSignalRegistration.Create(PosixSignal.SIGINT, Hear), PosixSignalRegistration.Create(PosixSignal.SIGTERM, Hear)];

    private static Interruption? _innermost;

    private readonly Interruption? _outer;
    private readonly CancellationTokenSource _source = new();

    /// <summary>Listens from here on; what listened before waits until this is disposed.</summary>
    public Interruption()
    {
        _ = Signals;
        lock (Gate)
            (_outer, _innermost) = (_innermost, this);
    }

    /// <summary>Is cancelled by the first signal.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Lets what listened before listen again.</summary>
    public void Dispose()
    {
        lock (Gate)
            _innermost = _outer;
        _source.Dispose();
    }

    private static void Hear(PosixSignalContext context)
    {
        lock (Gate)
        {
            if (_innermost is not { _source.IsCancellationRequested: false } listener)
                return;
            context.Cancel = true;
            listener._source.Cancel();
        }
    }
}
