using Akka.Actor;
using Iommufd.Core.Context;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Host;

namespace Iommufd.Actors;

// What is called on VFIO devices' descriptors: the machine answers, or passes on to the iommufd that it is about.
public sealed partial class MachineActor
{
    private void Call(IoctlRequest call) =>
        Follow(
            _machine.FindProcess((uint)call.ProcessId) is { } caller
                ? VfioCalls.Route(_machine, caller, call.Command)
                : new VfioRoute(IoctlResult.Fail(Errno.EBADF), 0, null),
            call.Tag,
            call.ProcessId,
            Sender
        );

    private void CloseVfio(int process)
    {
        foreach (var route in VfioCalls.CloseAll(_machine.Process((uint)process)))
        {
            Follow(route, 0, process, Nobody.Instance);
        }
    }

    private void Follow(VfioRoute route, long tag, int process, IActorRef answerTo)
    {
        if (route.Result is { } result)
        {
            answerTo.Tell(new IoctlAnswer(tag, result));
        }
        else if (_contexts.TryGetValue(route.Context, out var context))
        {
            context.Tell(new IoctlRequest(tag, process, route.Command!), answerTo);
        }
        else
        {
            // The iommufd that the descriptor named is closed already.
            answerTo.Tell(new IoctlAnswer(tag, IoctlResult.Fail(Errno.EBADF)));
        }
    }
}
