using Akka.Actor;
using Akka.Persistence.Sql.Common;
using Akka.Persistence.Sqlite.Storage;

namespace Akka.Persistence.Sqlite.Journal;

/// <summary>Reads streams back a stretch at a time, so that several that recover at once share a connection fairly.</summary>
internal sealed class StreamReader(
    EventTable table,
    EventCodec codec,
    Func<IPersistentRepresentation, IEnumerable<IPersistentRepresentation>> adapt
)
{
    private const int RowsPerTurn = 512;
    private readonly EventRow[] _rows = new EventRow[RowsPerTurn];

    /// <summary>Reads the next stretch and sends its events; true when there is more.</summary>
    public bool Next(Cursor cursor)
    {
        if (cursor.Highest < 0)
        {
            cursor.Highest = table.HighestSequenceNr(cursor.PersistenceId);
            cursor.To = Math.Min(cursor.To, cursor.Highest);
        }
        var wanted = (int)Math.Min(RowsPerTurn, cursor.Left);
        var read =
            wanted > 0 && cursor.From <= cursor.To
                ? table.Read(cursor.PersistenceId, cursor.From, cursor.To, _rows, wanted)
                : 0;
        for (var i = 0; i < read; i++)
            Send(cursor, _rows[i]);
        Array.Clear(_rows, 0, read);
        cursor.Left -= read;
        if (read == wanted && wanted > 0 && cursor.From <= cursor.To)
            return true;
        cursor.Target.Tell(new RecoverySuccess(cursor.Highest), ActorRefs.NoSender);
        return false;
    }

    private void Send(Cursor cursor, in EventRow row)
    {
        cursor.From = row.SequenceNr + 1;
        if (row.IsDeleted)
            return;
        var persistent = new Persistent(
            codec.Decode(row.Payload, row.SerializerId, row.Manifest),
            row.SequenceNr,
            cursor.PersistenceId,
            row.Manifest,
            timestamp: row.Timestamp
        );
        if (adapt is null)
        {
            cursor.Target.Tell(new ReplayedMessage(persistent), ActorRefs.NoSender);
            return;
        }
        foreach (var adapted in adapt(persistent))
            cursor.Target.Tell(new ReplayedMessage(adapted), ActorRefs.NoSender);
    }

    /// <summary>How far a replay has come. Owned by whoever handles the message that carries it.</summary>
    internal sealed class Cursor(ReplayMessages request) : INoSerializationVerificationNeeded
    {
        /// <summary>Whose stream is read.</summary>
        public string PersistenceId => request.PersistenceId;

        /// <summary>Who gets the events.</summary>
        public IActorRef Target => request.PersistentActor;

        /// <summary>Next number to read.</summary>
        public long From { get; set; } = request.FromSequenceNr;

        /// <summary>Last number to read, inclusive.</summary>
        public long To { get; set; } = request.ToSequenceNr;

        /// <summary>Events that may still be sent.</summary>
        public long Left { get; set; } = request.Max;

        /// <summary>Highest number of the stream; -1 until it has been read.</summary>
        public long Highest { get; set; } = -1;
    }
}

/// <summary>What a reader beside the journal needs.</summary>
internal sealed record StreamReaderSetup(
    SqliteOptions Options,
    JournalSettings Settings,
    Func<IPersistentRepresentation, IEnumerable<IPersistentRepresentation>> Adapt
);

/// <summary>Reads streams on a connection of its own while the journal writes; only in WAL mode.</summary>
internal sealed class StreamReaderActor(StreamReaderSetup setup) : UntypedActor
{
    private readonly EventCodec _codec = new(Context.System);
    private SqliteDatabase _database;
    private StreamReader _reader;

    protected override void OnReceive(object message)
    {
        if (message is not StreamReader.Cursor cursor)
        {
            Unhandled(message);
            return;
        }
        try
        {
            if (_database is null)
            {
                _database = SqliteDatabase.Open(setup.Options);
                var table = new EventTable(_database, setup.Settings.JournalTableName, setup.Settings.MetaTableName);
                _reader = new StreamReader(table, _codec, setup.Adapt);
            }
            if (_reader.Next(cursor))
                Self.Tell(cursor, Self);
        }
        catch (Exception e)
        {
            var failure = SqliteFailure.From(e, setup.Settings.ConnectionString, "read");
            Close();
            cursor.Target.Tell(new ReplayMessagesFailure(failure), ActorRefs.NoSender);
        }
    }

    protected override void PostStop()
    {
        Close();
        base.PostStop();
    }

    private void Close()
    {
        _database?.Dispose();
        _database = null;
        _reader = null;
    }
}
