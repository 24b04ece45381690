using Akka.Actor;
using Iommufd.Actors.Protocol;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Host;

namespace Iommufd.Bench.Flow;

/// <summary>What a client of the flow benchmarks does.</summary>
/// <param name="Machine">The simulated machine.</param>
/// <param name="Device">Device to attach, so that every MAP fills a page table; null for an IOAS without domains.</param>
/// <param name="Spare">Calls kept in flight.</param>
internal sealed record FlowClientPlan(IActorRef Machine, string? Device, int Spare);

/// <summary>Do so many pairs of MAP and UNMAP.</summary>
internal sealed record DoPairs(int Count);

/// <summary>Ready, or done with the pairs.</summary>
internal sealed record FlowClientDone;

/// <summary>One context whose client maps and unmaps a page of 4 KiB, over and over, some calls in flight at once.</summary>
internal sealed class FlowClient : ReceiveActor
{
    private const ulong Base = 16ul << 20;

    private readonly FlowClientPlan _plan;
    private IActorRef _observer;
    private IActorRef _context = ActorRefs.Nobody;
    private int _process;
    private ulong _memory;
    private uint _device;
    private int _toStart;
    private int _running;
    private long _tag;

    public FlowClient(FlowClientPlan plan, IActorRef observer)
    {
        (_plan, _observer) = (plan, observer);
        Receive<ProcessStarted>(started =>
        {
            _process = started.ProcessId;
            started.Memory.Tell(
                new MapMemory(null, HostPage.Size, MemoryKind.Anonymous, MemoryProtection.Read | MemoryProtection.Write)
            );
        });
        Receive<MemoryMapped>(mapped =>
        {
            _memory = mapped.Address;
            _plan.Machine.Tell(new OpenIommufd(_process));
        });
        Receive<IommufdOpened>(opened =>
        {
            _context = opened.Context;
            Call(new IoasAlloc());
        });
        Receive<IoctlAnswer>(OnAnswer);
        Receive<DoPairs>(pairs =>
        {
            _observer = Sender;
            _toStart = pairs.Count;
            for (var slot = 0; slot < _plan.Spare && _toStart > 0; slot++)
            {
                _running++;
                _toStart--;
                Call(MapAt(slot));
            }
        });
    }

    protected override void PreStart() => _plan.Machine.Tell(new StartProcess(new ProcessSpec("bench")));

    private void OnAnswer(IoctlAnswer answer)
    {
        if (!answer.Result.IsOk)
        {
            throw new InvalidOperationException($"the benchmark's call ended with {answer.Result.Errno}");
        }

        switch (answer.Result.WriteBack)
        {
            case IoasAlloc when _plan.Device is not null:
                Call(new BindDevice(_plan.Device));
                break;
            case BindDevice bound:
                _device = bound.OutDeviceId;
                Call(new AttachDevice(_device, PtId: 1));
                break;
            case IoasAlloc or AttachDevice:
                _observer.Tell(new FlowClientDone());
                break;
            case IoasMap map:
                Call(
                    new IoasUnmap
                    {
                        IoasId = 1,
                        Iova = map.Iova,
                        Length = HostPage.Size,
                    }
                );
                break;
            case IoasUnmap unmap when _toStart > 0:
                _toStart--;
                Call(MapAt((int)((unmap.Iova - Base) / HostPage.Size)));
                break;
            default:
                if (--_running == 0)
                {
                    _observer.Tell(new FlowClientDone());
                }

                break;
        }
    }

    private IoasMap MapAt(int slot) =>
        new()
        {
            IoasId = 1,
            Flags = IoasMapFlags.FixedIova | IoasMapFlags.Readable | IoasMapFlags.Writeable,
            UserVa = _memory,
            Length = HostPage.Size,
            Iova = Base + ((ulong)slot * HostPage.Size),
        };

    private void Call(IoctlCommand command) => _context.Tell(new IoctlRequest(++_tag, _process, command));
}

/// <summary>Ends a task when all clients have reported.</summary>
internal sealed class FlowObserver : ReceiveActor
{
    public FlowObserver(int expected, TaskCompletionSource<bool> done)
    {
        Receive<FlowClientDone>(_ =>
        {
            if (--expected == 0)
            {
                done.TrySetResult(true);
            }
        });
    }
}
