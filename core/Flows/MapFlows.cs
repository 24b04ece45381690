using Iommufd.Core.Context;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>What MAP and COPY share: place the pieces, fill every domain, publish; or leave no trace.</summary>
public abstract class MappingFlow(ContextCore context, Caller caller) : DomainFlow(context, caller)
{
    /// <summary>The page set that was made of user memory.</summary>
    protected uint MappedPageSet { get; set; }

    /// <summary>The IOVA that was chosen or confirmed.</summary>
    protected ulong PlacedAt { get; private set; }

    /// <summary>Area permissions of uAPI flags.</summary>
    protected internal static uint PermissionsOf(IoasMapFlags flags) =>
        (flags.HasFlag(IoasMapFlags.Writeable) ? 1u : 0) | (flags.HasFlag(IoasMapFlags.Readable) ? 2u : 0);

    /// <summary>Places and fills the pieces; page sets count their areas already.</summary>
    protected IEnumerable<FlowWait> MapPieces(
        IoasObject ioas,
        IReadOnlyList<AreaPiece> pieces,
        bool fixedIova,
        ulong iova,
        ulong hint,
        uint permissions,
        Outcome outcome
    )
    {
        yield return FlowWait.ForLock(ioas.DomainsLock, exclusive: false);
        var publishNow = ioas.Domains.Count == 0;
        var place = FlowWait.For(
            ParticipantKind.Ioas,
            ioas.Id,
            new PlaceAreas(pieces, fixedIova, iova, hint, permissions, publishNow)
        );
        yield return place;
        if (place.Response is not AreasPlaced { Errno: Errno.OK } placed)
        {
            outcome.Errno = place.Response.Errno;
            Release(ioas.DomainsLock);
            yield break;
        }

        PlacedAt = placed.Iova;
        if (!publishNow)
        {
            foreach (var wait in FillAndPublish(ioas, pieces, placed, permissions, outcome))
            {
                yield return wait;
            }
        }

        Release(ioas.DomainsLock);
    }

    /// <summary>Makes a page set of the caller's memory and maps it; on failure nothing of it is left.</summary>
    protected IEnumerable<FlowWait> MapUserMemory(
        IoasObject ioas,
        ulong userVa,
        ulong length,
        bool fixedIova,
        ulong iova,
        uint permissions,
        Outcome outcome
    )
    {
        var writable = (permissions & 1) != 0;
        var set = Context.PageSets.Add(Caller.ProcessId, writable, userVa & ~HostPage.OffsetMask);
        set.Areas = 1;
        MappedPageSet = set.Number;
        TellMemory(
            set.Number,
            new CreatePageSet(Context.Number, set.Number, userVa, length, writable, Context.ChargeProcess)
        );
        var piece = new AreaPiece(Context.TakeAreaKey(), set.Number, userVa & HostPage.OffsetMask, length, writable);
        foreach (var wait in MapPieces(ioas, [piece], fixedIova, iova, userVa, permissions, outcome))
        {
            yield return wait;
        }

        if (!outcome.IsOk)
        {
            DropAreas(set.Number);
        }
    }

    private IEnumerable<FlowWait> FillAndPublish(
        IoasObject ioas,
        IReadOnlyList<AreaPiece> pieces,
        AreasPlaced placed,
        uint permissions,
        Outcome outcome
    )
    {
        var storage = ioas.Domains[0];
        var filled = new List<AreaView>(pieces.Count);
        var at = placed.Iova;
        foreach (var piece in pieces)
        {
            var area = new AreaView(
                piece.Key,
                new IovaRange(at, at + (piece.Length - 1)),
                piece.PageSet,
                piece.StartByte,
                permissions,
                storage
            );
            foreach (var wait in FillNewArea(ioas, area, placed.PageByPage, outcome))
            {
                yield return wait;
            }

            if (!outcome.IsOk)
            {
                break;
            }

            filled.Add(area);
            at = unchecked(at + piece.Length);
        }

        ulong[] keys = [.. pieces.Select(p => p.Key)];
        if (outcome.IsOk)
        {
            yield return FlowWait.For(ParticipantKind.Ioas, ioas.Id, new PublishAreas(keys, storage));
            yield break;
        }

        foreach (var area in filled)
        {
            foreach (var wait in EmptyArea(ioas, area))
            {
                yield return wait;
            }
        }

        Pinned.Clear();
        yield return FlowWait.For(ParticipantKind.Ioas, ioas.Id, new RemoveAreas(keys));
    }
}

/// <summary>IOAS_MAP (facts sheet B.5, C.3).</summary>
public sealed class MapFlow(ContextCore context, Caller caller, IoasMap command) : MappingFlow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if ((command.Flags & ~IoasMapFlags.Known) != 0 || command.Reserved != 0)
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

        if (UserRange.Check(command.UserVa, command.Length) is var bad && bad != Errno.OK)
        {
            Fail(bad);
            yield break;
        }

        var outcome = new Outcome();
        foreach (
            var wait in MapUserMemory(
                ioas,
                command.UserVa,
                command.Length,
                command.Flags.HasFlag(IoasMapFlags.FixedIova),
                command.Iova,
                PermissionsOf(command.Flags),
                outcome
            )
        )
        {
            yield return wait;
        }

        if (!outcome.IsOk)
        {
            Fail(outcome.Errno);
            yield break;
        }

        Events.Add(
            new AreaMapped(
                Caller.ProcessId,
                command.IoasId,
                PlacedAt,
                command.Length,
                command.UserVa,
                (uint)command.Flags,
                MappedPageSet,
                PinnedForEvent()
            )
        );
        Succeed(command with { Iova = PlacedAt });
    }
}

