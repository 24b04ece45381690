using System.Collections.Immutable;
using System.Text;
using Akka;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Event;
using Akka.Serialization;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Akka.Util;
using Xunit;

namespace AkkaTests;

public class SystemParts() : TestKit("akka.loglevel = DEBUG, akka.stdout-loglevel = OFF")
{
    private record Animal(string Name);

    private sealed record Dog(string Name) : Animal(Name);

    [Fact]
    public void Subscribers_get_subclasses_once_and_nothing_after_unsubscribing()
    {
        Assert.True(Sys.EventStream.Subscribe(TestActor, typeof(Animal)));
        Assert.False(Sys.EventStream.Subscribe(TestActor, typeof(Dog)));
        Sys.EventStream.Publish(new Dog("a"));
        ExpectMsg(new Dog("a"));
        ExpectNoMsg(20);
        Assert.True(Sys.EventStream.Unsubscribe(TestActor));
        Sys.EventStream.Publish(new Dog("b"));
        ExpectNoMsg(20);
    }

    [Fact]
    public void A_dead_subscriber_is_taken_off_the_bus()
    {
        var subscriber = Watch(Sys.ActorOf(Props.Empty));
        Sys.EventStream.Subscribe(subscriber, typeof(Animal));
        Sys.Stop(subscriber);
        ExpectTerminated(subscriber);
        AwaitAssert(() => Assert.False(Sys.EventStream.Unsubscribe(subscriber)));
    }

    private sealed class Talkative : ReceiveActor
    {
        private readonly ILoggingAdapter _log = Context.GetLogger();

        public Talkative()
        {
            Receive<string>(s => _log.Info("got {0} of {1}", s, 7));
            Receive<Exception>(e => _log.Error(e, "failed"));
        }
    }

    [Fact]
    public void A_logger_names_its_actor_and_formats_its_arguments()
    {
        var actor = Sys.ActorOf<Talkative>("talkative");
        Sys.EventStream.Subscribe(TestActor, typeof(Info));
        actor.Tell("x");
        var info = FishForMessage<Info>(i => i.LogSource == "akka://test/user/talkative");
        Assert.Equal("got x of 7", info.Message.ToString());
        Assert.Equal(typeof(Talkative), info.LogClass);
    }

    [Fact]
    public void Event_filters_match_by_level_text_and_source()
    {
        var actor = Sys.ActorOf<Talkative>("noisy");
        EventFilter.Info("got x of 7", source: "akka://test/user/noisy").ExpectOne(() => actor.Tell("x"));
        EventFilter
            .Info(start: "got")
            .Expect(
                2,
                () =>
                {
                    actor.Tell("1");
                    actor.Tell("2");
                }
            );
        EventFilter.Error(contains: "fail").ExpectOne(() => actor.Tell(new InvalidOperationException()));
        EventFilter.DeadLetter<string>().ExpectOne(() => Sys.DeadLetters.Tell("dead"));
    }

    [Fact]
    public void An_event_filter_fails_when_nothing_or_too_much_matches()
    {
        var actor = Sys.ActorOf<Talkative>();
        Assert.ThrowsAny<Exception>(() =>
            EventFilter.Info("never").ExpectOne(TimeSpan.FromMilliseconds(30), () => { })
        );
        Assert.ThrowsAny<Exception>(() =>
            EventFilter.Info(start: "got").Expect(0, TimeSpan.FromSeconds(5), () => actor.Tell("x"))
        );
    }

    [Fact]
    public void Paths_print_parse_and_compare()
    {
        var actor = Sys.ActorOf(Props.Empty, "a");
        Assert.Equal("akka://test/user/a", actor.Path.ToString());
        Assert.Equal("/user/a", actor.Path.ToStringWithoutAddress());
        Assert.Equal(actor.Path, ActorPath.Parse("akka://test/user/a"));
        Assert.Equal(["user", "a"], actor.Path.Elements);
        Assert.Equal($"akka://test/user/a#{actor.Path.Uid}", actor.Path.ToSerializationFormat());
        Assert.False(ActorPath.TryParse("not a path", out _));
    }

