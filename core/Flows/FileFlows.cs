using Iommufd.Core.Context;
using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>IOAS_MAP_FILE (additions A.1).</summary>
/// <param name="context">The context.</param>
/// <param name="caller">Who calls, and is charged.</param>
/// <param name="command">What is asked.</param>
/// <param name="known">The file, where a replay knows it and there is no descriptor.</param>
public sealed class MapFileFlow(ContextCore context, Caller caller, IoasMapFile command, IMappableFile? known = null)
    : MappingFlow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if ((command.Flags & ~IoasMapFlags.Known) != 0)
        {
            Fail(Errno.EOPNOTSUPP);
            yield break;
        }

        if (command.Iova == ulong.MaxValue || command.Length == ulong.MaxValue)
        {
            Fail(Errno.EOVERFLOW);
            yield break;
        }

        if ((command.Flags & (IoasMapFlags.Readable | IoasMapFlags.Writeable)) == 0)
        {
            Fail(Errno.EINVAL);
            yield break;
        }

        if (Get<IoasObject>(command.IoasId) is not { } ioas)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        if (command.Length == 0)
        {
            Fail(Errno.EINVAL);
            yield break;
        }

        if (unchecked(command.Start + (command.Length - 1)) < command.Start)
        {
            Fail(Errno.EOVERFLOW);
            yield break;
        }

        var descriptor = known is null ? Caller.Descriptors.Hold(command.Fd) : null;
        if ((known ?? FileOf(descriptor)) is not { } file)
        {
            Fail(Errno.EBADF);
            yield break;
        }

        var outcome = new Outcome();
        foreach (var wait in MapFile(ioas, file, outcome))
        {
            yield return wait;
        }

        if (outcome.IsOk)
        {
            Events.Add(MappedEvent(file));
            Succeed(command with { Iova = PlacedAt });
        }
        else
        {
            Fail(outcome.Errno);
        }

        descriptor?.Release();
    }

    // Any open descriptor is a file here; what is not memory is refused when its pages are wanted.
    private IMappableFile? FileOf(Descriptor? descriptor) =>
        descriptor switch
        {
            null => null,
            DmabufDescriptor dmabuf => dmabuf.Buffer,
            FileDescriptor file => file.File,
            _ => new MemoryFile(Caller.Memory.Physical, MemoryFileKind.NotMemory, 0),
        };

    private IEnumerable<FlowWait> MapFile(IoasObject ioas, IMappableFile file, Outcome outcome)
    {
        var permissions = PermissionsOf(command.Flags);
        var writable = (permissions & 1) != 0;
        (file as Dmabuf)?.AddImporter(Context.Number);
        var set = Context.PageSets.Add(Caller.ProcessId, writable, command.Start & ~HostPage.OffsetMask, file);
        set.Areas = 1;
        set.HoldsContextOpen = Caller.Descriptors.Find(command.Fd)?.IommufdContext == Context.Number;
        MappedPageSet = set.Number;
        var create = AskMemory(
            set.Number,
            new CreateFilePageSet(
                Context.Number,
                set.Number,
                file,
                command.Start,
                command.Length,
                writable,
                Context.ChargeProcess
            )
        );
        yield return create;
        outcome.Errno = create.Response.Errno;
        if (outcome.IsOk)
        {
            var piece = new AreaPiece(
                Context.TakeAreaKey(),
                set.Number,
                command.Start & HostPage.OffsetMask,
                command.Length,
                writable,
                set.IsDmabuf
            );
            var fixedIova = command.Flags.HasFlag(IoasMapFlags.FixedIova);
            foreach (var wait in MapPieces(ioas, [piece], fixedIova, command.Iova, command.Start, permissions, outcome))
            {
                yield return wait;
            }
        }

        if (!outcome.IsOk)
        {
            DropAreas(set.Number);
        }
    }

    private FileMapped MappedEvent(IMappableFile file)
    {
        var (kind, size, firstPfn) = file switch
        {
            Dmabuf buffer => (MappedFileKind.Dmabuf, buffer.Size, buffer.Run.First.Value),
            MemoryFile memory => ((uint)memory.Kind, memory.Size, 0ul),
            _ => throw new InvariantBrokenException("a mapped file is memory or a dma-buf"),
        };
        return new FileMapped(
            Caller.ProcessId,
            command.IoasId,
            PlacedAt,
            command.Start,
            command.Length,
            (uint)command.Flags,
            file.Number,
            kind,
            size,
            firstPfn,
            MappedPageSet,
            PinnedForEvent()
        );
    }
}

