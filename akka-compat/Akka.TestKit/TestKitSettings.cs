using Akka.Actor;
using Akka.Configuration;

namespace Akka.TestKit;

/// <summary>The section akka.test, read.</summary>
public class TestKitSettings : IExtension
{
    private int _nextActor;

    /// <summary>Reads the section akka.test.</summary>
    /// <exception cref="ConfigurationException">It is empty, or the factor is not positive.</exception>
    public TestKitSettings(Config config)
    {
        if (config.IsNullOrEmpty())
            throw ConfigurationException.NullOrEmptyConfig<TestKitSettings>();
        DefaultTimeout = config.GetTimeSpan("default-timeout", allowInfinite: false);
        SingleExpectDefault = config.GetTimeSpan("single-expect-default", allowInfinite: false);
        TestEventFilterLeeway = config.GetTimeSpan("filter-leeway", allowInfinite: false);
        TestTimeFactor = config.GetDouble("timefactor", 1);
        LogTestKitCalls = config.GetBoolean("testkit.debug");
        if (TestTimeFactor <= 0)
            throw new ConfigurationException(
                $"Expected a positive value for \"akka.test.timefactor\" but found {TestTimeFactor}"
            );
    }

    /// <summary>default-timeout: how long asks and latches wait, 5 s by default; dilated where it is used.</summary>
    public TimeSpan DefaultTimeout { get; }

    /// <summary>
    /// single-expect-default: how long an expectation waits that is told nothing, 3 s by default; dilated where it is
    /// used.
    /// </summary>
    public TimeSpan SingleExpectDefault { get; }

    /// <summary>
    /// filter-leeway: how long expected log events may come after the action, 3 s by default; not dilated.
    /// </summary>
    public TimeSpan TestEventFilterLeeway { get; }

    /// <summary>timefactor: what times are multiplied by on slow machines; positive.</summary>
    public double TestTimeFactor { get; }

    /// <summary>testkit.debug. Read by nothing here.</summary>
    public bool LogTestKitCalls { get; }

    /// <summary>Numbers the test actors of one system: a count over all systems would differ from run to run.</summary>
    internal int NextActorNumber() => Interlocked.Increment(ref _nextActor);
}

/// <summary>Gives each system its test settings.</summary>
public class TestKitExtension : ExtensionIdProvider<TestKitSettings>
{
    private static readonly TestKitExtension Instance = new();

    /// <summary>The settings of a system; the kit's defaults are added to its configuration.</summary>
    public static TestKitSettings For(ActorSystem system)
    {
        system.Settings.InjectTopLevelFallback(TestKitBase.DefaultConfig);
        return Instance.Apply(system);
    }

    /// <inheritdoc/>
    public override TestKitSettings CreateExtension(ExtendedActorSystem system) =>
        new(system.Settings.Config.GetConfig("akka.test"));
}
