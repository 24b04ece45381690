using Akka.Actor;
using Akka.Persistence.Tests.Support;
using Xunit;

namespace Akka.Persistence.Tests.Actors;

/// <summary>The order in which commands, handlers and deferred actions run.</summary>
public sealed class CommandHandlingTests() : PersistenceTest(JournalConfigurations.InMemory)
{
    /// <summary>Does what a script says for each command and logs every step to the probe.</summary>
    private sealed class Scripted : ReceivePersistentActor
    {
        private readonly Action<Scripted, object> _script;

        public Scripted(IActorRef log, Action<Scripted, object> script, Action<Scripted, object>? recover = null)
        {
            Trace = text => log.Tell(text);
            _script = script;
            RecoverAny(m => recover?.Invoke(this, m));
            CommandAsync<Func<Scripted, Task>>(work => work(this));
            CommandAny(m => _script(this, m));
        }

        public Action<string> Trace { get; }

        public override string PersistenceId => "scripted";

        public IActorRef Asker => Sender;

        public void Put(string e) => Persist(e, x => Trace("stored " + x));

        public void PutAsync(string e) => PersistAsync(e, x => Trace("stored " + x));

        public void StopNow() => Context.Stop(Self);

        public void Switch(UntypedReceive receive) => Become(receive);
    }

    private IActorRef Actor(Action<Scripted, object> script, Action<Scripted, object>? recover = null)
    {
        var log = Probe.Ref;
        return System.ActorOf(Props.Create(() => new Scripted(log, script, recover)));
    }

    private static void Send(IActorRef actor, params object[] commands)
    {
        foreach (var command in commands)
        {
            actor.Tell(command);
        }
    }

    [Fact]
    public void The_next_command_waits_until_the_event_is_stored()
    {
        var actor = Actor(
            (a, m) =>
            {
                a.Trace("command " + m);
                a.Put(m + "-1");
                a.Put(m + "-2");
            }
        );
        Send(actor, "x", "y");
        Probe.Expect("command x", "stored x-1", "stored x-2", "command y", "stored y-1", "stored y-2");
    }

    [Fact]
    public void Commands_keep_their_order_through_the_wait()
    {
        var actor = Actor((a, m) => a.Put((string)m));
        var commands = Enumerable
            .Range(0, 500)
            .Select(i => i.ToString(global::System.Globalization.CultureInfo.InvariantCulture))
            .ToArray();
        Send(actor, commands);
        foreach (var command in commands)
        {
            Probe.Expect("stored " + command);
        }
    }

    [Fact]
    public void Commands_are_handled_while_asynchronous_events_are_stored()
    {
        var actor = Actor(
            (a, m) =>
            {
                a.Trace("command " + m);
                a.PutAsync((string)m);
            }
        );
        Send(actor, "x", "y");
        var log = new[] { Probe.Next(), Probe.Next(), Probe.Next(), Probe.Next() };
        Assert.Equal(
            ["command x", "command y"],
            log.Where(t => ((string)t).StartsWith("command", StringComparison.Ordinal))
        );
        Assert.Equal(
            ["stored x", "stored y"],
            log.Where(t => ((string)t).StartsWith("stored", StringComparison.Ordinal))
        );
    }

    [Fact]
    public void Events_stored_together_call_their_handler_one_by_one()
    {
        var actor = Actor((a, _) => a.PersistAll(["1", "2", "3"], e => a.Trace("stored " + e)));
        Send(actor, "go");
        Probe.Expect("stored 1", "stored 2", "stored 3");
    }

    [Fact]
    public void Storing_nothing_together_does_not_make_commands_wait()
    {
        var actor = Actor(
            (a, m) =>
            {
                a.PersistAll(Array.Empty<string>(), _ => a.Trace("never"));
                a.Trace("command " + m);
            }
        );
        Send(actor, "x", "y");
        Probe.Expect("command x", "command y");
    }

