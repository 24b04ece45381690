using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Akka.Actor;
using Xunit;

namespace AkkaTests;

/// <summary>
/// Each test plants one way to lose determinism and shows that running twice with the same seed tells. Where the trap
/// depends on the process or on the machine's timing, the plant makes the two runs differ as two processes would.
/// </summary>
public class DeterminismTraps
{
    private const ulong Seed = 11;

    private static bool RunsDiffer(Action<SimulatedRun, int> scenario) =>
        SimulatedRun.Of(Seed, run => scenario(run, 1)) != SimulatedRun.Of(Seed, run => scenario(run, 2));

    private static List<IActorRef> Nodes(SimulatedRun run, int count = 6) =>
        Enumerable
            .Range(0, count)
            .Select(i => run.System.ActorOf(Props.Create(() => new Node(run, null)), "node-" + i))
            .ToList();

    [Fact]
    public void Without_a_trap_the_runs_are_equal() =>
        Assert.False(
            RunsDiffer(
                (run, _) =>
                {
                    foreach (var node in Nodes(run))
                        node.Tell(1, ActorRefs.NoSender);
                }
            )
        );

    /// <summary>As string.GetHashCode: equal inside a process, another value in the next.</summary>
    private sealed class SaltedComparer(int process) : IEqualityComparer<string>
    {
        public bool Equals(string? x, string? y) => string.Equals(x, y, StringComparison.Ordinal);

        public int GetHashCode(string obj) => process == 1 ? obj[^1] : -obj[^1];
    }

    [Fact]
    public void String_hash_codes() =>
        Assert.True(
            RunsDiffer(
                (run, process) =>
                {
                    var nodes = Nodes(run);
                    var hash = new SaltedComparer(process);
                    foreach (var name in new[] { "ioas-1", "ioas-2", "hwpt-3", "device-4" })
                        nodes[(int)((uint)hash.GetHashCode(name) % nodes.Count)].Tell(name, ActorRefs.NoSender);
                }
            )
        );

    [Fact]
    public void Dictionary_order() =>
        Assert.True(
            RunsDiffer(
                (run, process) =>
                {
                    var nodes = Nodes(run);
                    var unordered = nodes.Select(n => n.Path.Name).ToImmutableHashSet(new SaltedComparer(process));
                    foreach (var name in unordered)
                        nodes[0].Tell(name, ActorRefs.NoSender);
                }
            )
        );

    [Fact]
    public void Thread_pool_continuation() =>
        Assert.True(
            RunsDiffer(
                (run, process) =>
                {
                    var node = Nodes(run)[0];
                    using var release = new ManualResetEventSlim();
                    var piped = Task.Run(() =>
                        {
                            release.Wait();
                            return 1;
                        })
                        .PipeTo(node);
                    AtAnotherTime(run, process, release.Set, piped);
                }
            )
        );

    [Fact]
    public void Configure_await_false() =>
        Assert.True(
            RunsDiffer(
                (run, process) =>
                {
                    var node = Nodes(run)[0];
                    var outside = new TaskCompletionSource();
                    var told = new TaskCompletionSource();
                    var actor = run.System.ActorOf(Props.Create(() => new Straying(outside.Task, node, told)));
                    actor.Tell("go", ActorRefs.NoSender);
                    run.Simulation.RunReady(1000);
                    AtAnotherTime(run, process, () => Task.Run(outside.SetResult), told.Task);
                }
            )
        );

    private sealed class Straying : ReceiveActor
    {
        public Straying(Task outside, IActorRef node, TaskCompletionSource told)
        {
            ReceiveAsync<string>(async _ =>
            {
                await outside.ConfigureAwait(false);
                node.Tell(1, ActorRefs.NoSender);
                told.SetResult();
            });
        }
    }

    [Fact]
    public void Real_timers() =>
        Assert.True(
            RunsDiffer(
                (run, process) =>
                {
                    var node = Nodes(run)[0];
                    var fired = new TaskCompletionSource();
                    using var timer = new Timer(_ =>
                    {
                        node.Tell(1, ActorRefs.NoSender);
                        fired.SetResult();
                    });
                    AtAnotherTime(run, process, () => timer.Change(1, Timeout.Infinite), fired.Task);
                }
            )
        );

    /// <summary>Lets something outside happen before the other nodes' work in one run and after it in the other.</summary>
    private static void AtAnotherTime(SimulatedRun run, int process, Action happen, Task happened)
    {
        var others = Enumerable
            .Range(0, 4)
            .Select(i => run.System.ActorOf(Props.Create(() => new Node(run, null)), "other-" + i))
            .ToList();
        if (process == 1)
            Happen();
        others.ForEach(o => o.Tell(2, ActorRefs.NoSender));
        run.Simulation.RunReady(1000);
        if (process == 2)
            Happen();

        void Happen()
        {
            happen();
            Assert.True(happened.Wait(TimeSpan.FromSeconds(10)));
        }
    }

    private static int _count;

    [Fact]
    public void Static_state() =>
        Assert.True(
            RunsDiffer(
                (run, _) =>
                {
                    foreach (var node in Nodes(run))
                        node.Tell("number " + Interlocked.Increment(ref _count), ActorRefs.NoSender);
                }
            )
        );

    [Fact]
    public void Unseeded_randomness() =>
        Assert.True(
            RunsDiffer(
                (run, _) =>
                {
                    var nodes = Nodes(run);
                    for (var i = 0; i < 40; i++)
                        nodes[Random.Shared.Next(nodes.Count)].Tell(i, ActorRefs.NoSender);
                }
            )
        );

    [Fact]
    public void New_guids() =>
        Assert.True(
            RunsDiffer(
                (run, _) =>
                {
                    foreach (var node in Nodes(run))
                        node.Tell(Guid.NewGuid(), ActorRefs.NoSender);
                }
            )
        );

    [Fact]
    public void Object_identity_hash_codes() =>
        Assert.True(
            RunsDiffer(
                (run, _) =>
                {
                    var nodes = Nodes(run);
                    for (var i = 0; i < 40; i++)
                        nodes[RuntimeHelpers.GetHashCode(new object()) % nodes.Count].Tell(i, ActorRefs.NoSender);
                }
            )
        );
}
