using System.Buffers.Binary;
using Iommufd.Core.PageTables;
using Iommufd.Messages;
using Iommufd.Messages.Commands;

namespace Iommufd.Core.Dma.Guest;

/// <summary>Which hardware walks a guest's tables: decides their bits and how the guest says where they are.</summary>
public enum GuestHardware
{
    /// <summary>Intel VT-d, first stage of four levels.</summary>
    Vtd,

    /// <summary>Intel VT-d, first stage of five levels.</summary>
    VtdFiveLevels,

    /// <summary>Arm SMMUv3: stage 1 behind a table of context descriptors.</summary>
    SmmuV3,

    /// <summary>AMD: guest tables behind a table of PASIDs.</summary>
    Amd,
}

/// <summary>Where a guest keeps its memory and its tables.</summary>
/// <param name="HostBase">Where guest-physical address <paramref name="GuestBase"/> lies in the process that runs the guest.</param>
/// <param name="GuestBase">First guest-physical address of the memory.</param>
/// <param name="Pool">Guest-physical addresses that tables are made of; whole pages.</param>
public sealed record GuestTableRoom(ulong HostBase, ulong GuestBase, IovaRange Pool);

/// <summary>
/// Guest software that keeps page tables: writes their words into guest memory, as the process that runs the guest sees it. Every word
/// is written at once, tables before what points to them, so hardware may walk at any moment. It invalidates nothing: that is the
/// guest's to ask for. Not thread-safe.
/// </summary>
public sealed class GuestTableWriter
{
    private const ulong TableBytes = HostPage.Size;

    private readonly GuestTableRoom _room;
    private readonly GuestTableFormat _format;
    private ulong _next;

    /// <summary>Describes tables; nothing is written before <see cref="TryStart"/>.</summary>
    public GuestTableWriter(GuestHardware hardware, GuestTableRoom room)
    {
        ArgumentNullException.ThrowIfNull(room);
        Hardware = hardware;
        _room = room;
        _next = room.Pool.First;
        _format = hardware switch
        {
            GuestHardware.SmmuV3 => GuestTableFormat.ArmV8,
            GuestHardware.VtdFiveLevels => GuestTableFormat.X8664FiveLevels,
            _ => GuestTableFormat.X8664,
        };
    }

    /// <summary>Which hardware walks them.</summary>
    public GuestHardware Hardware { get; }

    /// <summary>Guest-physical address of the root table.</summary>
    public ulong Root { get; private set; }

    /// <summary>Guest-physical address of the table of address spaces; 0 where the hardware has none.</summary>
    public ulong Spaces { get; private set; }

    /// <summary>Pages of the pool in use.</summary>
    public ulong TablePages => (_next - _room.Pool.First) / TableBytes;

    /// <summary>The type of the data for HWPT_ALLOC.</summary>
    public uint DataType =>
        Hardware switch
        {
            GuestHardware.SmmuV3 => HwptDataType.ArmSmmuV3,
            GuestHardware.Amd => HwptDataType.AmdGuest,
            _ => HwptDataType.VtdS1,
        };

    /// <summary>The data for HWPT_ALLOC, as 64-bit words.</summary>
    public ulong[] Data() =>
        Hardware switch
        {
            GuestHardware.Vtd => [0, Root, 48],
            GuestHardware.VtdFiveLevels => [0, Root, 57],
            // Valid, translate, 64 descriptors.
            GuestHardware.SmmuV3 => [1 | (5 << 1) | Spaces | (6UL << 59), 0],
            _ =>
            [
                (1UL << 55) | (((Spaces >> 12) & 7) << 58),
                (((Spaces >> 15) & 0xFFFF) << 16) | ((Spaces >> 31) << 43),
                0,
                0,
            ],
        };

    /// <summary>Makes the empty root table, and the table of address spaces with it as number 0. ENOMEM, EFAULT.</summary>
    public Errno TryStart(IUserMemory memory)
    {
        Errno errno = TryMakeTable(memory, out ulong root);
        Root = root;
        if (errno != Errno.OK || Hardware is GuestHardware.Vtd or GuestHardware.VtdFiveLevels)
        {
            return errno;
        }

        errno = TryMakeTable(memory, out ulong spaces);
        Spaces = spaces;
        return errno == Errno.OK ? SetSpace(memory, 0, Root) : errno;
    }

    /// <summary>Has a PASID translated by a root table. EOPNOTSUPP where the hardware has no table of address spaces.</summary>
    public Errno SetSpace(IUserMemory memory, uint pasid, ulong root)
    {
        switch (Hardware)
        {
            case GuestHardware.SmmuV3 when pasid < TableBytes / ContextDescriptors.DescriptorBytes:
                ulong descriptor = Spaces + (pasid * ContextDescriptors.DescriptorBytes);
                // The second word first: the first one makes the descriptor valid.
                return
                    Write(memory, descriptor + sizeof(ulong), root)
                    && Write(memory, descriptor, ContextDescriptors.FirstWord)
                    ? Errno.OK
                    : Errno.EFAULT;
            case GuestHardware.Amd when pasid < TableBytes / sizeof(ulong):
                return Write(memory, Spaces + (pasid * sizeof(ulong)), PasidTable.EntryFor(root))
                    ? Errno.OK
                    : Errno.EFAULT;
            case GuestHardware.SmmuV3 or GuestHardware.Amd:
                return Errno.EINVAL;
            default:
                return Errno.EOPNOTSUPP;
        }
    }

