using Akka.Actor;
using Akka.Event;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Xunit;

namespace AkkaTests;

public class Asking : TestKit
{
    private sealed class Answering : ReceiveActor
    {
        public Answering()
        {
            Receive<string>(s => s == "silent", _ => { });
            Receive<string>(
                s => s == "fail",
                _ => Sender.Tell(new Status.Failure(new InvalidOperationException("no")))
            );
            Receive<string>(s => s == "path", _ => Sender.Tell(Sender.Path));
            Receive<string>(
                s => s == "twice",
                _ =>
                {
                    Sender.Tell(1);
                    Sender.Tell(2);
                }
            );
            ReceiveAny(m => Sender.Tell(m));
        }
    }

    [Fact]
    public async Task The_answer_completes_the_task()
    {
        Assert.Equal(5, await Sys.ActorOf<Answering>().Ask<int>(5, TimeSpan.FromSeconds(3)));
    }

    [Fact]
    public async Task Silence_is_an_AskTimeoutException()
    {
        var asked = Sys.ActorOf<Answering>().Ask<int>("silent", TimeSpan.FromMilliseconds(20));
        await Assert.ThrowsAsync<AskTimeoutException>(() => asked);
    }

    [Fact]
    public async Task A_failure_status_faults_with_its_cause()
    {
        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            Sys.ActorOf<Answering>().Ask<int>("fail")
        );
        Assert.Equal("no", thrown.Message);
    }

    [Fact]
    public async Task An_answer_of_another_type_is_an_ArgumentException()
    {
        var thrown = await Assert.ThrowsAsync<ArgumentException>(() => Sys.ActorOf<Answering>().Ask<int>("text"));
        Assert.Equal(
            "Received message of type [System.String] - Ask expected message of type [System.Int32]",
            thrown.Message
        );
    }

    [Fact]
    public async Task Cancelling_cancels()
    {
        using var source = new CancellationTokenSource();
        var asked = Sys.ActorOf<Answering>().Ask<int>("silent", source.Token);
        await source.CancelAsync();
        await Assert.ThrowsAsync<TaskCanceledException>(() => asked);
    }

    [Fact]
    public async Task The_asker_lives_under_temp()
    {
        var path = await Sys.ActorOf<Answering>().Ask<ActorPath>("path");
        Assert.StartsWith("akka://test/temp/", path.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_answer_is_a_dead_letter()
    {
        Sys.EventStream.Subscribe(TestActor, typeof(DeadLetter));
        Assert.Equal(1, await Sys.ActorOf<Answering>().Ask<int>("twice"));
        Assert.Equal(2, ExpectMsg<DeadLetter>().Message);
    }

    [Fact]
    public void PipeTo_sends_the_result()
    {
        Task.FromResult(4).PipeTo(TestActor, success: n => n * 2);
        ExpectMsg(8);
    }

    [Fact]
    public void PipeTo_sends_a_failure_with_its_cause()
    {
        Task.FromException<int>(new InvalidOperationException("x")).PipeTo(TestActor);
        Assert.Equal("x", ExpectMsg<Status.Failure>().Cause.Message);
    }

    [Fact]
    public void PipeTo_of_a_plain_task_sends_nothing_unless_told_what()
    {
        Task.CompletedTask.PipeTo(TestActor);
        ExpectNoMsg(30);
        Task.CompletedTask.PipeTo(TestActor, success: () => "done");
        ExpectMsg("done");
    }

    private sealed class Async : ReceiveActor
    {
        public Async(Task gate)
        {
            ReceiveAsync<int>(async n =>
            {
                var before = Sender;
                await gate;
                if (!ReferenceEquals(before, Sender) || ActorCell.GetCurrentSelfOrNoSender() is null)
                    throw new InvalidOperationException("another sender after the await");
                Sender.Tell(n);
            });
            ReceiveAsync<string>(async _ =>
            {
                await Task.Yield();
                throw new InvalidOperationException("async failure");
            });
            ReceiveAny(m => Sender.Tell(m));
        }
    }

    [Fact]
    public void Nothing_overtakes_an_asynchronous_handler_and_it_goes_on_as_the_actor()
    {
        var gate = new TaskCompletionSource();
        var actor = Sys.ActorOf(Props.Create(() => new Async(gate.Task)));
        actor.Tell(1);
        actor.Tell('x');
        ExpectNoMsg(30);
        gate.SetResult();
        ExpectMsg(1);
        ExpectMsg('x');
    }

    [Fact]
    public void An_asynchronous_handlers_failure_goes_to_the_supervisor()
    {
        var actor = Sys.ActorOf(Props.Create(() => new Async(Task.CompletedTask)));
        EventFilter.Exception<InvalidOperationException>("async failure").ExpectOne(() => actor.Tell("now"));
        actor.Tell('y');
        ExpectMsg('y');
    }

    [Fact]
    public async Task A_selection_reaches_actors_by_path_and_wildcard()
    {
        var one = Sys.ActorOf<Answering>("node-1");
        var two = Sys.ActorOf<Answering>("node-2");
        Assert.Equal(one, await Sys.ActorSelection("/user/node-1").ResolveOne(TimeSpan.FromSeconds(3)));
        Sys.ActorSelection("/user/node-*").Tell(9, TestActor);
        ExpectMsg(9);
        ExpectMsg(9);
        Sys.ActorSelection("akka://test/user/node-2").Tell(new Identify(1), TestActor);
        Assert.Equal(two, ExpectMsg<ActorIdentity>().Subject);
    }

    [Fact]
    public async Task A_selection_of_nobody_fails_to_resolve()
    {
        await Assert.ThrowsAsync<ActorNotFoundException>(() =>
            Sys.ActorSelection("/user/none").ResolveOne(TimeSpan.FromSeconds(1))
        );
    }

    [Fact]
    public void An_inbox_keeps_what_it_is_told()
    {
        using var inbox = Inbox.Create(Sys);
        inbox.Send(Sys.ActorOf<Answering>(), "hello");
        Assert.Equal("hello", inbox.Receive());
        Assert.Throws<TimeoutException>(() => inbox.Receive(TimeSpan.FromMilliseconds(20)));
    }
}