/// <summary>The selftest's DMABUF_GET: the descriptor is the return value.</summary>
public sealed class DmabufGetFlow(ContextCore context, Caller caller, TestDmabufGet command) : Flow(context, caller)
{
    private const ulong MostPages = 512;

    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (command.Length is 0 or > (uint)(MostPages * HostPage.Size))
        {
            Fail(Errno.EINVAL);
            yield break;
        }

        var buffer = Context.Registry.CreateDmabuf(command.Length);
        var fd = Caller.Open(new DmabufDescriptor(buffer));
        if (fd == DescriptorTable.None)
        {
            buffer.Release();
            Fail(Errno.EMFILE);
            yield break;
        }

        Result = new IoctlResult(Errno.OK, fd, null);
    }
}

/// <summary>
/// The selftest's DMABUF_REVOKE: the exporter takes its memory back, or allows new imports. Either way every translation to it
/// goes from every domain of every context before the command answers, and never comes back.
/// </summary>
/// <param name="context">The context.</param>
/// <param name="caller">Who calls.</param>
/// <param name="command">What is asked.</param>
/// <param name="known">The buffer, where a replay knows it and there is no descriptor.</param>
public sealed class DmabufRevokeFlow(ContextCore context, Caller caller, TestDmabufRevoke command, Dmabuf? known = null)
    : Flow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (known is not null)
        {
            foreach (var wait in Revoke(known))
            {
                yield return wait;
            }

            yield break;
        }

        if (Caller.Descriptors.Hold(command.DmabufFd) is not { } descriptor)
        {
            Fail(Errno.EBADF);
            yield break;
        }

        if (descriptor is not DmabufDescriptor { Buffer: var buffer })
        {
            descriptor.Release();
            Fail(Errno.EINVAL);
            yield break;
        }

        foreach (var wait in Revoke(buffer))
        {
            yield return wait;
        }

        descriptor.Release();
    }

    // Marked first: nothing is filled from the imports any more, so that whoever clears does it once. No lock is held while other
    // contexts clear: each may be revoking itself.
    private IEnumerable<FlowWait> Revoke(Dmabuf buffer)
    {
        var revoked = command.Revoked != 0;
        var imports = buffer.BeginRevocation(revoked);
        var others = known is null ? buffer.ImportersBut(Context.Number) : [];
        if (others.Count > 0)
        {
            yield return FlowWait.ForAll(
                [
                    .. others.Select(o => new FlowAsk(
                        new Participant(ParticipantKind.Context, (uint)o),
                        new ClearImports(buffer, revoked, Caller.ProcessId)
                    )),
                ]
            );
        }

        foreach (var wait in ClearImportsFlow.Clear(Context, buffer))
        {
            yield return wait;
        }

        buffer.EndRevocation(imports);
        Events.Add(new DmabufRevoked(buffer.Number, revoked));
    }
}

/// <summary>A context's part in a revocation that another context carries out.</summary>
/// <param name="context">The context that has imported the buffer.</param>
/// <param name="caller">Who revokes.</param>
/// <param name="buffer">The buffer, marked already.</param>
/// <param name="revoked">Whether imports are refused from now on.</param>
public sealed class ClearImportsFlow(ContextCore context, Caller caller, Dmabuf buffer, bool revoked)
    : Flow(context, caller)
{
    /// <summary>Where its end is reported; only the actor uses it.</summary>
    public FlowStep? Question { get; init; }

    /// <summary>Unmaps everything of a buffer from a context's domains; takes the locks of its page sets.</summary>
    internal static IEnumerable<FlowWait> Clear(ContextCore context, Dmabuf buffer)
    {
        foreach (var set in context.PageSets.Of(buffer).ToArray())
        {
            yield return FlowWait.ForLock(set.Lock, exclusive: true);

            // HWPTs under construction too: they may be filled already.
            var hwpts = context.Objects.Taken.OfType<HwptObject>().ToArray();
            if (hwpts.Length > 0 && context.PageSets.Contains(set))
            {
                yield return FlowWait.ForAll(
                    [
                        .. hwpts.Select(h => new FlowAsk(
                            new Participant(ParticipantKind.Hwpt, h.Id),
                            new RevokePageSet(set.Number)
                        )),
                    ]
                );
            }
        }
    }

    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        foreach (var wait in Clear(Context, buffer))
        {
            yield return wait;
        }

        Events.Add(new DmabufRevoked(buffer.Number, revoked));
    }
}