    [Fact]
    public void A_deferred_action_runs_after_the_events_before_it()
    {
        var actor = Actor(
            (a, m) =>
            {
                a.PutAsync("1");
                a.DeferAsync("d", x => a.Trace("deferred " + x));
                a.PutAsync("2");
            }
        );
        Send(actor, "go");
        Probe.Expect("stored 1", "deferred d", "stored 2");
    }

    [Fact]
    public void A_deferred_action_without_events_before_it_runs_at_once()
    {
        var actor = Actor(
            (a, _) =>
            {
                a.DeferAsync("d", x => a.Trace("deferred " + x));
                a.Trace("command ends");
            }
        );
        Send(actor, "go");
        Probe.Expect("deferred d", "command ends");
    }

    [Fact]
    public void A_deferred_action_takes_no_number_and_can_make_commands_wait()
    {
        var actor = Actor(
            (a, m) =>
            {
                if (m is "ask")
                {
                    a.Trace("at " + a.LastSequenceNr);
                    return;
                }

                a.Put("1");
                a.Defer("d", x => a.Trace("deferred " + x));
            }
        );
        Send(actor, "go", "ask");
        Probe.Expect("stored 1", "deferred d", "at 1");
    }

    [Fact]
    public void A_handler_may_store_more_and_commands_go_on_waiting()
    {
        var actor = Actor(
            (a, m) =>
            {
                a.Trace("command " + m);
                a.Persist(m + "-outer", _ => a.Put(m + "-inner"));
            }
        );
        Send(actor, "x", "y");
        Probe.Expect("command x", "stored x-inner", "command y", "stored y-inner");
    }

    [Fact]
    public void The_sender_of_a_command_is_the_sender_in_its_handlers()
    {
        var actor = Actor(
            (a, m) =>
            {
                a.Persist((string)m, e => a.Asker.Tell("answer " + e));
                a.PersistAsync((string)m, e => a.Asker.Tell("later " + e));
            }
        );
        var other = new Probe(System);
        actor.Tell("x", other.Ref);
        actor.Tell("y", Probe.Ref);
        other.Expect("answer x", "later x");
        Probe.Expect("answer y", "later y");
    }

    [Fact]
    public void Unstashed_commands_come_before_those_that_wait()
    {
        var isOpen = false;
        var actor = Actor(
            (a, m) =>
            {
                switch (m)
                {
                    case "open":
                        a.Persist(
                            "opened",
                            _ =>
                            {
                                isOpen = true;
                                a.Stash.UnstashAll();
                            }
                        );
                        break;
                    case var _ when !isOpen:
                        a.Stash.Stash();
                        break;
                    default:
                        a.Trace("command " + m);
                        break;
                }
            }
        );
        Send(actor, "x", "y", "open", "z");
        Probe.Expect("command x", "command y", "command z");
    }

    [Fact]
    public void Become_changes_how_commands_are_handled_and_handlers_still_run()
    {
        var actor = Actor(
            (a, m) =>
            {
                a.Switch(c => a.Trace("new " + c));
                a.Put("1");
            }
        );
        Send(actor, "x", "y");
        Probe.Expect("stored 1", "new y");
    }

    [Fact]
    public void An_exception_in_a_command_does_not_lose_what_was_handed_over_before()
    {
        var recovered = new List<object>();
        var actor = Actor(
            (a, m) =>
            {
                if (m is "fail")
                {
                    a.Put("before");
                    throw new InvalidOperationException("planned");
                }

                a.Trace(string.Join(",", recovered));
            },
            (_, m) => recovered.Add(m is RecoveryCompleted ? "done" : m)
        );
        Send(actor, "fail", "ask");
        Probe.Expect("done,before,done");
    }

    [Fact]
    public void An_asynchronous_command_stores_when_it_has_ended_and_commands_wait_for_it()
    {
        var gate = new TaskCompletionSource();
        var actor = Actor((a, m) => a.Trace("command " + m));
        actor.Tell(
            new Func<Scripted, Task>(async a =>
            {
                a.Put("early");
                await gate.Task;
                a.Put("late");
                a.Trace("task ends");
            })
        );
        Send(actor, "x");
        gate.SetResult();
        Probe.Expect("task ends", "stored early", "stored late", "command x");
    }

