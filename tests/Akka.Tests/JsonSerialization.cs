using System.Text;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Serialization;
using Akka.TestKit.Xunit2;
using FsCheck;
using FsCheck.Fluent;
using Newtonsoft.Json;
using Xunit;

namespace AkkaTests;

/// <summary>What has no serializer of its own is written as JSON, and comes back as what it was.</summary>
public class JsonSerialization : TestKit
{
    public JsonSerialization()
        : base("akka.loglevel = OFF, akka.stdout-loglevel = OFF") { }

    private sealed record Order(string Name, int Count, decimal Price, IReadOnlyList<string> Lines, object Anything);

    private sealed class WithPrivateSetters
    {
        public string Text { get; private set; } = "";
        public int? Perhaps { get; private set; }
        public DayOfWeek Day { get; private set; }

        internal static WithPrivateSetters Of(string text, int? perhaps, DayOfWeek day) =>
            new()
            {
                Text = text,
                Perhaps = perhaps,
                Day = day,
            };
    }

    private sealed class Holder
    {
        public IActorRef Actor { get; set; } = null!;
        public Address Address { get; set; } = null!;
        public ActorPath Path { get; set; } = null!;
        public object Again { get; set; } = null!;
    }

    private T Again<T>(T value)
    {
        var serializer = Sys.Serialization.FindSerializerFor(value);
        Assert.Equal(1, serializer.Identifier);
        return (T)Sys.Serialization.Deserialize(Sys.Serialization.Serialize(value), 1, "");
    }

    private string Text(object value) => Encoding.UTF8.GetString(Sys.Serialization.Serialize(value));

    [Fact]
    public void Numbers_that_JSON_does_not_tell_apart_carry_their_type()
    {
        Assert.Equal("{\"$\":\"I42\"}", Text(42));
        Assert.Equal("{\"$\":\"M1.5\"}", Text(1.5m));
        Assert.Equal("{\"$\":\"F2.5\"}", Text(2.5f));
        Assert.Equal("42", Text(42L));
    }

    [Fact]
    public void Any_number_comes_back_as_what_it_was()
    {
        Prop.ForAll<int>(i => Comes(i) && Comes((float)i)).QuickCheckThrowOnFailure();
        Prop.ForAll<long>(l => Comes(l)).QuickCheckThrowOnFailure();
        Prop.ForAll<double>(d => !double.IsFinite(d) || Comes(d)).QuickCheckThrowOnFailure();
        Prop.ForAll<decimal>(m => Comes(m)).QuickCheckThrowOnFailure();
    }

    private bool Comes(object number) => Equals(Again(number), number);

    [Theory]
    [InlineData(null)]
    [InlineData(7)]
    public void Members_of_all_kinds_come_back(int? perhaps)
    {
        var order = new Order("böse", 3, 9.99m, new List<string> { "a", "b" }, 5);
        var order2 = Again(order);
        Assert.Equal(order with { Lines = order2.Lines }, order2);
        Assert.Equal(order.Lines, order2.Lines);
        var setters = Again(WithPrivateSetters.Of("x", perhaps, DayOfWeek.Friday));
        Assert.Equal(("x", perhaps, DayOfWeek.Friday), (setters.Text, setters.Perhaps, setters.Day));
    }

    [Fact]
    public void References_addresses_and_paths_come_back()
    {
        var held = new Holder
        {
            Actor = TestActor,
            Address = new Address("akka", "elsewhere", "host", 5),
            Path = TestActor.Path,
            Again = TestActor,
        };
        var back = Again(held);
        Assert.Equal(held.Actor, back.Actor);
        Assert.Equal(held.Address, back.Address);
        Assert.Equal(held.Path, back.Path);
        Assert.Equal(held.Again, back.Again);
        Assert.Equal(TestActor, Again(TestActor));
    }