/// <summary>IOAS_COPY (facts sheet B.7, C.12).</summary>
public sealed class CopyFlow(ContextCore context, Caller caller, IoasCopy command) : MappingFlow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        var request = command;
        if (request.Flags.HasFlag(IoasMapFlags.SourceByArea))
        {
            request = request with { Flags = request.Flags & ~IoasMapFlags.SourceByArea };
            if (Get<IoasObject>(request.SrcIoasId) is { } addressed)
            {
                var byIndex = FlowWait.For(ParticipantKind.Ioas, addressed.Id, new AreaByIndex((uint)request.SrcIova));
                yield return byIndex;
                var found = byIndex.As<AreaList>().Areas;
                request = request with
                {
                    SrcIova = found.Count == 0 ? 0 : unchecked(found[0].Range.First + (request.SrcIova >> 32)),
                };
                Put(addressed);
            }
        }

        if (Validate(request) is var bad && bad != Errno.OK)
        {
            Fail(bad);
            yield break;
        }

        if (Get<IoasObject>(request.SrcIoasId) is not { } source)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        if (request.Length == 0)
        {
            Fail(Errno.EINVAL);
            yield break;
        }

        if (!IovaRange.TryFromLength(request.SrcIova, request.Length, out var range))
        {
            Fail(Errno.EOVERFLOW);
            yield break;
        }

        yield return FlowWait.ForLock(source.IovaLock, exclusive: false);
        var look = FlowWait.For(ParticipantKind.Ioas, source.Id, new FindContiguous(range));
        yield return look;
        Release(source.IovaLock);
        if (look.Response.Errno != Errno.OK)
        {
            Fail(look.Response.Errno);
            yield break;
        }

        var pieces = Share(look.As<AreaList>().Areas, out var hint);
        var outcome = new Outcome();
        if (Get<IoasObject>(request.DstIoasId) is { } destination)
        {
            foreach (
                var wait in MapPieces(
                    destination,
                    pieces,
                    request.Flags.HasFlag(IoasMapFlags.FixedIova),
                    request.DstIova,
                    hint,
                    PermissionsOf(request.Flags),
                    outcome
                )
            )
            {
                yield return wait;
            }
        }
        else
        {
            outcome.Errno = Errno.ENOENT;
        }

        if (!outcome.IsOk)
        {
            foreach (var piece in pieces)
            {
                DropAreas(piece.PageSet);
            }

            Fail(outcome.Errno);
            yield break;
        }

        Events.Add(
            new AreasCopied(
                request.DstIoasId,
                request.SrcIoasId,
                PlacedAt,
                request.SrcIova,
                request.Length,
                (uint)request.Flags,
                PinnedForEvent()
            )
        );
        Succeed(request with { DstIova = PlacedAt });
    }

    private static Errno Validate(IoasCopy request)
    {
        if ((request.Flags & ~IoasMapFlags.Known) != 0)
        {
            return Errno.EOPNOTSUPP;
        }

        if (request.Length == ulong.MaxValue || request.SrcIova == ulong.MaxValue || request.DstIova == ulong.MaxValue)
        {
            return Errno.EOVERFLOW;
        }

        return (request.Flags & (IoasMapFlags.Readable | IoasMapFlags.Writeable)) == 0 ? Errno.EINVAL : Errno.OK;
    }

    private List<AreaPiece> Share(IReadOnlyList<AreaView> areas, out ulong hint)
    {
        var pieces = new List<AreaPiece>(areas.Count);
        foreach (var area in areas)
        {
            var set = Context.PageSets.Get(area.PageSet);
            set.Areas++;
            pieces.Add(
                new AreaPiece(
                    Context.TakeAreaKey(),
                    area.PageSet,
                    area.StartByte,
                    area.Range.Length,
                    set.Writable,
                    set.IsDmabuf
                )
            );
        }

        hint = unchecked(Context.PageSets.Get(areas[0].PageSet).BaseAddress + areas[0].StartByte);
        return pieces;
    }
}

/// <summary>Checks a range of user addresses the way MAP does (facts sheet B.5 step 5).</summary>
public static class UserRange
{
    /// <summary>EOVERFLOW where the range passes the end of the address space, then EINVAL for no bytes or absurdly many.</summary>
    public static Errno Check(ulong address, ulong length)
    {
        if (unchecked(address + length) < address)
        {
            return Errno.EOVERFLOW;
        }

        return length == 0 || length > ulong.MaxValue - HostPage.Size ? Errno.EINVAL : Errno.OK;
    }
}
