using Akka.Actor;
using Akka.Persistence.Tests.Support;
using Xunit;

namespace Akka.Persistence.Tests.Actors;

/// <summary>No more actors recover at a time than the configuration allows.</summary>
public sealed class RecoveryPermitTests()
    : PersistenceTest(JournalConfigurations.InMemory + "\nakka.persistence.max-concurrent-recoveries = 2")
{
    private IActorRef Permitter => Persistence.Instance.Apply(System).RecoveryPermitter;

    private Probe Asks()
    {
        var probe = new Probe(System);
        Permitter.Tell(RequestRecoveryPermit.Instance, probe.Ref);
        return probe;
    }

    [Fact]
    public void A_third_actor_waits_until_one_has_recovered()
    {
        var (first, second) = (Asks(), Asks());
        first.Expect<RecoveryPermitGranted>();
        second.Expect<RecoveryPermitGranted>();
        var third = Asks();
        Assert.True(third.IsEmpty);
        Permitter.Tell(ReturnRecoveryPermit.Instance, second.Ref);
        third.Expect<RecoveryPermitGranted>();
    }

    [Fact]
    public void A_permit_of_an_actor_that_stops_is_not_lost()
    {
        var (first, second) = (Asks(), Asks());
        first.Expect<RecoveryPermitGranted>();
        second.Expect<RecoveryPermitGranted>();
        var third = Asks();
        System.Stop(first.Ref);
        third.Expect<RecoveryPermitGranted>();
    }

    [Fact]
    public void An_actor_that_stops_while_it_waits_gives_its_place_away()
    {
        var (first, second) = (Asks(), Asks());
        first.Expect<RecoveryPermitGranted>();
        second.Expect<RecoveryPermitGranted>();
        var third = Asks();
        var fourth = Asks();
        System.Stop(third.Ref);
        Assert.True(third.Ref.WatchAsync().Wait(TimeSpan.FromSeconds(10)));
        Permitter.Tell(ReturnRecoveryPermit.Instance, first.Ref);
        fourth.Expect<RecoveryPermitGranted>();
    }
}
