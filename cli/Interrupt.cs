using System.Runtime.InteropServices;

namespace Iommufd.Cli;

/// <summary>
/// Turns the first Ctrl-C or SIGTERM into a request to stop in order; the second one ends the process as usual.
/// </summary>
internal sealed class Interrupt : IDisposable
{
    private readonly CancellationTokenSource _asked = new();
    private readonly List<PosixSignalRegistration> _signals = [];

    public Interrupt()
    {
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, Ask));
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, Ask));
    }

    public CancellationToken Token => _asked.Token;

    public void Dispose()
    {
        _signals.ForEach(s => s.Dispose());
        _asked.Dispose();
    }

    private void Ask(PosixSignalContext signal)
    {
        signal.Cancel = !_asked.IsCancellationRequested;
        _asked.Cancel();
    }
}