    [Fact]
    public void What_describes_actors_comes_back()
    {
        var decider = Decider.From(
            Directive.Restart,
            new KeyValuePair<Type, Directive>(typeof(ArgumentException), Directive.Stop),
            new KeyValuePair<Type, Directive>(typeof(KeyNotFoundException), Directive.Resume)
        );
        var strategy = new OneForOneStrategy(3, 500, decider);
        var deploy = new Deploy("/x", LocalScope.Instance).WithMailbox("m").WithDispatcher("d").WithStashCapacity(5);
        Assert.Equal(decider, Again(decider));
        Assert.Equal(strategy, Again(strategy));
        Assert.Equal(new AllForOneStrategy(2, 100, decider), Again(new AllForOneStrategy(2, 100, decider)));
        Assert.Equal(deploy, Again(deploy));
        Assert.Equal(LocalScope.Instance, Again(LocalScope.Instance));
        var props = Props.Create<Forwarding>(TestActor).WithDeploy(deploy);
        Assert.Equal(props, Again(props));
        Assert.NotNull(Again(PoisonPill.Instance));
        Assert.Equal(5, Again(new Status.Success(5)).Status);
        var failure = Again(new Status.Failure(new InvalidOperationException("why"), "state"));
        Assert.Equal("why", Assert.IsType<InvalidOperationException>(failure.Cause).Message);
        Assert.Equal("state", failure.State);
        Assert.Equal("dead", Again(new ActorKilledException("dead")).Message);
        var config = ConfigurationFactory.ParseString("a { b = 1, c = [x, y] }");
        var json = Sys.Serialization.FindSerializerFor(config);
        Assert.Equal(config.ToString(), json.FromBinary<Akka.Configuration.Config>(json.ToBinary(config)).ToString());
    }

    private sealed class Linked
    {
        public Linked? Next { get; set; }
        public string Name { get; set; } = "";
    }

    [Fact]
    public void An_object_that_occurs_twice_is_still_one_object()
    {
        var one = new Linked { Name = "one" };
        one.Next = one;
        var back = Again(one);
        Assert.Same(back, back.Next);
    }

    [Theory]
    [InlineData("System.Diagnostics.Process, System.Diagnostics.Process")]
    [InlineData("System.IO.FileInfo, System.Private.CoreLib")]
    [InlineData("System.Action, System.Private.CoreLib")]
    public void A_type_of_the_base_library_that_is_not_plain_data_is_refused(string type)
    {
        var bytes = Encoding.UTF8.GetBytes("{\"$type\":\"" + type + "\"}");
        Assert.Throws<JsonSerializationException>(() => Sys.Serialization.Deserialize(bytes, 1, ""));
    }

    [Fact]
    public async Task A_setup_changes_how_JSON_is_written()
    {
        using var system = ActorSystem.Create(
            "json",
            ActorSystemSetup.Create(
                BootstrapSetup.Create().WithConfig("akka.loglevel = OFF, akka.stdout-loglevel = OFF"),
                NewtonSoftJsonSerializerSetup.Create(s => s.TypeNameHandling = TypeNameHandling.None)
            )
        );
        var text = Encoding.UTF8.GetString(system.Serialization.Serialize(new Linked { Name = "n" }));
        Assert.DoesNotContain("$type", text, StringComparison.Ordinal);
        await system.Terminate();
    }

    private sealed class Forwarding(IActorRef to) : UntypedActor
    {
        protected override void OnReceive(object message) => to.Tell(message);
    }

    [Fact]
    public async Task Messages_are_copied_where_the_configuration_asks_for_it()
    {
        using var system = ActorSystem.Create(
            "copies",
            "akka.actor.serialize-messages = on, akka.loglevel = OFF, akka.stdout-loglevel = OFF"
        );
        var probe = CreateTestProbe(system);
        var message = new Linked { Name = "copied" };
        system.ActorOf(Props.Create(() => new Forwarding(probe.Ref))).Tell(message);
        var got = probe.ExpectMsg<Linked>();
        Assert.Equal("copied", got.Name);
        Assert.NotSame(message, got);
        await system.Terminate();
    }
}
