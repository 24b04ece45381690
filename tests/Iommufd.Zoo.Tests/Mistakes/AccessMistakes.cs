using Iommufd.Core.Context;
using Iommufd.Core.Flows;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Flows;

namespace Iommufd.Zoo.Tests.Mistakes;

/// <summary>What can go wrong with the in-kernel users of an IOAS.</summary>
internal static class AccessMistakes
{
    public static IEnumerable<Mistake> All =>
        [
            new(
                "notification-lost",
                "an access is not told that its pages go",
                "limits",
                Meddling.At(
                    ParticipantKind.Access,
                    (request, go) => request is NotifyUnmap ? new PinsReleased(Errno.OK, []) : go(request)
                )
            )
            {
                Kernel = "until 6.8 (slot in the access list overwritten)",
            },
            new(
                "one-pin-released",
                "an access that is notified lets go of one pin alone",
                "limits",
                Meddling.At(ParticipantKind.Access, OneReleased)
            ),
            new(
                "pin-released-twice",
                "an unpin does not forget the pin",
                "limits",
                Meddling.At(ParticipantKind.Access, _ => NeverForgets())
            ),
            new(
                "unmap-never-woken",
                "an UNMAP that waits for an access is not woken when it has let go",
                "limits",
                o =>
                    o with
                    {
                        MakeFlow = (context, caller, command) =>
                            command is IoasUnmap unmap ? new SleepingUnmap(context, caller, unmap) : null,
                    }
            ),
        ];

    private static FlowResponse OneReleased(FlowRequest request, Func<FlowRequest, FlowResponse> go)
    {
        FlowResponse response = go(request);
        return request is NotifyUnmap && response is PinsReleased { Pins.Count: > 1 } released
            ? released with
            {
                Pins = [released.Pins[0]],
            }
            : response;
    }

    private static Rule NeverForgets()
    {
        var pins = new Dictionary<uint, RememberPin>();
        return (request, go) =>
        {
            if (request is RememberPin remember)
            {
                pins[remember.PinId] = remember;
            }

            FlowResponse response = go(request);
            if (request is ForgetPin forget && response.Errno == Errno.OK)
            {
                go(pins[forget.PinId]);
            }

            return response;
        };
    }

    // Waits for a lock that it holds itself once it has found an access in its way.
    private sealed class SleepingUnmap(ContextCore context, Caller caller, IoasUnmap command)
        : UnmappingFlow(context, caller)
    {
        protected override IEnumerator<FlowWait> Run()
        {
            bool all = command is { Iova: 0, Length: ulong.MaxValue };
            IovaRange range = IovaRange.All;
            if (
                Get<IoasObject>(command.IoasId) is not { } ioas
                || (!all && !IovaRange.TryFromLength(command.Iova, command.Length, out range))
            )
            {
                Fail(Errno.ENOENT);
                yield break;
            }

            foreach (uint id in ioas.Accesses.ToArray())
            {
                FlowWait notify = FlowWait.For(ParticipantKind.Access, id, new NotifyUnmap(range));
                yield return notify;
                IReadOnlyList<AreaView> pins = notify.As<PinsReleased>().Pins;
                foreach (FlowWait wait in ReleasePins(ioas, pins))
                {
                    yield return wait;
                }

                var event_ = new FlowLock();
                for (int i = 0; i < Math.Min(2, pins.Count * 2); i++)
                {
                    yield return FlowWait.ForLock(event_, exclusive: true);
                }
            }

            var outcome = new Outcome();
            foreach (FlowWait wait in UnmapRange(ioas, range, outcome))
            {
                yield return wait;
            }

            if (Unmapped.Count > 0)
            {
                Events.Add(new Messages.Events.AreasUnmapped(ioas.Id, [.. Unmapped]));
            }

            if (outcome.IsOk && (Unmapped.Count > 0 || all))
            {
                Succeed(command with { Length = UnmappedBytes });
            }
            else
            {
                Fail(outcome.IsOk ? Errno.ENOENT : outcome.Errno);
            }
        }
    }
}
