using Akka.Actor;
using Akka.Configuration;

namespace Akka.Persistence;

/// <summary>The settings under akka.persistence.</summary>
public sealed class PersistenceSettings : Settings
{
    /// <summary>Reads akka.persistence, whose defaults must be in the configuration already.</summary>
    public PersistenceSettings(ActorSystem system, Config config)
        : base(system, config)
    {
        View = new ViewSettings(config);
        AtLeastOnceDelivery = new AtLeastOnceDeliverySettings(config);
        Internal = new InternalSettings(config);
    }

    /// <summary>Of persistent views, which are not part of this library.</summary>
    public ViewSettings View { get; }

    /// <summary>What actors begin with that send until confirmed; setting it concerns those made later.</summary>
    public AtLeastOnceDeliverySettings AtLeastOnceDelivery { get; set; }

    /// <summary>For tests of plugins.</summary>
    public InternalSettings Internal { get; }

    /// <summary>How views follow a stream.</summary>
    public sealed class ViewSettings
    {
        /// <summary>Reads akka.persistence.view.</summary>
        public ViewSettings(Config config)
        {
            AutoUpdate = config.GetBoolean("akka.persistence.view.auto-update");
            AutoUpdateInterval = config.GetTimeSpan("akka.persistence.view.auto-update-interval");
            var max = config.GetLong("akka.persistence.view.auto-update-replay-max");
            AutoUpdateReplayMax = max < 0 ? long.MaxValue : max;
        }

        /// <summary>Read by nothing here: there are no views.</summary>
        public bool AutoUpdate { get; }

        /// <summary>Read by nothing here: there are no views.</summary>
        public TimeSpan AutoUpdateInterval { get; }

        /// <summary>Read by nothing here: there are no views.</summary>
        public long AutoUpdateReplayMax { get; }
    }

    /// <summary>How unconfirmed messages are sent again.</summary>
    public sealed class AtLeastOnceDeliverySettings
    {
        /// <summary>Nothing is checked.</summary>
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

        /// <summary>Reads akka.persistence.at-least-once-delivery.</summary>
        public AtLeastOnceDeliverySettings(Config config)
        {
            const string Path = "akka.persistence.at-least-once-delivery.";
            RedeliverInterval = config.GetTimeSpan(Path + "redeliver-interval");
            RedeliveryBurstLimit = config.GetInt(Path + "redelivery-burst-limit");
            WarnAfterNumberOfUnconfirmedAttempts = config.GetInt(Path + "warn-after-number-of-unconfirmed-attempts");
            MaxUnconfirmedMessages = config.GetInt(Path + "max-unconfirmed-messages");
        }

        /// <summary>
        /// How long a message stays unconfirmed before it is sent again; looked at twice in that time.
        /// </summary>
        public TimeSpan RedeliverInterval { get; }

        /// <summary>How many messages are sent again at once, at most; the others wait for the next look.</summary>
        public int RedeliveryBurstLimit { get; }

        /// <summary>After how many tries the actor is told, once for each message.</summary>
        public int WarnAfterNumberOfUnconfirmedAttempts { get; }

        /// <summary>How many messages may be unconfirmed; the next one is refused.</summary>
        public int MaxUnconfirmedMessages { get; }

        /// <summary>A copy with another value.</summary>
        public AtLeastOnceDeliverySettings WithRedeliverInterval(TimeSpan redeliverInterval) =>
            new(redeliverInterval, RedeliveryBurstLimit, WarnAfterNumberOfUnconfirmedAttempts, MaxUnconfirmedMessages);

        /// <summary>A copy with another value.</summary>
        public AtLeastOnceDeliverySettings WithMaxUnconfirmedMessages(int maxUnconfirmedMessages) =>
            new(RedeliverInterval, RedeliveryBurstLimit, WarnAfterNumberOfUnconfirmedAttempts, maxUnconfirmedMessages);

        /// <summary>A copy with another value.</summary>
        public AtLeastOnceDeliverySettings WithRedeliveryBurstLimit(int redeliveryBurstLimit) =>
            new(RedeliverInterval, redeliveryBurstLimit, WarnAfterNumberOfUnconfirmedAttempts, MaxUnconfirmedMessages);

        /// <summary>A copy with another value.</summary>
        public AtLeastOnceDeliverySettings WithUnconfirmedAttemptsToWarn(int unconfirmedAttemptsToWarn) =>
            new(RedeliverInterval, RedeliveryBurstLimit, unconfirmedAttemptsToWarn, MaxUnconfirmedMessages);
    }

    /// <summary>For tests of plugins.</summary>
    public sealed class InternalSettings(Config config)
    {
        /// <summary>
        /// Whether plugins publish the deletions they were asked for on the event stream when they have answered.
        /// </summary>
        public bool PublishPluginCommands { get; } = config.GetBoolean("akka.persistence.publish-plugin-commands");

        /// <summary>Read by nothing here.</summary>
        public bool PublishConfirmations { get; } = config.GetBoolean("akka.persistence.publish-confirmations");
    }
}
