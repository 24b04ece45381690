using Akka.Actor;

namespace Akka.TestKit.TestActors;

/// <summary>Handles everything by doing nothing.</summary>
public class BlackHoleActor : ActorBase
{
    /// <summary>What makes one.</summary>
    public static Props Props { get; } = Actor.Props.Create<BlackHoleActor>();

    /// <inheritdoc/>
    protected override bool Receive(object message) => true;
}

/// <summary>Sends everything back, and on to the test.</summary>
public class EchoActor : ReceiveActor
{
    /// <summary>
    /// When it does not echo to the sender, the test alone hears; the test does not hear its own messages twice.
    /// </summary>
    public EchoActor(TestKitBase testkit, bool echoBackToSenderAsWell = true)
    {
        ReceiveAny(message =>
        {
            var sender = Sender;
            if (echoBackToSenderAsWell && !testkit.TestActor.Equals(sender))
                testkit.TestActor.Forward(message);
            else if (!echoBackToSenderAsWell)
                testkit.TestActor.Forward(message);
            if (echoBackToSenderAsWell)
                sender.Forward(message);
        });
    }

    /// <summary>What makes one.</summary>
    public static Props Props(TestKitBase testkit, bool echoBackToSenderAsWell = true) =>
        Actor.Props.Create(() => new EchoActor(testkit, echoBackToSenderAsWell));
}

/// <summary>Sends everything back.</summary>
public class SimpleEchoActor : ReceiveActor
{
    /// <summary>Answers come from this actor.</summary>
    public SimpleEchoActor()
    {
        ReceiveAny(message => Sender.Tell(message));
    }

    /// <summary>What makes one.</summary>
    public static Props Props() => Actor.Props.Create<SimpleEchoActor>();
}

/// <summary>Forwards everything.</summary>
public class ForwardActor : ReceiveActor
{
    /// <summary>The sender stays who it was.</summary>
    public ForwardActor(IActorRef target)
    {
        ReceiveAny(target.Forward);
    }

    /// <summary>What makes one.</summary>
    public static Props Props(IActorRef target) => Actor.Props.Create(() => new ForwardActor(target));
}

/// <summary>Handles nothing.</summary>
public class UnhandledMessageActor : ReceiveActor
{
    /// <summary>All is published as unhandled.</summary>
    public UnhandledMessageActor()
    {
        ReceiveAny(Unhandled);
    }
}