    [Theory]
    [InlineData("akka://sys", "sys", null, null)]
    [InlineData("akka.tcp://sys@host:12", "sys", "host", 12)]
    public void Addresses_parse(string text, string system, string? host, int? port)
    {
        Assert.True(Address.TryParse(text, out var address));
        Assert.Equal((system, host, port), (address.System, address.Host, address.Port));
        Assert.Equal(text, address.ToString());
    }

    private sealed class Extension(ExtendedActorSystem system) : IExtension
    {
        internal ExtendedActorSystem System => system;
    }

    private sealed class ExtensionId : ExtensionIdProvider<Extension>
    {
        public override Extension CreateExtension(ExtendedActorSystem system) => new(system);
    }

    [Fact]
    public void An_extension_is_made_once_for_each_system()
    {
        Assert.False(Sys.HasExtension<Extension>());
        var made = new ExtensionId().Apply(Sys);
        Assert.Same(made, new ExtensionId().Apply(Sys));
        Assert.Same(made, Sys.WithExtension<Extension, ExtensionId>());
        Assert.Same(Sys, made.System);
        Assert.True(Sys.HasExtension<Extension>());
    }

    private sealed class AnimalSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
    {
        public override int Identifier => 4711;

        public override byte[] ToBinary(object obj) => Encoding.UTF8.GetBytes(((Animal)obj).Name);

        public override object FromBinary(byte[] bytes, string manifest) =>
            manifest == "D" ? new Dog(Encoding.UTF8.GetString(bytes)) : new Animal(Encoding.UTF8.GetString(bytes));

        public override string Manifest(object o) => o is Dog ? "D" : "A";
    }

    [Fact]
    public void The_most_specific_binding_wins_and_ids_find_serializers_again()
    {
        var setup = SerializationSetup.Create(s =>
            ImmutableHashSet.Create(
                SerializerDetails.Create("animals", new AnimalSerializer(s), ImmutableHashSet.Create(typeof(Animal)))
            )
        );
        var system = ActorSystem.Create(
            "serializing",
            setup.And(BootstrapSetup.Create().WithConfig("akka.stdout-loglevel = OFF, akka.loglevel = OFF"))
        );
        try
        {
            var serialization = system.Serialization;
            var serializer = serialization.FindSerializerFor(new Dog("rex"));
            Assert.Equal(4711, serializer.Identifier);
            var bytes = serialization.Serialize(new Dog("rex"));
            Assert.Equal(
                new Dog("rex"),
                serialization.Deserialize(bytes, 4711, Serialization.ManifestFor(serializer, new Dog("rex")))
            );
            Assert.Equal(4, serialization.FindSerializerFor(new byte[1]).Identifier);
            Assert.Equal(0, serialization.FindSerializerFor(null).Identifier);
        }
        finally
        {
            Shutdown(system);
        }
    }

    [Fact]
    public void References_are_written_and_found_by_path()
    {
        var actor = Sys.ActorOf(Props.Empty, "written");
        Assert.Equal(actor, Sys.Serialization.DeserializeActorRef(Serialization.SerializedActorPath(actor)));
    }

    [Fact]
    public async Task Coordinated_shutdown_runs_its_phases_in_order_before_the_system_ends()
    {
        var system = ActorSystem.Create("phases", "akka.stdout-loglevel = OFF, akka.loglevel = OFF");
        var order = new List<string>();
        var shutdown = CoordinatedShutdown.Get(system);
        foreach (
            var phase in new[] { CoordinatedShutdown.PhaseServiceStop, CoordinatedShutdown.PhaseBeforeServiceUnbind }
        )
            shutdown.AddTask(
                phase,
                "task",
                () =>
                {
                    order.Add(phase);
                    return Task.FromResult(Done.Instance);
                }
            );
        await system.Terminate().WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal([CoordinatedShutdown.PhaseBeforeServiceUnbind, CoordinatedShutdown.PhaseServiceStop], order);
        Assert.IsType<CoordinatedShutdown.ActorSystemTerminateReason>(shutdown.ShutdownReason);
    }

