using System.Collections.Concurrent;
using Akka.Actor;
using Xunit;

namespace Akka.Persistence.Tests.Support;

/// <summary>An actor that keeps what it gets until the test asks for it.</summary>
public sealed class Probe
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
    private readonly BlockingCollection<object> _messages = [];

    public Probe(ActorSystem system)
    {
        var messages = _messages;
        // Local: its argument cannot be written and read, which some systems try with every actor's.
        Ref = system.ActorOf(Props.Create(() => new Keeper(messages)).WithDeploy(Deploy.Local));
    }

    public IActorRef Ref { get; }

    /// <summary>The next message, which must be of this type.</summary>
    public T Expect<T>()
    {
        var message = Next();
        Assert.True(message is T, $"Expected {typeof(T).Name}, got {message.GetType().Name}: {message}");
        return (T)message;
    }

    public void Expect(params object[] messages)
    {
        foreach (var expected in messages)
        {
            Assert.Equal(expected, Next());
        }
    }

    public object Next() =>
        _messages.TryTake(out var message, Limit) ? message : throw new TimeoutException($"No message within {Limit}.");

    /// <summary>True when nothing more has arrived by the time a message sent through the other actor comes back.</summary>
    public bool IsEmpty => _messages.Count == 0;

    private sealed class Keeper(BlockingCollection<object> messages) : UntypedActor
    {
        protected override void OnReceive(object message) => messages.Add(message);
    }
}
