using Akka.Configuration;

namespace Akka.TestKit.Configs;

/// <summary>Configurations for tests.</summary>
public static class TestConfigs
{
    /// <inheritdoc cref="TestKitBase.DefaultConfig"/>
    public static Config DefaultConfig => TestKitBase.DefaultConfig;

    /// <summary>Gives a system the <see cref="TestScheduler"/>, whose time the test moves.</summary>
    public static Config TestSchedulerConfig =>
        ConfigurationFactory.ParseString(
            "akka.scheduler.implementation = \"Akka.TestKit.TestScheduler, Akka.TestKit\""
        );
}
