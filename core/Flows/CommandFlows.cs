using Iommufd.Core.Context;
using Iommufd.Messages;
using Iommufd.Messages.Commands;

namespace Iommufd.Core.Flows;

/// <summary>Which flow carries out which command.</summary>
public static class CommandFlows
{
    private const ulong MaxTestLength = 16ul << 20;

    /// <summary>Whether a command of the uAPI is one that this kernel has.</summary>
    public static bool IsImplemented(IoctlCommand command) =>
        MemoryCommandFlows.Has(command)
        || command
            is Destroy
                or IoasAlloc
                or IoasAllowIovas
                or IoasIovaRanges
                or IoasMap
                or IoasCopy
                or IoasUnmap
                or Option
                or HwptAlloc
                or DriverCommand
                or HwptInvalidate
                or FaultQueueAlloc
                or ViommuAlloc
                or VdeviceAlloc
                or VeventqAlloc
                or HwQueueAlloc
                or TestMdCheckIotlb
                or TestTriggerIopf
                or TestDevCheckCache
                or TestTriggerVevent
                or TestPasidAttach
                or TestPasidReplace
                or TestPasidDetach
                or TestPasidCheckHwpt
                or TestAddReserved
                or TestMockDomain
                or TestMockDomainFlags
                or TestMockDomainReplace
                or TestMdCheckMap
                or TestMdCheckRefs
                or TestCreateAccess
                or TestDestroyAccessPages
                or TestAccessPages
                or TestAccessRw
                or TestAccessReplaceIoas
                or TestSetTempMemoryLimit
                or TestUnknownOp;

    /// <summary>Makes the flow of a command; a command that this kernel does not have ends with EOPNOTSUPP or ENOTTY.</summary>
    public static Flow Create(ContextCore context, Caller caller, IoctlCommand command)
    {
        var flow = Make(context, caller, command);
        flow.Command = command;
        return flow;
    }

    /// <summary>Whether the kernel allocates something before a command does anything else, so that it can end with ENOMEM at once.</summary>
    public static bool Allocates(IoctlCommand command) =>
        command
            is not (
                Destroy
                or IoasUnmap
                or IoasIovaRanges
                or Option
                or HwptSetDirtyTracking
                or GetHwInfo
                or UnbindDevice
                or DetachDevice
                or VfioDeviceDetachIommufdPt
                or VfioDeviceGetInfo
                or UnbindVfioDevice
                or DestroyAccess
                or UnpinAccessPages
                or CloseFaultQueue
                or CloseVeventq
                or PollFaultQueue
                or PollVeventq
                or ReadFaultQueue
                or WriteFaultQueue
                or ReadVeventq
                or MapWindow
                or UnmapWindow
                or VfioGetApiVersion
                or VfioCheckExtension
                or VfioIommuUnmapDma
                or VfioIommuDirtyPages
                or TestMdCheckMap
                or TestMdCheckRefs
                or TestMdCheckIotlb
                or TestDevCheckCache
                or TestPasidDetach
                or TestPasidCheckHwpt
                or TestDestroyAccessPages
                or TestSetTempMemoryLimit
                or TestUnknownOp
                or TestDirty
            );

    // What large runs are made of comes first: every pattern that is tried before costs each of them.
    private static Flow Make(ContextCore context, Caller caller, IoctlCommand command) =>
        command switch
        {
            IoasMap c => new MapFlow(context, caller, c),
            IoasUnmap c => new UnmapFlow(context, caller, c),
            BindDevice c => new BindFlow(context, caller, c),
            AttachDevice c => new DriverAttachFlow(
                context,
                caller,
                c.DeviceId,
                c.Pasid,
                c.PtId,
                replace: false,
                id => c with { PtId = id }
            ),
            DetachDevice c => new DetachFlow(context, caller, c),
            UnbindDevice c => new UnbindFlow(context, caller, c),
            _ => MakeOther(context, caller, command),
        };

