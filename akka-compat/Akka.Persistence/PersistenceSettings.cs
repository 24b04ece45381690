using Akka.Actor;
using Akka.Configuration;

namespace Akka.Persistence;

/// <summary>The settings under akka.persistence.</summary>
public sealed class PersistenceSettings : Settings
{
    public PersistenceSettings(ActorSystem system, Config config)
        : base(system, config)
    {
        View = new ViewSettings(config);
        AtLeastOnceDelivery = new AtLeastOnceDeliverySettings(config);
        Internal = new InternalSettings(config);
    }

    public ViewSettings View { get; }
    public AtLeastOnceDeliverySettings AtLeastOnceDelivery { get; set; }
    public InternalSettings Internal { get; }

    /// <summary>How views follow a stream.</summary>
    public sealed class ViewSettings
    {
        public ViewSettings(Config config)
        {
            AutoUpdate = config.GetBoolean("akka.persistence.view.auto-update");
            AutoUpdateInterval = config.GetTimeSpan("akka.persistence.view.auto-update-interval");
            var max = config.GetLong("akka.persistence.view.auto-update-replay-max");
            AutoUpdateReplayMax = max < 0 ? long.MaxValue : max;
        }

        public bool AutoUpdate { get; }
        public TimeSpan AutoUpdateInterval { get; }
        public long AutoUpdateReplayMax { get; }
    }

    /// <summary>How unconfirmed messages are sent again.</summary>
    public sealed class AtLeastOnceDeliverySettings
    {
        public AtLeastOnceDeliverySettings(
            TimeSpan redeliverInterval,
            int redeliveryBurstLimit,
            int warnAfterNumberOfUnconfirmedAttempts,
            int maxUnconfirmedMessages
        )
        {
            RedeliverInterval = redeliverInterval;
            RedeliveryBurstLimit = redeliveryBurstLimit;
            WarnAfterNumberOfUnconfirmedAttempts = warnAfterNumberOfUnconfirmedAttempts;
            MaxUnconfirmedMessages = maxUnconfirmedMessages;
        }

        public AtLeastOnceDeliverySettings(Config config)
        {
            const string Path = "akka.persistence.at-least-once-delivery.";
            RedeliverInterval = config.GetTimeSpan(Path + "redeliver-interval");
            RedeliveryBurstLimit = config.GetInt(Path + "redelivery-burst-limit");
            WarnAfterNumberOfUnconfirmedAttempts = config.GetInt(Path + "warn-after-number-of-unconfirmed-attempts");
            MaxUnconfirmedMessages = config.GetInt(Path + "max-unconfirmed-messages");
        }

        public TimeSpan RedeliverInterval { get; }
        public int RedeliveryBurstLimit { get; }
        public int WarnAfterNumberOfUnconfirmedAttempts { get; }
        public int MaxUnconfirmedMessages { get; }

        public AtLeastOnceDeliverySettings WithRedeliverInterval(TimeSpan redeliverInterval) =>
            new(redeliverInterval, RedeliveryBurstLimit, WarnAfterNumberOfUnconfirmedAttempts, MaxUnconfirmedMessages);

        public AtLeastOnceDeliverySettings WithMaxUnconfirmedMessages(int maxUnconfirmedMessages) =>
            new(RedeliverInterval, RedeliveryBurstLimit, WarnAfterNumberOfUnconfirmedAttempts, maxUnconfirmedMessages);

        public AtLeastOnceDeliverySettings WithRedeliveryBurstLimit(int redeliveryBurstLimit) =>
            new(RedeliverInterval, redeliveryBurstLimit, WarnAfterNumberOfUnconfirmedAttempts, MaxUnconfirmedMessages);

        public AtLeastOnceDeliverySettings WithUnconfirmedAttemptsToWarn(int unconfirmedAttemptsToWarn) =>
            new(RedeliverInterval, RedeliveryBurstLimit, unconfirmedAttemptsToWarn, MaxUnconfirmedMessages);
    }

    /// <summary>For tests of plugins.</summary>
    public sealed class InternalSettings(Config config)
    {
        public bool PublishPluginCommands { get; } = config.GetBoolean("akka.persistence.publish-plugin-commands");

        public bool PublishConfirmations { get; } = config.GetBoolean("akka.persistence.publish-confirmations");
    }
}
