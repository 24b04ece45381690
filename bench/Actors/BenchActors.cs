using Akka.Actor;

namespace Iommufd.Bench.Actors;

/// <summary>Where the measured actors say that they are done. One measurement runs at a time.</summary>
internal static class Signal
{
    internal static ManualResetEventSlim Current { get; set; } = null!;
    internal static CountdownEvent Countdown { get; set; } = null!;
}

/// <summary>A silent system that is gone, with all its actors, before the next measurement begins.</summary>
internal sealed class BenchSystem : IDisposable
{
    internal ActorSystem System { get; } =
        ActorSystem.Create("bench", "akka.loglevel = OFF, akka.stdout-loglevel = OFF, akka.log-dead-letters = off");

    public void Dispose() => System.Terminate().Wait();
}

internal sealed record Start;

internal sealed record Order(IActorRef Target, int Count, object Message);

internal sealed class Sender : UntypedActor
{
    protected override void OnReceive(object message)
    {
        var order = (Order)message;
        for (var i = 0; i < order.Count; i++)
            order.Target.Tell(order.Message, Self);
    }
}

internal sealed class CountingReceiver : ReceiveActor
{
    private int _left;

    public CountingReceiver(int count)
    {
        _left = count;
        Receive<object>(_ =>
        {
            if (--_left == 0)
                Signal.Current.Set();
        });
    }
}

internal sealed class CountingUntyped(int count) : UntypedActor
{
    private int _left = count;

    protected override void OnReceive(object message)
    {
        if (--_left == 0)
            Signal.Current.Set();
    }
}

internal sealed class Pong : UntypedActor
{
    protected override void OnReceive(object message) => Sender.Tell(message, Self);
}

internal sealed class Ping(IActorRef pong, int inFlight, int count) : UntypedActor
{
    private static readonly object Ball = new();
    private int _sent;
    private int _received;

    protected override void OnReceive(object message)
    {
        if (message is Start)
        {
            for (; _sent < inFlight; _sent++)
                pong.Tell(Ball, Self);
            return;
        }
        if (++_received == count)
            Signal.Countdown.Signal();
        else if (_sent++ < count)
            pong.Tell(Ball, Self);
    }
}

internal sealed class Small : UntypedActor
{
    protected override void PreStart() => Signal.Countdown.Signal();

    protected override void OnReceive(object message) { }
}

internal sealed class Parent : UntypedActor
{
    protected override void OnReceive(object message)
    {
        var props = Props.Create<Small>();
        for (var i = 0; i < (int)message; i++)
            Context.ActorOf(props);
    }
}

internal sealed class Hub(int actors, int rounds) : UntypedActor
{
    private readonly IActorRef[] _spokes = new IActorRef[actors];
    private static readonly object Call = new();
    private int _left = rounds;
    private int _missing;

    protected override void PreStart()
    {
        for (var i = 0; i < _spokes.Length; i++)
            _spokes[i] = Context.ActorOf<Pong>();
    }

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case string:
                Sender.Tell(message);
                break;
            case Start:
                Send();
                break;
            default:
                if (--_missing > 0)
                    break;
                if (--_left == 0)
                    Signal.Current.Set();
                else
                    Send();
                break;
        }
    }

    private void Send()
    {
        _missing = _spokes.Length;
        foreach (var spoke in _spokes)
            spoke.Tell(Call, Self);
    }
}
