using Akka.Actor;
using Akka.Persistence.Tests.Support;
using Xunit;

namespace Akka.Persistence.Tests.Serialization;

/// <summary>What has no serializer of its own is stored as JSON, and may be told as JSON.</summary>
public abstract class JsonPersistenceTests(string configuration) : PersistenceTest(configuration)
{
    /// <summary>A class as of old: properties without public setters, anything inside.</summary>
    public class Evt(object data)
    {
        public object Data { get; private set; } = data;
    }

    public sealed class Cmd(object data) : Evt(data);

    public sealed class GetState
    {
        public static readonly GetState Instance = new();

        private GetState() { }
    }

    public sealed class Collecting(string id) : PersistentActor
    {
        private List<object> _seen = [];

        public override string PersistenceId => id;

        protected override bool ReceiveRecover(object message)
        {
            switch (message)
            {
                case SnapshotOffer offer:
                    _seen = [.. (object[])offer.Snapshot];
                    return true;
                case Evt e:
                    _seen.Add(e.Data);
                    return true;
                default:
                    _seen.Add(message);
                    return true;
            }
        }

        protected override bool ReceiveCommand(object message)
        {
            switch (message)
            {
                case Cmd { Data: "later" } when _seen.Count < 6:
                    Stash.Stash();
                    return true;
                case Cmd cmd:
                    Persist(new Evt(cmd.Data), e => _seen.Add(e.Data));
                    return true;
                case "plain":
                    Persist("a plain string", _seen.Add);
                    return true;
                case GetState:
                    Sender.Tell(_seen.ToArray());
                    return true;
                case "snap":
                    SaveSnapshot(_seen.ToArray());
                    return true;
                case SaveSnapshotSuccess:
                    Stash.UnstashAll();
                    return true;
                case "fail":
                    throw new InvalidOperationException("asked to");
                default:
                    return false;
            }
        }
    }

    private IActorRef Start() => System.ActorOf(Props.Create(() => new Collecting("p-1")));

    private void ExpectState(IActorRef actor, params object[] expected)
    {
        actor.Tell(GetState.Instance, Probe.Ref);
        Assert.Equal(expected, Probe.Expect<object[]>());
    }

    [Fact]
    public void Events_and_snapshots_come_back_from_JSON()
    {
        var actor = Start();
        ExpectState(actor, RecoveryCompleted.Instance);
        object[] all = [1, 2L, "three", 4.5m, true];
        foreach (var each in all)
            actor.Tell(new Cmd(each), Probe.Ref);
        actor.Tell("plain", Probe.Ref);
        ExpectState(actor, [RecoveryCompleted.Instance, .. all, "a plain string"]);
        actor.Tell("fail", Probe.Ref);
        ExpectState(actor, [.. all, "a plain string", RecoveryCompleted.Instance]);
        if (KeepsFiles)
        {
            StartAgain();
            ExpectState(Start(), [.. all, "a plain string", RecoveryCompleted.Instance]);
        }
    }

    [Fact]
    public void Stashed_commands_and_snapshots_survive_JSON()
    {
        var actor = Start();
        actor.Tell(new Cmd("later"), Probe.Ref);
        actor.Tell(new Cmd("now"), Probe.Ref);
        ExpectState(actor, RecoveryCompleted.Instance, "now");
        foreach (var each in "abcd")
            actor.Tell(new Cmd(each.ToString()), Probe.Ref);
        actor.Tell("snap", Probe.Ref);
        string[] expected = ["now", "a", "b", "c", "d", "later"];
        // The snapshot is answered by a message, after which the stash is opened.
        Assert.True(
            SpinWait.SpinUntil(
                () =>
                {
                    actor.Tell(GetState.Instance, Probe.Ref);
                    return Probe.Expect<object[]>().Skip(1).SequenceEqual(expected);
                },
                TimeSpan.FromSeconds(20)
            )
        );
    }

    protected abstract bool KeepsFiles { get; }
}

/// <summary>Every message and every argument of props is written and read on its way.</summary>
public sealed class JsonMessages()
    : JsonPersistenceTests(
        """
        akka.actor.serialize-messages = on
        akka.actor.serialize-creators = on
        akka.persistence.journal.plugin = "akka.persistence.journal.inmem"
        akka.persistence.snapshot-store.plugin = "akka.persistence.snapshot-store.local"
        akka.persistence.snapshot-store.local.dir = "$FOLDER"
        """
    )
{
    protected override bool KeepsFiles => false;
}

/// <summary>Nothing is bound: SQLite holds JSON.</summary>
public sealed class JsonInSqlite()
    : JsonPersistenceTests(
        JournalConfigurations.SqliteFile.Replace(JournalConfigurations.Hyperion, "", StringComparison.Ordinal)
    )
{
    protected override bool KeepsFiles => true;
}
