using System.Globalization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Event;

namespace Akka.Dispatch;

/// <summary>
/// Threads that run nothing else. They start when there is work for them and end when nobody needs them any more, and
/// start again should there be work after all.
/// </summary>
internal sealed class DedicatedThreads(string name, int most, bool areBackground, TimeSpan keepAlive)
{
    private readonly object _gate = new();
    private readonly Queue<IRunnable> _waiting = new();

    /// <summary>Threads that live.</summary>
    private int _living;

    /// <summary>Threads that wait for work, those that were just woken included.</summary>
    private int _idle;

    private int _started;

    /// <summary>Whether threads without work are kept.</summary>
    internal Func<bool> AreNeeded { get; init; }

    /// <summary>Told of what a piece of work threw: it must not end the thread.</summary>
    internal Action<Exception> Failed { get; init; }

    /// <summary>Runs something on one of the threads, in order of arrival. Any thread.</summary>
    internal void Execute(IRunnable run)
    {
        lock (_gate)
        {
            _waiting.Enqueue(run);
            if (_waiting.Count <= _idle || _living == most)
            {
                Monitor.Pulse(_gate);
                return;
            }
            _living++;
            var number = ++_started;
            var thread = new Thread(Work)
            {
                IsBackground = areBackground,
                Name = string.Create(CultureInfo.InvariantCulture, $"{name}-{number}"),
            };
            thread.UnsafeStart();
        }
    }

    private void Work()
    {
        while (Take() is { } run)
        {
            try
            {
                run.Run();
            }
            catch (Exception e)
            {
                Failed(e);
            }
        }
    }

    private IRunnable Take()
    {
        lock (_gate)
        {
            while (true)
            {
                if (_waiting.TryDequeue(out var run))
                    return run;
                _idle++;
                var woken = Monitor.Wait(_gate, keepAlive);
                _idle--;
                if (woken || _waiting.Count > 0 || AreNeeded())
                    continue;
                _living--;
                return null;
            }
        }
    }
}

/// <summary>Runs its actors on threads that run nothing else.</summary>
internal sealed class DedicatedThreadDispatcher : MessageDispatcher
{
    private readonly DedicatedThreads _threads;

    internal DedicatedThreadDispatcher(MessageDispatcherConfigurator configurator, int threads, bool areBackground)
        : base(configurator)
    {
        _threads = new DedicatedThreads(Id, threads, areBackground, ShutdownTimeout)
        {
            AreNeeded = () => Inhabitants > 0,
            Failed = ReportFailure,
        };
    }

    protected override void ExecuteTask(IRunnable run) => _threads.Execute(run);

    protected override void Shutdown() { }
}

/// <summary>One thread for each actor.</summary>
internal sealed class PinnedDispatcherConfigurator(Config config, IDispatcherPrerequisites prerequisites)
    : MessageDispatcherConfigurator(config, prerequisites)
{
    /// <summary>A new one: whoever asks is an actor that gets a thread of its own.</summary>
    public override MessageDispatcher Dispatcher() =>
        new DedicatedThreadDispatcher(this, threads: 1, areBackground: true);
}

/// <summary>A fixed number of threads for all actors of the dispatcher.</summary>
internal sealed class ForkJoinDispatcherConfigurator : MessageDispatcherConfigurator
{
    private readonly DedicatedThreadDispatcher _instance;

    /// <summary>
    /// Reads dedicated-thread-pool, and fork-join-executor for a number of threads that is not given there.
    /// </summary>
    /// <exception cref="ConfigurationException">The number is negative.</exception>
    public ForkJoinDispatcherConfigurator(Config config, IDispatcherPrerequisites prerequisites)
        : base(config, prerequisites)
    {
        var isForeground = string.Equals(
            config.GetString("dedicated-thread-pool.threadtype", "background"),
            "foreground",
            StringComparison.OrdinalIgnoreCase
        );
        _instance = new DedicatedThreadDispatcher(this, ThreadCount(config), areBackground: !isForeground);
    }

    public override MessageDispatcher Dispatcher() => _instance;

    private static int ThreadCount(Config config)
    {
        var count = config.GetInt("dedicated-thread-pool.thread-count", 0);
        if (count == 0)
        {
            var scaled = Environment.ProcessorCount * config.GetDouble("fork-join-executor.parallelism-factor", 1.0);
            count = Math.Clamp(
                (int)Math.Ceiling(scaled),
                config.GetInt("fork-join-executor.parallelism-min", 1),
                config.GetInt("fork-join-executor.parallelism-max", 64)
            );
        }
        return count > 0
            ? count
            : throw new ConfigurationException($"dedicated-thread-pool.thread-count must be positive, not {count}");
    }
}

/// <summary>Runs its actors where the thread that looks it up runs its own: on a user interface's thread, for example.</summary>
internal sealed class ContextDispatcher : MessageDispatcher
{
    private readonly SynchronizationContext _context;

    internal ContextDispatcher(MessageDispatcherConfigurator configurator)
        : base(configurator)
    {
        _context =
            SynchronizationContext.Current
            ?? throw new InvalidOperationException(
                $"Dispatcher {Id} runs actors in the current SynchronizationContext, and this thread has none."
            );
    }

    protected override void ExecuteTask(IRunnable run) => _context.Post(static r => ((IRunnable)r).Run(), run);

    protected override void Shutdown() { }
}

internal sealed class ContextDispatcherConfigurator(Config config, IDispatcherPrerequisites prerequisites)
    : MessageDispatcherConfigurator(config, prerequisites)
{
    public override MessageDispatcher Dispatcher() => new ContextDispatcher(this);
}