    /// <summary>
    /// Maps pages: 2 MiB ones where both addresses allow it. EINVAL misaligned or empty, EEXIST where something is mapped (what came
    /// before stays), ENOMEM no table left, EFAULT.
    /// </summary>
    public Errno Map(IUserMemory memory, ulong iova, ulong guestPhysical, ulong length, IoptePermissions permissions)
    {
        if (((iova | guestPhysical | length) & HostPage.OffsetMask) != 0 || length == 0)
        {
            return Errno.EINVAL;
        }

        const ulong large = 1UL << (GuestTableFormat.PageShift + GuestTableFormat.IndexBits);
        while (length > 0)
        {
            int level = length >= large && ((iova | guestPhysical) & (large - 1)) == 0 ? 1 : 0;
            Errno errno = Descend(memory, iova, level, make: true, out ulong at, out ulong word, out int found);
            if (errno != Errno.OK)
            {
                return errno;
            }

            if (found != level || _format.IsPresent(word))
            {
                return Errno.EEXIST;
            }

            if (!Write(memory, at, _format.LeafWord(guestPhysical, level, permissions)))
            {
                return Errno.EFAULT;
            }

            ulong step = 1UL << GuestTableFormat.ShiftOf(level);
            iova += step;
            guestPhysical += step;
            length -= step;
        }

        return Errno.OK;
    }

    /// <summary>Takes mappings away; holes are skipped, tables stay. EINVAL misaligned, or through a large page; EFAULT.</summary>
    public Errno Unmap(IUserMemory memory, ulong iova, ulong length, out ulong unmapped)
    {
        unmapped = 0;
        if (((iova | length) & HostPage.OffsetMask) != 0)
        {
            return Errno.EINVAL;
        }

        while (length > 0)
        {
            Errno errno = Descend(memory, iova, 0, make: false, out ulong at, out ulong word, out int level);
            if (errno != Errno.OK)
            {
                return errno;
            }

            ulong size = 1UL << GuestTableFormat.ShiftOf(level);
            if (!_format.IsPresent(word))
            {
                ulong hole = Math.Min(length, size - (iova & (size - 1)));
                iova += hole;
                length -= hole;
                continue;
            }

            if ((iova & (size - 1)) != 0 || length < size)
            {
                return Errno.EINVAL;
            }

            if (!Write(memory, at, 0))
            {
                return Errno.EFAULT;
            }

            unmapped += size;
            iova += size;
            length -= size;
        }

        return Errno.OK;
    }

    /// <summary>Finds the word of an address: at a level, or above it where a leaf or a hole ends the way.</summary>
    private Errno Descend(
        IUserMemory memory,
        ulong iova,
        int wanted,
        bool make,
        out ulong at,
        out ulong word,
        out int level
    )
    {
        ulong table = Root;
        at = 0;
        word = 0;
        level = _format.TopLevel;
        if (!_format.Covers(iova))
        {
            return Errno.EINVAL;
        }

        while (true)
        {
            at = table + ((ulong)GuestTableFormat.IndexOf(iova, level) * sizeof(ulong));
            if (!Read(memory, at, out word))
            {
                return Errno.EFAULT;
            }

            bool isTable = level > 0 && _format.IsPresent(word) && _format.IsTable(word, level);
            if (isTable && level > 0)
            {
                table = _format.AddressOf(word, level);
                level--;
                continue;
            }

            if (level <= wanted || _format.IsPresent(word) || !make)
            {
                return Errno.OK;
            }

            Errno errno = TryMakeTable(memory, out ulong below);
            if (errno != Errno.OK || !Write(memory, at, _format.TableWord(below)))
            {
                return errno == Errno.OK ? Errno.EFAULT : errno;
            }

            table = below;
            level--;
        }
    }

    private Errno TryMakeTable(IUserMemory memory, out ulong table)
    {
        table = _next;
        if (_next > _room.Pool.Last || _room.Pool.Last - _next < TableBytes - 1)
        {
            return Errno.ENOMEM;
        }

        _next += TableBytes;
        return memory.TryWrite(HostOf(table), new byte[TableBytes]) ? Errno.OK : Errno.EFAULT;
    }

    private ulong HostOf(ulong guestPhysical) => unchecked(guestPhysical - _room.GuestBase + _room.HostBase);

    private bool Read(IUserMemory memory, ulong guestPhysical, out ulong word)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        bool read = memory.TryRead(HostOf(guestPhysical), bytes);
        word = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        return read;
    }

    private bool Write(IUserMemory memory, ulong guestPhysical, ulong word)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, word);
        return memory.TryWrite(HostOf(guestPhysical), bytes);
    }
}
