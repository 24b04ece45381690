using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence.Journal;
using Akka.Persistence.Sql.Common;
using Akka.Persistence.Sql.Common.Journal;
using Akka.Persistence.Sqlite.Storage;
using Microsoft.Data.Sqlite;

namespace Akka.Persistence.Sqlite.Journal;

// SqliteEventJournal: what both journals do - one connection that writes, requests in order, everything inside the
// actor's own turn, so that a simulated schedule covers it. SqliteJournal: a transaction for each request.
// BatchingSqliteJournal: one for all that wait. StreamReader: streams read back, by this actor or beside it.

/// <summary>A journal in an SQLite database.</summary>
public abstract partial class SqliteEventJournal : WriteJournalBase
{
    private readonly SqliteOptions _options;
    private readonly ITimestampProvider _clock;
    private long _transactionTime;
    private readonly EventCodec _codec;
    private readonly PluginBreaker _breaker;
    private readonly IActorRef[] _readers;
    private int _nextReader;
    private readonly bool _stopsAtFailure;
    private Exception _firstFailure;
    private SqliteDatabase _database;
    private EventTable _table;
    private StreamReader _reader;

    /// <summary>Reads the section of the plugin; the database is opened when the actor starts.</summary>
    /// <exception cref="ConfigurationException">There is no connection string, or a value is not known.</exception>
    protected SqliteEventJournal(Config config)
    {
        Settings = new JournalSettings(config);
        if (string.IsNullOrEmpty(Settings.ConnectionString))
            throw new ConfigurationException(
                $"[{SqlitePersistence.JournalConfigPath}.connection-string] is empty: a journal needs a database, for example \"Data Source=journal.db\"."
            );
        _options = SqliteOptions.From(config, Settings.ConnectionString, Settings.ConnectionTimeout);
        _clock = DefaultTimestampProvider.Create(Settings.TimestampProvider, Context.System);
        _codec = new EventCodec(Context.System);
        _breaker = new PluginBreaker(
            config.GetConfig("circuit-breaker") ?? ConfigurationFactory.Empty,
            Context.System.Scheduler
        );
        _readers = new IActorRef[Math.Max(0, config.GetInt("replay-readers"))];
        ReplayDispatcher = config.GetString("replay-dispatcher");
        _stopsAtFailure = config.GetBoolean("stop-at-failure");
        _rewritten = config.GetBoolean("rewrite") ? new RewrittenRows() : null;
    }

    /// <summary>What the section says.</summary>
    public JournalSettings Settings { get; }

    private string ReplayDispatcher { get; }

    /// <summary>Opens the database now, so that a shared one in memory lives from the start; a failure shows at first use.</summary>
    protected override void PreStart()
    {
        try
        {
            Open();
        }
        catch (Exception)
        {
            // Every request tries again and tells its sender what is wrong: nobody is listening here yet.
            Close();
        }
        base.PreStart();
    }

    /// <inheritdoc/>
    protected override void PostStop()
    {
        Close();
        base.PostStop();
    }

    /// <inheritdoc/>
    protected sealed override bool Receive(object message)
    {
        switch (message)
        {
            case WriteMessages write:
                OnWrite(write);
                return true;
            case ReplayMessages replay:
                FinishWrites();
                OnReplay(replay);
                return true;
            case StreamReader.Cursor cursor:
                Continue(cursor);
                return true;
            case DeleteMessagesTo delete:
                FinishWrites();
                OnDelete(delete);
                return true;
            default:
                return ReceivePluginInternal(message);
        }
    }

    /// <summary>Writes a request, now or with others.</summary>
    private protected abstract void OnWrite(WriteMessages write);

    /// <summary>Writes what waits: a read must see everything that was sent before it.</summary>
    private protected virtual void FinishWrites() { }

    /// <summary>Handles what is not a journal's own message.</summary>
    protected virtual bool ReceivePluginInternal(object message) => false;

    private void Open()
    {
        if (_database is not null)
            return;
        var database = SqliteDatabase.Open(_options);
        try
        {
            if (Settings.AutoInitialize)
                EventTable.Create(database, Settings.JournalTableName, Settings.MetaTableName);
            _table = new EventTable(database, Settings.JournalTableName, Settings.MetaTableName);
            _rewritten?.Begin(_table, database, Settings.JournalTableName);
        }
        catch (Exception e)
        {
            database.Dispose();
            throw SqliteFailure.From(e, database.Path, "used");
        }
        _database = database;
        _reader = new StreamReader(_table, _codec, AdaptsNothing ? null : AdaptFromJournal);
    }

    private void Close()
    {
        _database?.Dispose();
        _database = null;
        _table = null;
        _reader = null;
    }

