using Akka.Actor;
using Akka.Actor.Internal;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Event;
using Xunit.Abstractions;

namespace Akka.TestKit.Xunit2;

/// <summary>A test kit for xunit: a new system for each test, ended when the test is disposed of.</summary>
public class TestKit : TestKitBase, IDisposable
{
    /// <summary>The output of the test; null when none was given.</summary>
    protected readonly ITestOutputHelper Output;
    private readonly bool _ownsSystem;
    private bool _isDisposed;

    /// <summary>
    /// On this system, which the kit does not own, or on a new one. With an output the log goes there.
    /// </summary>
    public TestKit(ActorSystem system = null, ITestOutputHelper output = null)
        : base(Assertions, system)
    {
        Output = output;
        _ownsSystem = system is null;
        InitializeLogger(Sys);
    }

    /// <summary>On a new system with these setups. With an output the log goes there.</summary>
    public TestKit(ActorSystemSetup config, string actorSystemName = null, ITestOutputHelper output = null)
        : base(Assertions, config, actorSystemName)
    {
        Output = output;
        _ownsSystem = true;
        InitializeLogger(Sys);
    }

    /// <summary>On a new system with this configuration. With an output the log goes there.</summary>
    public TestKit(Config config, string actorSystemName = null, ITestOutputHelper output = null)
        : base(Assertions, config, actorSystemName)
    {
        Output = output;
        _ownsSystem = true;
        InitializeLogger(Sys);
    }

    /// <summary>On a new system with this configuration as text. With an output the log goes there.</summary>
    public TestKit(string config, ITestOutputHelper output = null)
        : base(Assertions, ConfigurationFactory.ParseString(config))
    {
        Output = output;
        _ownsSystem = true;
        InitializeLogger(Sys);
    }

    /// <inheritdoc cref="TestKitBase.DefaultConfig"/>
    public static new Config DefaultConfig => TestKitBase.DefaultConfig;

    /// <inheritdoc cref="TestKitBase.FullDebugConfig"/>
    public static new Config FullDebugConfig => TestKitBase.FullDebugConfig;

    /// <summary>What all kits of this kind assert with.</summary>
    protected static XunitAssertions Assertions { get; } = new();

    /// <summary>Called when the test is over, before its system goes.</summary>
    protected virtual void AfterAll() => Shutdown();

    /// <summary>Lets a system's log go to the output, if there is one.</summary>
    protected void InitializeLogger(ActorSystem system)
    {
        if (Output is null)
            return;
        var logger = ((ExtendedActorSystem)system).SystemActorOf(
            Props.Create(() => new OutputLogger(Output, "")),
            "log-test"
        );
        logger.Tell(new InitializeLogger(system.EventStream), ActorRefs.NoSender);
    }

    /// <summary>Lets a system's log go to the output, if there is one, each entry with a prefix.</summary>
    protected void InitializeLogger(ActorSystem system, string prefix)
    {
        if (Output is null)
            return;
        var logger = ((ExtendedActorSystem)system).SystemActorOf(
            Props.Create(() => new OutputLogger(Output, prefix)),
            "log-test-" + prefix
        );
        logger.Tell(new InitializeLogger(system.EventStream), ActorRefs.NoSender);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Calls <see cref="AfterAll"/> and ends a system of its own that is still there. Once.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (_isDisposed || !disposing)
            return;
        _isDisposed = true;
        try
        {
            AfterAll();
        }
        finally
        {
            InternalCurrentActorCellKeeper.Current = null;
            if (_ownsSystem && !Sys.WhenTerminated.IsCompleted)
                Shutdown();
        }
    }

    /// <summary>Writes the log into the output of the test.</summary>
    private sealed class OutputLogger(ITestOutputHelper output, string prefix) : ReceiveActor
    {
        protected override void PreStart()
        {
            Become(m =>
            {
                switch (m)
                {
                    case InitializeLogger init:
                        init.LoggingBus.Subscribe(Self, typeof(LogEvent));
                        Sender.Tell(new LoggerInitialized());
                        return true;
                    case LogEvent entry:
                        Write(entry);
                        return true;
                    default:
                        return false;
                }
            });
        }

        private void Write(LogEvent entry)
        {
            try
            {
                output.WriteLine(prefix + entry);
            }
            catch (InvalidOperationException)
            {
                // The test is over and its output with it.
            }
        }
    }
}
