using Akka.Configuration;
using Akka.Dispatch;

namespace Akka.TestKit;

/// <summary>Runs an actor on the thread that tells it.</summary>
public class CallingThreadDispatcher(MessageDispatcherConfigurator configurator) : MessageDispatcher(configurator)
{
    /// <summary>The path of its configuration, which the test kit's defaults hold.</summary>
    public static new string Id = "akka.test.calling-thread-dispatcher";

    /// <inheritdoc/>
    protected override void ExecuteTask(IRunnable run) => run.Run();

    /// <inheritdoc/>
    protected override void Shutdown() { }
}

/// <summary>Makes one dispatcher for all.</summary>
public class CallingThreadDispatcherConfigurator : MessageDispatcherConfigurator
{
    private readonly CallingThreadDispatcher _instance;

    /// <summary>Called by the runtime, by reflection.</summary>
    public CallingThreadDispatcherConfigurator(Config config, IDispatcherPrerequisites prerequisites)
        : base(config, prerequisites)
    {
        _instance = new CallingThreadDispatcher(this);
    }

    /// <inheritdoc/>
    public override MessageDispatcher Dispatcher() => _instance;
}