    /// <summary>Writes requests in one transaction and answers them after the commit.</summary>
    private protected void WriteGroup(IReadOnlyList<WriteMessages> group)
    {
        if ((_firstFailure ?? _breaker.Refusal()) is { } refusal)
        {
            Fail(group, refusal);
            return;
        }
        var rejections = new IReadOnlyList<Exception>[group.Count];
        try
        {
            Open();
            // The default clock tells the time of the transaction: one reading for all its rows.
            _transactionTime = _clock is DefaultTimestampProvider ? _clock.GenerateTimestamp(null) : 0;
            _database.Begin();
            for (var i = 0; i < group.Count; i++)
                rejections[i] = Insert(group[i]);
            _table.Flush();
            _database.Commit();
        }
        catch (Exception e)
        {
            _table?.Discard();
            _database?.Rollback();
            if (group.Count > 1 && SqliteFailure.IsFaultOfRequest(e))
            {
                // One of them is at fault: the others shall not pay for it.
                foreach (var write in group)
                    WriteGroup([write]);
                return;
            }
            _breaker.Failed();
            var failure = SqliteFailure.From(e, _database?.Path ?? Settings.ConnectionString, "written");
            CloseUnlessUsable(e);
            if (_stopsAtFailure)
                _firstFailure = failure;
            Fail(group, failure);
            return;
        }
        _breaker.Succeeded();
        for (var i = 0; i < group.Count; i++)
            WriteAnswers.Written(group[i], rejections[i], Self);
    }

    private void Fail(IReadOnlyList<WriteMessages> group, Exception cause)
    {
        foreach (var write in group)
            WriteAnswers.Failed(write, cause, Self);
    }

    // After an I/O error or worse the connection's state is anybody's guess; a new one starts clean.
    private void CloseUnlessUsable(Exception e)
    {
        if (e is SqliteException && !SqliteFailure.IsLock(e) && !SqliteFailure.IsFaultOfRequest(e))
            Close();
    }

    /// <summary>Inserts a request's events; returns null, or for each atomic write null or why it is rejected.</summary>
    private IReadOnlyList<Exception> Insert(WriteMessages write)
    {
        Exception[] rejections = null;
        var index = -1;
        foreach (var envelope in write.Messages)
        {
            if (envelope is not AtomicWrite atomic)
                continue;
            index++;
            var rejection = atomic.Single is { } single ? InsertOne(single) : InsertAll(atomic);
            if (rejection is null)
                continue;
            rejections ??= new Exception[write.Messages.OfType<AtomicWrite>().Count()];
            rejections[index] = rejection;
        }
        return rejections;
    }

    private Exception InsertOne(IPersistentRepresentation persistent)
    {
        EncodedEvent encoded;
        try
        {
            encoded = _codec.Encode(AdaptToJournal(persistent).Payload);
        }
        catch (Exception e)
        {
            return e;
        }
        Insert(persistent, encoded);
        return null;
    }

    private Exception InsertAll(AtomicWrite atomic)
    {
        // All are encoded before the first is inserted: a rejected write leaves nothing behind.
        var events = atomic.Events;
        var encoded = new EncodedEvent[events.Count];
        try
        {
            var i = 0;
            foreach (var persistent in events)
                encoded[i++] = _codec.Encode(AdaptToJournal(persistent).Payload);
        }
        catch (Exception e)
        {
            return e;
        }
        var at = 0;
        foreach (var persistent in events)
            Insert(persistent, encoded[at++]);
        return null;
    }

    private void Insert(IPersistentRepresentation persistent, in EncodedEvent encoded)
    {
        if (_rewritten?.Holds(persistent, encoded.Payload) == true)
            return;
        _table.Insert(persistent.PersistenceId, persistent.SequenceNr, _clock.GenerateTimestamp(persistent), encoded);
    }

    private void OnReplay(ReplayMessages replay)
    {
        try
        {
            Open();
        }
        catch (Exception e)
        {
            replay.PersistentActor.Tell(new ReplayMessagesFailure(e), ActorRefs.NoSender);
            return;
        }
        if (!_database.IsWal || _readers.Length == 0)
        {
            Continue(CursorOf(replay));
            return;
        }
        var slot = _nextReader++ % _readers.Length;
        var reader = _readers[slot] ??= Context.ActorOf(ReaderProps(), "replay-" + slot);
        reader.Tell(CursorOf(replay), Self);
    }

    private Props ReaderProps()
    {
        var setup = new StreamReaderSetup(
            _options with
            {
                JournalMode = "",
            },
            Settings,
            AdaptsNothing ? null : AdaptFromJournal
        );
        var props = new Props(typeof(StreamReaderActor), [setup]);
        return string.IsNullOrEmpty(ReplayDispatcher) ? props : props.WithDispatcher(ReplayDispatcher);
    }

    private void Continue(StreamReader.Cursor cursor)
    {
        try
        {
            Open();
            if (_reader.Next(cursor))
                Self.Tell(cursor, Self);
        }
        catch (Exception e)
        {
            var failure = SqliteFailure.From(e, _database?.Path ?? Settings.ConnectionString, "read");
            CloseUnlessUsable(e);
            cursor.Target.Tell(new ReplayMessagesFailure(failure), ActorRefs.NoSender);
        }
    }

    private void OnDelete(DeleteMessagesTo delete)
    {
        object answer;
        try
        {
            Open();
            _table.Delete(delete.PersistenceId, delete.ToSequenceNr);
            answer = new DeleteMessagesSuccess(delete.ToSequenceNr);
        }
        catch (Exception e)
        {
            answer = new DeleteMessagesFailure(
                SqliteFailure.From(e, _database?.Path ?? Settings.ConnectionString, "written"),
                delete.ToSequenceNr
            );
            CloseUnlessUsable(e);
        }
        delete.PersistentActor.Tell(answer, ActorRefs.NoSender);
    }
}
