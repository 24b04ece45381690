using Akka.Actor;
using Akka.Configuration;

namespace Akka.TestKit;

/// <summary>The section akka.test, read.</summary>
public class TestKitSettings : IExtension
{
    private int _nextActor;

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

    public TimeSpan DefaultTimeout { get; }
    public TimeSpan SingleExpectDefault { get; }
    public TimeSpan TestEventFilterLeeway { get; }
    public double TestTimeFactor { get; }
    public bool LogTestKitCalls { get; }

    /// <summary>Numbers the test actors of one system: a count over all systems would differ from run to run.</summary>
    internal int NextActorNumber() => Interlocked.Increment(ref _nextActor);
}

/// <summary>Gives each system its test settings.</summary>
public class TestKitExtension : ExtensionIdProvider<TestKitSettings>
{
    private static readonly TestKitExtension Instance = new();

    public static TestKitSettings For(ActorSystem system)
    {
        system.Settings.InjectTopLevelFallback(TestKitBase.DefaultConfig);
        return Instance.Apply(system);
    }

    public override TestKitSettings CreateExtension(ExtendedActorSystem system) =>
        new(system.Settings.Config.GetConfig("akka.test"));
}