    [Fact]
    public void A_test_actor_ref_runs_on_this_thread_and_shows_its_actor()
    {
        var actor = ActorOfAsTestActorRef<OnThread>();
        actor.Tell("x");
        Assert.Equal(Environment.CurrentManagedThreadId, actor.UnderlyingActor.Thread);
        Assert.Throws<InvalidOperationException>(() => actor.Receive(1));
    }

    private sealed class OnThread : ReceiveActor
    {
        public OnThread()
        {
            Receive<string>(_ => Thread = Environment.CurrentManagedThreadId);
            Receive<int>(_ => throw new InvalidOperationException());
        }

        internal int Thread { get; private set; }
    }

    [Fact]
    public void Within_bounds_the_waits_inside_it()
    {
        Within(
            TimeSpan.FromSeconds(1),
            () =>
            {
                TestActor.Tell(1);
                ExpectMsg(1);
                Assert.True(Remaining <= TimeSpan.FromSeconds(1));
                ExpectNoMsg();
            }
        );
        Assert.ThrowsAny<Exception>(() => Within(TimeSpan.FromMilliseconds(20), () => ExpectMsg<int>()));
    }

    [Fact]
    public async Task The_expect_family_tells_what_came_and_what_did_not()
    {
        var probe = CreateTestProbe();
        foreach (var n in new[] { 3, 1, 2, 9, 5, 6 })
            probe.Tell(n);
        Assert.Equal(3, await probe.ExpectMsgAsync<int>());
        probe.ExpectMsgAllOf(1, 2);
        Assert.Equal(9, probe.FishForMessage<int>(n => n > 8));
        Assert.Equal([5, 6], await probe.ReceiveNAsync(2).ToListAsync());
        Assert.ThrowsAny<Exception>(() => probe.ExpectMsg<int>(TimeSpan.FromMilliseconds(10)));
        probe.Tell("text");
        Assert.Contains(
            "Expected a message of type",
            Assert.ThrowsAny<Exception>(() => probe.ExpectMsg<int>()).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Ignored_messages_are_not_seen_and_a_pilot_answers()
    {
        IgnoreMessages<int>();
        SetAutoPilot(
            new DelegateAutoPilot(
                (sender, message) =>
                {
                    sender.Tell("re: " + message);
                    return AutoPilot.KeepRunning;
                }
            )
        );
        var probe = CreateTestProbe();
        probe.Send(TestActor, 1);
        probe.Send(TestActor, "x");
        ExpectMsg("x");
        probe.ExpectMsg("re: 1");
        probe.ExpectMsg("re: x");
    }

    [Fact]
    public void A_bounded_mailbox_drops_what_has_no_room()
    {
        var system = ActorSystem.Create(
            "bounded",
            """
            akka.stdout-loglevel = OFF, akka.loglevel = OFF
            tight { mailbox-type = "Akka.Dispatch.BoundedMailbox", mailbox-capacity = 2, mailbox-push-timeout-time = 0s }
            """
        );
        try
        {
            var probe = CreateTestProbe(system);
            system.EventStream.Subscribe(probe.Ref, typeof(DeadLetter));
            var gate = CreateTestLatch();
            var entered = CreateTestLatch();
            var actor = system.ActorOf(Props.Create(() => new Gated(entered, gate, probe.Ref)).WithMailbox("tight"));
            actor.Tell(0);
            entered.Ready();
            for (var i = 1; i <= 3; i++)
                actor.Tell(i);
            Assert.Equal(3, probe.ExpectMsg<DeadLetter>().Message);
            gate.Open();
            for (var i = 0; i <= 2; i++)
                probe.ExpectMsg(i);
        }
        finally
        {
            Shutdown(system);
        }
    }

    private sealed class Gated : ReceiveActor
    {
        public Gated(TestLatch entered, TestLatch gate, IActorRef probe)
        {
            Receive<int>(n =>
            {
                entered.CountDown();
                gate.Ready();
                probe.Tell(n);
            });
        }
    }

    [Fact]
    public void Options_have_values_or_none()
    {
        Option<string> some = "x";
        Assert.True(some.HasValue);
        Assert.Equal("y", Option<string>.None.GetOrElse("y"));
        Assert.Equal(1, some.Select(s => s.Length).Value);
        Assert.NotEqual(some, Option<string>.None);
    }
}
