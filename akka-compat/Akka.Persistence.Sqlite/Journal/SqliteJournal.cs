using Akka.Actor;
using Akka.Configuration;

namespace Akka.Persistence.Sqlite.Journal;

/// <summary>A journal that commits each request by itself.</summary>
public class SqliteJournal(Config journalConfig) : SqliteEventJournal(journalConfig)
{
    private protected override void OnWrite(WriteMessages write) => WriteGroup([write]);
}

/// <summary>
/// A journal that commits together all requests that wait. While a transaction is on its way to the disk the next
/// requests pile up in the mailbox, so groups grow with the load, and a lone request does not wait for company.
/// </summary>
public class BatchingSqliteJournal : SqliteEventJournal
{
    private readonly List<WriteMessages> _group = [];
    private readonly int _maxBatchSize;
    private bool _commitIsDue;

    /// <summary>Also reads max-batch-size, the most requests of one transaction.</summary>
    /// <exception cref="ConfigurationException">It is below 1.</exception>
    public BatchingSqliteJournal(Config config)
        : base(config)
    {
        _maxBatchSize = config.GetInt("max-batch-size", 1000);
        if (_maxBatchSize < 1)
            throw new ConfigurationException($"[max-batch-size] is [{_maxBatchSize}]; it must be at least 1.");
    }

    private protected override void OnWrite(WriteMessages write)
    {
        _group.Add(write);
        if (_group.Count >= _maxBatchSize)
        {
            FinishWrites();
        }
        else if (!_commitIsDue)
        {
            // Behind everything that is in the mailbox now: those are the company.
            _commitIsDue = true;
            Self.Tell(CommitGroup.Instance, Self);
        }
    }

    /// <inheritdoc/>
    protected override bool ReceivePluginInternal(object message)
    {
        if (message is not CommitGroup)
            return false;
        _commitIsDue = false;
        FinishWrites();
        return true;
    }

    private protected override void FinishWrites()
    {
        if (_group.Count == 0)
            return;
        WriteGroup(_group);
        _group.Clear();
    }

    /// <inheritdoc/>
    protected override void PostStop()
    {
        FinishWrites();
        base.PostStop();
    }

    /// <summary>To itself: no more company.</summary>
    private sealed class CommitGroup
    {
        /// <summary>The only one.</summary>
        public static readonly CommitGroup Instance = new();
    }
}