    [Fact]
    public void Storing_during_replay_is_refused()
    {
        var first = Actor((a, m) => a.Put((string)m));
        Send(first, "1");
        Probe.Expect("stored 1");
        Actor(
            (_, _) => { },
            (a, m) =>
            {
                if (m is string)
                {
                    a.Trace(Assert.Throws<InvalidOperationException>(() => a.Put("x")).Message[..28]);
                }
            }
        );
        Probe.Expect("Cannot persist during replay");
    }

    [Fact]
    public void Storing_when_recovery_completes_is_allowed_and_commands_wait_for_it()
    {
        var actor = Actor(
            (a, m) => a.Trace("command " + m),
            (a, m) =>
            {
                if (m is RecoveryCompleted)
                {
                    a.Put("first");
                }
            }
        );
        Send(actor, "x");
        Probe.Expect("stored first", "command x");
    }

    [Fact]
    public void Recovery_ends_with_one_RecoveryCompleted()
    {
        var first = Actor((a, m) => a.Put((string)m));
        Send(first, "1", "2");
        Probe.Expect("stored 1", "stored 2");
        Actor((_, _) => { }, (a, m) => a.Trace(m is RecoveryCompleted ? "completed" : (string)m));
        Probe.Expect("1", "2", "completed");
    }

    [Fact]
    public void An_exception_during_replay_stops_the_actor()
    {
        var first = Actor((a, m) => a.Put((string)m));
        Send(first, "1");
        Probe.Expect("stored 1");
        var second = Actor((_, _) => { }, (_, m) => throw new InvalidOperationException("planned " + m));
        Assert.True(second.WatchAsync().Wait(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public void A_handler_that_stops_the_actor_is_the_last_to_run()
    {
        var actor = Actor(
            (a, _) =>
                a.PersistAll(
                    ["1", "2", "3"],
                    e =>
                    {
                        a.Trace("stored " + e);
                        a.StopNow();
                    }
                )
        );
        var ended = actor.WatchAsync();
        Send(actor, "go");
        Probe.Expect("stored 1");
        Assert.True(ended.Wait(TimeSpan.FromSeconds(10)));
        Assert.True(Probe.IsEmpty);
    }

    private sealed class Resuming : ReceiveActor
    {
        public Resuming(Func<Props> child)
        {
            var actor = Context.ActorOf(child());
            ReceiveAny(m => actor.Forward(m));
        }

        protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Resume);
    }

    [Fact]
    public void When_the_supervisor_resumes_the_handlers_behind_the_failed_one_still_run()
    {
        var log = Probe.Ref;
        Action<Scripted, object> script = (a, _) =>
            a.PersistAll(
                ["1", "2", "3"],
                e =>
                {
                    a.Trace("stored " + e);
                    if (e is "2")
                    {
                        throw new InvalidOperationException("planned");
                    }
                }
            );
        Func<Props> child = () => Props.Create(() => new Scripted(log, script, null));
        var actor = System.ActorOf(Props.Create(() => new Resuming(child)));
        Send(actor, "go");
        Probe.Expect("stored 1", "stored 2", "stored 3");
    }

    [Fact]
    public void A_command_that_waited_runs_before_later_asynchronous_handlers()
    {
        var actor = Actor(
            (a, m) =>
            {
                if (m is "next")
                {
                    a.Trace("command next");
                    return;
                }

                a.Put("1");
                a.PutAsync("2");
            }
        );
        // Both are in the mailbox before recovery ends, so the second waits while the first is stored.
        Send(actor, "go", "next");
        Probe.Expect("stored 1", "command next", "stored 2");
    }

    private sealed class WithoutId : ReceivePersistentActor
    {
        public override string PersistenceId => null!;
    }

    [Fact]
    public void An_actor_without_persistence_id_does_not_start()
    {
        var actor = System.ActorOf(Props.Create<WithoutId>());
        Assert.True(actor.WatchAsync().Wait(TimeSpan.FromSeconds(10)));
    }
}
