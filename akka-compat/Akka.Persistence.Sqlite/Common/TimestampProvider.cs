using Akka.Actor;
using Akka.Configuration;

namespace Akka.Persistence.Sql.Common.Journal
{
    /// <summary>Tells an event's time, in UTC ticks.</summary>
    public interface ITimestampProvider
    {
        /// <summary>
        /// The time of an event that is about to be written; the default provider is also asked without an event, once
        /// for each transaction.
        /// </summary>
        long GenerateTimestamp(IPersistentRepresentation message);
    }

    /// <summary>The clock of the actor system's scheduler: a simulated run writes the same times again.</summary>
    public sealed class DefaultTimestampProvider(ActorSystem system) : ITimestampProvider
    {
        /// <inheritdoc/>
        public long GenerateTimestamp(IPersistentRepresentation message) => system.Scheduler.Now.UtcTicks;

        internal static ITimestampProvider Create(string name, ActorSystem system)
        {
            const string DefaultName = "Akka.Persistence.Sql.Common.Journal.DefaultTimestampProvider";
            // The name may carry the assembly that the real plugin has it in.
            if (string.IsNullOrEmpty(name) || name.StartsWith(DefaultName, StringComparison.Ordinal))
                return new DefaultTimestampProvider(system);
            var type =
                Type.GetType(name, throwOnError: false)
                ?? throw new ConfigurationException($"timestamp-provider names [{name}], which was not found.");
            var takesSystem = type.GetConstructor([typeof(ActorSystem)]) is not null;
            return (ITimestampProvider)(
                takesSystem ? Activator.CreateInstance(type, system) : Activator.CreateInstance(type)
            );
        }
    }
}