    private static Flow MakeOther(ContextCore context, Caller caller, IoctlCommand command) =>
        ObjectCommandFlows.TryCreate(context, caller, command)
        ?? EntryCommandFlows.TryCreate(context, caller, command)
        ?? MemoryCommandFlows.TryCreate(context, caller, command)
        ?? VfioDeviceCommandFlows.TryCreate(context, caller, command)
        ?? command switch
        {
            Destroy c => new DestroyFlow(context, caller, c),
            IoasAlloc c => new IoasAllocFlow(context, caller, c),
            IoasAllowIovas c => new AllowIovasFlow(context, caller, c),
            IoasIovaRanges c => new IovaRangesFlow(context, caller, c),
            IoasCopy c => new CopyFlow(context, caller, c),
            Option c => new OptionFlow(context, caller, c),
            HwptAlloc c => new HwptAllocFlow(context, caller, c),
            DriverCommand c => CreateDriver(context, caller, c),
            TestCommand c => CreateTest(context, caller, c),
            _ => new RefusedFlow(context, caller, Errno.ENOTTY),
        };

    private static Flow CreateDriver(ContextCore context, Caller caller, DriverCommand command) =>
        command switch
        {
            ReplaceDevice c => new DriverAttachFlow(
                context,
                caller,
                c.DeviceId,
                c.Pasid,
                c.PtId,
                replace: true,
                id => c with { PtId = id }
            ),
            CreateAccess c => new CreateAccessFlow(
                context,
                caller,
                c.IoasId,
                c.NeedsPinPages,
                withDescriptor: false,
                (id, _) => c with { OutAccessId = id }
            ),
            ReplaceAccessIoas c => new ReplaceAccessFlow(context, caller, c.AccessId, c.IoasId),
            DestroyAccess c => new DestroyAccessFlow(context, caller, c.AccessId),
            PinAccessPages c => new PinAccessFlow(
                context,
                caller,
                c.AccessId,
                c.Iova,
                c.Length,
                c.Write,
                compareWith: 0,
                byArea: false,
                recordedPin: c.OutPinId,
                (pin, pages) => c with { OutPinId = pin, OutPages = pages }
            ),
            UnpinAccessPages c => new UnpinAccessFlow(context, caller, c.AccessId, c.PinId),
            ReadWriteAccess c => new CopyAccessFlow(
                context,
                caller,
                c.AccessId,
                c.Iova,
                c.Data,
                c.Write,
                slowPath: false,
                byArea: false,
                data => IoctlResult.Ok(c with { Data = data })
            ),
            SetAllowedRanges c => new AllowIovasFlow(
                context,
                caller,
                new IoasAllowIovas { IoasId = c.IoasId },
                [.. c.Ranges.Chunk(2).Select(r => new IovaRange(r[0], r[1]))]
            ),
            AllocatePagingHwpt c => new HwptAllocFlow(
                context,
                caller,
                new HwptAlloc
                {
                    DevId = c.DeviceId,
                    PtId = c.IoasId,
                    Flags = c.Flags,
                },
                c.TableType
            ),
            _ => new RefusedFlow(context, caller, Errno.EOPNOTSUPP),
        };

    private static Flow CreateTest(ContextCore context, Caller caller, TestCommand command) =>
        command switch
        {
            TestAddReserved c => new AddReservedFlow(context, caller, c),
            TestMockDomain c => new MockDomainFlow(
                context,
                caller,
                new TestMockDomainFlags { PtId = c.PtId },
                hasFlags: false
            ),
            TestMockDomainFlags c => new MockDomainFlow(context, caller, c, hasFlags: true),
            TestMdCheckMap c => new CheckMapFlow(context, caller, c),
            TestMdCheckRefs c => new CheckRefsFlow(context, caller, c),
            TestCreateAccess c => CreateAccess(context, caller, c),
            TestDestroyAccessPages c => WithAccess(
                context,
                caller,
                c.AccessFd,
                id => new UnpinAccessFlow(context, caller, id, c.AccessPagesId)
            ),
            TestAccessPages c => AccessPages(context, caller, c),
            TestAccessRw c => AccessRw(context, caller, c),
            TestAccessReplaceIoas c => WithAccess(
                context,
                caller,
                c.AccessFd,
                id => new ReplaceAccessFlow(context, caller, id, c.IoasId)
            ),
            TestSetTempMemoryLimit c => new RefusedFlow(context, caller, c.Limit < 12 ? Errno.EINVAL : Errno.OK),
            _ => new RefusedFlow(context, caller, Errno.EOPNOTSUPP),
        };

