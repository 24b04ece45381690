using Akka.Actor;

namespace Akka.Persistence
{
    /// <summary>What persistent actors, journals and snapshot stores say to each other.</summary>
    public interface IPersistenceMessage : INoSerializationVerificationNeeded;

    /// <summary>Between persistent actors and journals.</summary>
    public interface IJournalMessage : IPersistenceMessage;

    /// <summary>To a journal.</summary>
    public interface IJournalRequest : IJournalMessage;

    /// <summary>From a journal.</summary>
    public interface IJournalResponse : IJournalMessage;

    /// <summary>Between persistent actors and snapshot stores.</summary>
    public interface ISnapshotMessage : IPersistenceMessage;

    /// <summary>To a snapshot store.</summary>
    public interface ISnapshotRequest : ISnapshotMessage;

    /// <summary>From a snapshot store.</summary>
    public interface ISnapshotResponse : ISnapshotMessage;
}

namespace Akka.Persistence.Serialization
{
    /// <summary>Marks what the persistence messages' own serializers would handle.</summary>
    public interface IMessage;

    /// <summary>A snapshot's content.</summary>
    public sealed class Snapshot(object data)
    {
        /// <summary>The state that was handed over; may be null.</summary>
        public object Data { get; } = data;
    }
}
