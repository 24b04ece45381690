// Reads the payloads that Hyperion wrote without Hyperion: its serializer compiles code for every event type when it is made, which
// costs more than all else that a short command does, and reads by way of a stream. The format is the same; a test compares both.
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Iommufd.Messages.Events;

namespace Iommufd.Persistence;

/// <summary>
/// Reads one event from the bytes of its payload: a mark, the type's number, then its fields in the ordinal order of their names.
/// Stricter than Hyperion: a truth value is 0 or 1, nothing is null, and nothing follows the last field.
/// </summary>
internal ref struct EventReader
{
    private const int HeaderSize = 3;
    private const byte StringMark = 7;
    private const byte Int32Mark = 8;
    private const byte BytesMark = 9;
    private const byte UInt32Mark = 18;
    private const byte UInt64Mark = 19;
    private const byte ArrayMark = 252;
    private const byte LongString = 255;
    private ReadOnlySpan<byte> _rest;

    private EventReader(ReadOnlySpan<byte> fields) => _rest = fields;

    /// <summary>Reads an event; null for a type that only Hyperion knows to read.</summary>
    /// <param name="payload">One whose header was checked by <see cref="EventTypeCheck.Demand"/>.</param>
    /// <exception cref="JournalFormatException">The bytes are not what the type needs.</exception>
    public static ContextEvent? TryRead(ReadOnlySpan<byte> payload)
    {
        var reader = new EventReader(payload[HeaderSize..]);
        if (reader.Read(EventTypeCheck.TypeOf(payload)) is not { } read)
        {
            return null;
        }

        return reader._rest.IsEmpty
            ? read
            : throw Wrong(FormattableString.Invariant($"{reader._rest.Length} bytes too many"));
    }

    // Named arguments are evaluated as they are written: in the order of the file. The numbers are those of EventTypes.InFileOrder.
    private ContextEvent? Read(int type) =>
        type switch
        {
            0 => new ContextOpened(Number: Int32(), ProcessId: UInt32(), Version: Int32()),
            1 => new ProcessSeen(
                CapIpcLock: Boolean(),
                CapSysResource: Boolean(),
                ProcessId: UInt32(),
                RlimitMemlock: UInt64()
            ),
            2 => new IoasAllocated(IoasId: UInt32()),
            3 => new AreaMapped(
                Flags: UInt32(),
                IoasId: UInt32(),
                Iova: UInt64(),
                Length: UInt64(),
                PageSet: UInt32(),
                Pinned: UInt64s(),
                ProcessId: UInt32(),
                UserVa: UInt64()
            ),
            4 => new AreasCopied(
                DstIoasId: UInt32(),
                DstIova: UInt64(),
                Flags: UInt32(),
                Length: UInt64(),
                Pinned: UInt64s(),
                SrcIoasId: UInt32(),
                SrcIova: UInt64()
            ),
            5 => new AreasUnmapped(IoasId: UInt32(), Removed: UInt64s()),
            6 => new AllowedReplaced(IoasId: UInt32(), Ranges: UInt64s()),
            7 => new LargePagesSet(Enabled: Boolean(), IoasId: UInt32()),
            8 => new AccountingModeSet(ChargeProcess: Boolean()),
            9 => new RangeReserved(First: UInt64(), IoasId: UInt32(), Last: UInt64()),
            10 => new HwptAllocated(
                DeviceId: UInt32(),
                Flags: UInt32(),
                HwptId: UInt32(),
                IoasId: UInt32(),
                Pinned: UInt64s(),
                TableType: UInt32()
            ),
            11 => new DeviceBound(DeviceId: UInt32(), Name: String(), Traits: UInt64s()),
            12 => new DeviceUnbound(DeviceId: UInt32()),
            13 => new DeviceAttached(
                DeviceId: UInt32(),
                HwptId: UInt32(),
                Pasid: UInt32(),
                Pinned: UInt64s(),
                PtId: UInt32()
            ),
            14 => new DeviceReplaced(
                DeviceId: UInt32(),
                HwptId: UInt32(),
                Pasid: UInt32(),
                Pinned: UInt64s(),
                PtId: UInt32()
            ),
            15 => new DeviceDetached(DeviceId: UInt32(), Pasid: UInt32()),
            16 => new MockDeviceMade(
                DeviceId: UInt32(),
                Flags: UInt32(),
                HwptId: UInt32(),
                Pinned: UInt64s(),
                PtId: UInt32(),
                StdevId: UInt32()
            ),
            17 => new AccessCreated(AccessId: UInt32(), IoasId: UInt32(), Pins: Boolean()),
            18 => new AccessMoved(AccessId: UInt32(), IoasId: UInt32()),
            19 => new AccessPinned(
                AccessId: UInt32(),
                Iova: UInt64(),
                Length: UInt64(),
                PinId: UInt32(),
                Pinned: UInt64s(),
                Write: Boolean()
            ),
            20 => new AccessUnpinned(AccessId: UInt32(), PinId: UInt32()),
            21 => new AccessDestroyed(AccessId: UInt32()),
            22 => new ObjectDestroyed(ObjectId: UInt32()),
            23 => new DigestRecorded(Digest: UInt64()),
            24 => new ContextClosed(Leaked: Int32()),
            25 => new NestedHwptAllocated(
                DeviceId: UInt32(),
                FaultId: UInt32(),
                Flags: UInt32(),
                HwptId: UInt32(),
                Iotlb: UInt32(),
                PtId: UInt32()
            ),
            26 => new HwptFaultSet(FaultId: UInt32(), HwptId: UInt32()),
            27 => new IotlbInvalidated(HwptId: UInt32(), Mask: UInt32()),
            28 => new CachesInvalidated(DeviceIds: UInt32s(), Masks: UInt32s()),
            29 => new FaultQueueAllocated(FaultId: UInt32()),
            30 => new FaultReported(
                Address: UInt64(),
                DeviceId: UInt32(),
                FaultId: UInt32(),
                GroupId: UInt32(),
                Pasid: UInt32(),
                Permissions: UInt32()
            ),
            31 => new FaultsRead(FaultId: UInt32(), Groups: Int32()),
            32 => new FaultsAnswered(Codes: UInt32s(), Cookies: UInt32s(), FaultId: UInt32()),
            33 => new QueueDescriptorClosed(ObjectId: UInt32()),
            34 => new ViommuAllocated(
                DeviceId: UInt32(),
                HasWindow: Boolean(),
                HwptId: UInt32(),
                Type: UInt32(),
                ViommuId: UInt32(),
                WindowWord: UInt32()
            ),
            35 => new VdeviceAllocated(DeviceId: UInt32(), VdeviceId: UInt32(), ViommuId: UInt32(), VirtId: UInt64()),
            36 => new VeventqAllocated(Depth: UInt32(), Type: UInt32(), VeventqId: UInt32(), ViommuId: UInt32()),
            37 => new VeventReported(Payload: Bytes(), VeventqId: UInt32()),
            38 => new VeventsRead(Count: Int32(), VeventqId: UInt32()),
            39 => new HwQueueAllocated(
                AccessId: UInt32(),
                HwQueueId: UInt32(),
                Index: UInt32(),
                Iova: UInt64(),
                Length: UInt64(),
                Pinned: UInt64s(),
                Type: UInt32(),
                ViommuId: UInt32()
            ),
            40 => new WindowMapped(Length: UInt64(), Offset: UInt64()),
            41 => new WindowUnmapped(Length: UInt64(), Offset: UInt64()),
            42 => new ReservedPasidRefused(DeviceId: UInt32()),
            43 => new FileMapped(
                FileKind: UInt32(),
                FileNumber: UInt32(),
                FileSize: UInt64(),
                FirstPfn: UInt64(),
                Flags: UInt32(),
                IoasId: UInt32(),
                Iova: UInt64(),
                Length: UInt64(),
                PageSet: UInt32(),
                Pinned: UInt64s(),
                ProcessId: UInt32(),
                Start: UInt64()
            ),
            44 => new DmabufRevoked(FileNumber: UInt32(), Revoked: Boolean()),
            45 => new ProcessChanged(ProcessId: UInt32()),
            46 => new DirtyTrackingSet(Enabled: Boolean(), HwptId: UInt32()),
            47 => new DirtyCleared(First: UInt64(), HwptId: UInt32(), Last: UInt64()),
            48 => new PagesMarkedDirty(
                Bits: Bytes(),
                HwptId: UInt32(),
                Iova: UInt64(),
                PageSize: UInt64(),
                Pages: UInt64()
            ),
            49 => new CompatIoasSet(IoasId: UInt32()),
            50 => new VfioMapped(
                IoasId: UInt32(),
                Iova: UInt64(),
                Length: UInt64(),
                PageSet: UInt32(),
                Permissions: UInt32(),
                Pinned: UInt64s(),
                ProcessId: UInt32(),
                UserVa: UInt64()
            ),
            51 => new AreaCutInTwo(IoasId: UInt32(), LastOfLeft: UInt64()),
            52 => new EntryPolicySet(Policy: UInt32(), PtId: UInt32()),
            53 => new EntriesResized(
                First: UInt64(),
                HwptId: UInt32(),
                Last: UInt64(),
                Merge: Boolean(),
                PageSize: UInt64()
            ),
            54 => new GuestStageAllocated(
                Data: UInt64s(),
                DataType: UInt32(),
                DeviceId: UInt32(),
                FaultId: UInt32(),
                Flags: UInt32(),
                HwptId: UInt32(),
                PtId: UInt32()
            ),
            55 => new PagesRequested(
                Addresses: UInt64s(),
                DeviceId: UInt32(),
                FaultId: UInt32(),
                GroupId: UInt32(),
                Pasid: UInt32(),
                Permissions: UInt32()
            ),
            56 => new SharedHwptAllocated(DeviceId: UInt32(), Flags: UInt32(), Format: UInt32(), HwptId: UInt32()),
            57 => new RunStarted(
                Durability: String(),
                IsSeeded: Boolean(),
                Options: Strings(),
                Product: String(),
                Scenario: String(),
                Seed: UInt64(),
                Settings: Strings(),
                Text: String(),
                Version: Int32()
            ),
            58 => new ClientFinished(Client: Int64()),
            59 => new BarrierOpened(Meeting: String()),
            60 => new RunStopping(Reason: String()),
            61 => new RunContinued(Closed: Int32s(), Product: String()),
            62 => new RunFinished(Digest: UInt64(), Leaked: Int32(), StopReason: String()),
            _ => null,
        };

    private bool Boolean() =>
        Take(1)[0] switch
        {
            0 => false,
            1 => true,
            var other => throw Wrong(FormattableString.Invariant($"{other} is no truth value")),
        };

    private int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Take(sizeof(int)));

    private uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)));

    private long Int64() => BinaryPrimitives.ReadInt64LittleEndian(Take(sizeof(long)));

    private ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong)));

    private string String()
    {
        // The length plus one, so that 0 is null; 255 stands before a long one.
        var first = Take(1)[0];
        return first switch
        {
            0 => throw Wrong("a text is missing"),
            LongString => Encoding.UTF8.GetString(Take(Count(1))),
            _ => Encoding.UTF8.GetString(Take(first - 1)),
        };
    }

    private byte[] Bytes()
    {
        Demand(BytesMark);
        return Take(Count(1)).ToArray();
    }

    private ulong[] UInt64s() => MemoryMarshal.Cast<byte, ulong>(Elements(UInt64Mark, sizeof(ulong))).ToArray();

    private uint[] UInt32s() => MemoryMarshal.Cast<byte, uint>(Elements(UInt32Mark, sizeof(uint))).ToArray();

    private int[] Int32s() => MemoryMarshal.Cast<byte, int>(Elements(Int32Mark, sizeof(int))).ToArray();

    private string[] Strings()
    {
        Demand(ArrayMark);
        Demand(StringMark);
        var strings = new string[Count(1)];
        for (var i = 0; i < strings.Length; i++)
        {
            strings[i] = String();
        }

        return strings;
    }

    private ReadOnlySpan<byte> Elements(byte mark, int size)
    {
        Demand(ArrayMark);
        Demand(mark);
        return Take(Count(size) * size);
    }

    private int Count(int size)
    {
        var count = Int32();
        return count >= 0 && (long)count * size <= _rest.Length
            ? count
            : throw Wrong(FormattableString.Invariant($"{count} elements do not fit into {_rest.Length} bytes"));
    }

    private void Demand(byte mark)
    {
        var found = Take(1)[0];
        if (found != mark)
        {
            throw Wrong(FormattableString.Invariant($"{found} stands where {mark} belongs"));
        }
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _rest.Length)
        {
            throw Wrong("it ends too early");
        }

        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }

    private static JournalFormatException Wrong(string what) =>
        new($"a row of the journal cannot be read: written by a newer version, or damaged ({what})");
}