    private static Flow WithAccess(ContextCore context, Caller caller, int fd, Func<uint, Flow> make) =>
        caller.Descriptors.Find(fd) is AccessDescriptor access && access.Context == context.Number
            ? make(access.AccessId)
            : new RefusedFlow(context, caller, Errno.EBADFD);

    private static Flow CreateAccess(ContextCore context, Caller caller, TestCreateAccess command) =>
        (command.Flags & ~TestCreateAccess.NeedsPinPages) != 0
            ? new RefusedFlow(context, caller, Errno.EOPNOTSUPP)
            : new CreateAccessFlow(
                context,
                caller,
                command.IoasId,
                (command.Flags & TestCreateAccess.NeedsPinPages) != 0,
                withDescriptor: true,
                (_, fd) => command with { OutAccessFd = fd }
            );

    private static Flow AccessPages(ContextCore context, Caller caller, TestAccessPages command)
    {
        if (command.Length > MaxTestLength)
        {
            return new RefusedFlow(context, caller, Errno.ENOMEM);
        }

        if ((command.Flags & ~(TestAccessPagesFlags.Write | TestAccessPagesFlags.ByArea)) != 0)
        {
            return new RefusedFlow(context, caller, Errno.EOPNOTSUPP);
        }

        return WithAccess(
            context,
            caller,
            command.AccessFd,
            id => new PinAccessFlow(
                context,
                caller,
                id,
                command.Iova,
                command.Length,
                command.Flags.HasFlag(TestAccessPagesFlags.Write),
                command.Uptr,
                command.Flags.HasFlag(TestAccessPagesFlags.ByArea),
                recordedPin: 0,
                (pin, _) => command with { OutAccessPagesId = pin }
            )
        );
    }

    private static Flow AccessRw(ContextCore context, Caller caller, TestAccessRw command)
    {
        if (command.Length > MaxTestLength)
        {
            return new RefusedFlow(context, caller, Errno.ENOMEM);
        }

        const TestAccessRwFlags known = TestAccessRwFlags.Write | TestAccessRwFlags.SlowPath | TestAccessRwFlags.ByArea;
        if ((command.Flags & ~known) != 0)
        {
            return new RefusedFlow(context, caller, Errno.EOPNOTSUPP);
        }

        var write = command.Flags.HasFlag(TestAccessRwFlags.Write);
        return WithAccess(
            context,
            caller,
            command.AccessFd,
            id =>
            {
                var buffer = new byte[command.Length];
                return write && !caller.Memory.TryRead(command.Uptr, buffer)
                    ? new RefusedFlow(context, caller, Errno.EFAULT)
                    : new CopyAccessFlow(
                        context,
                        caller,
                        id,
                        command.Iova,
                        buffer,
                        write,
                        command.Flags.HasFlag(TestAccessRwFlags.SlowPath),
                        command.Flags.HasFlag(TestAccessRwFlags.ByArea),
                        data =>
                            write || caller.Memory.TryWrite(command.Uptr, data)
                                ? IoctlResult.Success
                                : IoctlResult.Fail(Errno.EFAULT)
                    );
            }
        );
    }
}

/// <summary>A command that is over before it has begun.</summary>
public sealed class RefusedFlow : Flow
{
    /// <summary>Ends with an errno; OK succeeds without doing anything.</summary>
    public RefusedFlow(ContextCore context, Caller caller, Errno errno)
        : base(context, caller)
    {
        if (errno != Errno.OK)
        {
            Fail(errno);
        }
    }

    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        yield break;
    }
}
