using System.Collections.Concurrent;
using Akka.Configuration;
using Akka.Dispatch;

namespace Akka.Persistence;

/// <summary>
/// Configures a dispatcher with one thread of its own, for plugins that wait for a disk in the middle of a message: no
/// other actor loses its turn to them. A simulation puts its own dispatcher in its place.
/// </summary>
public sealed class StorageDispatcherConfigurator : MessageDispatcherConfigurator
{
    private readonly StorageDispatcher _instance;

    /// <summary>Called by the runtime, by reflection.</summary>
    public StorageDispatcherConfigurator(Config config, IDispatcherPrerequisites prerequisites)
        : base(config, prerequisites) => _instance = new StorageDispatcher(this);

    /// <inheritdoc/>
    public override MessageDispatcher Dispatcher() => _instance;
}

/// <summary>One thread, which ends when it has had nothing to do for a while and is started again when needed.</summary>
internal sealed class StorageDispatcher(MessageDispatcherConfigurator configurator) : MessageDispatcher(configurator)
{
    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(2);
    private readonly BlockingCollection<IRunnable> _work = [];
    private readonly Lock _gate = new();
    private Thread _thread;

    protected override void ExecuteTask(IRunnable run)
    {
        lock (_gate)
        {
            _work.Add(run);
            if (_thread is not null)
                return;
            _thread = new Thread(Loop) { IsBackground = true, Name = Id };
            _thread.Start();
        }
    }

    private void Loop()
    {
        while (true)
        {
            while (_work.TryTake(out var run, IdleTime))
                run.Run();
            lock (_gate)
            {
                // Under the gate nothing can be added: either there is work, or the next to add starts a thread.
                if (_work.Count > 0)
                    continue;
                _thread = null;
                return;
            }
        }
    }

    protected override void Shutdown() { }
}
