using System.Buffers.Binary;
using Iommufd.Actors.Protocol;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Scenarios.Language;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Steps;

/// <summary>Keys that the steps on vIOMMUs share.</summary>
internal static class ViommuKeys
{
    public static readonly UsedNameField Viommu = new("viommu", "The vIOMMU.", ObjectKind.Viommu) { IsRequired = true };

    public static ViommuObject Of(StepScope scope) => scope.Object<ViommuObject>(Viommu, ObjectKind.Viommu);
}

/// <summary><c>viommu-alloc</c>.</summary>
public sealed class ViommuAllocStep : ScriptKind
{
    private const int DataBytes = 24;

    private static readonly GivenNameField As = new("as", "A name for the vIOMMU.", ObjectKind.Viommu)
    {
        IsRequired = true,
    };
    private static readonly UsedNameField Parent = new("parent", "The nesting parent.", ObjectKind.Hwpt)
    {
        IsRequired = true,
    };
    private static readonly ChoiceField Type = new(
        "type",
        "Which IOMMU the guest sees: smmuv3 needs a unit of format armv8-4k; selftest when left out.",
        "selftest",
        "smmuv3"
    );
    private static readonly NumberField WindowWord = new(
        "window",
        "Its driver shares a window with user space that begins with this word (the selftest's data); none when left out."
    )
    {
        Maximum = uint.MaxValue,
    };

    /// <inheritdoc/>
    public override string Name => "viommu-alloc";

    /// <inheritdoc/>
    public override string Summary => "Makes the guest's view of a physical IOMMU, on a nesting parent.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [As, DeviceKeys.Device, Parent, Type, WindowWord];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["id", "offset", "length"];

    /// <inheritdoc/>
    protected override IEnumerator<StepRequest> Run(StepScope scope, StepScript script)
    {
        ulong buffer = 0;
        var alloc = new ViommuAlloc
        {
            Type = TypeOf(scope),
            DevId = DeviceKeys.DeviceId(scope),
            HwptId = scope.Object<HwptObject>(Parent, ObjectKind.Hwpt).Id,
        };
        if (scope.Has(WindowWord))
        {
            yield return new BufferRequest(DataBytes);
            buffer = script.Address;
            byte[] data = new byte[DataBytes];
            BinaryPrimitives.WriteUInt32LittleEndian(data, (uint)scope.Number(WindowWord));
            yield return new MemoryRequest(new WriteMemory(buffer, data, DataBytes));
            alloc = alloc with { DataLen = DataBytes, DataUptr = buffer };
        }

        yield return new CommandRequest(alloc);
        if (script.Result.WriteBack is not ViommuAlloc { OutViommuId: var id })
        {
            script.Fail(script.Result.Errno);
            yield break;
        }

        (ulong offset, ulong length) = (0, 0);
        if (buffer != 0)
        {
            yield return new MemoryRequest(new ReadMemory(buffer, DataBytes));
            byte[] data = script.As<MemoryRead>().Data;
            offset = BinaryPrimitives.ReadUInt64LittleEndian(data.AsSpan(8));
            length = BinaryPrimitives.ReadUInt64LittleEndian(data.AsSpan(16));
        }

        scope.Give(As, new ViommuObject(id, TypeOf(scope), offset, length));
        script.Outcome = StepOutcome.With(("id", id), ("offset", offset), ("length", length));
    }

    private static uint TypeOf(StepScope scope) =>
        scope.Word(Type, "selftest") is "smmuv3" ? ViommuType.ArmSmmuV3 : ViommuType.Selftest;
}

/// <summary><c>vdevice-alloc</c>.</summary>
public sealed class VdeviceAllocStep : CommandKind
{
    private static readonly GivenNameField As = new("as", "A name for the vDEVICE.", ObjectKind.Vdevice);
    private static readonly NumberField VirtualId = new(
        "virtual-id",
        "The guest's number of the device (stream id, requester id)."
    )
    {
        IsRequired = true,
    };

    /// <inheritdoc/>
    public override string Name => "vdevice-alloc";

    /// <inheritdoc/>
    public override string Summary => "Says which device a guest means by its own number.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [As, ViommuKeys.Viommu, DeviceKeys.Device, VirtualId];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["id"];

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope) =>
        new VdeviceAlloc
        {
            ViommuId = ViommuKeys.Of(scope).Id,
            DevId = DeviceKeys.DeviceId(scope),
            VirtId = scope.Number(VirtualId),
        };

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result)
    {
        uint id = ((VdeviceAlloc)result.WriteBack!).OutVdeviceId;
        scope.Give(As, new VdeviceObject(id));
        return StepOutcome.With(("id", id));
    }
}

/// <summary><c>veventq-alloc</c>.</summary>
public sealed class VeventqAllocStep : CommandKind
{
    private static readonly GivenNameField As = new("as", "A name for the event queue.", ObjectKind.Veventq)
    {
        IsRequired = true,
    };
    private static readonly NumberField Depth = new("depth", "Events that it holds; 64 when left out.")
    {
        Maximum = uint.MaxValue,
    };

    /// <inheritdoc/>
    public override string Name => "veventq-alloc";

    /// <inheritdoc/>
    public override string Summary => "Makes a queue of a vIOMMU's events.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [As, ViommuKeys.Viommu, Depth];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["id"];

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope) =>
        new VeventqAlloc
        {
            ViommuId = ViommuKeys.Of(scope).Id,
            Type = TypeOf(scope),
            VeventqDepth = (uint)scope.Number(Depth, 64),
        };

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result)
    {
        uint id = ((VeventqAlloc)result.WriteBack!).OutVeventqId;
        scope.Give(As, new VeventqObject(id, TypeOf(scope)));
        return StepOutcome.With(("id", id));
    }

    private static uint TypeOf(StepScope scope) =>
        ViommuKeys.Of(scope).Type == ViommuType.ArmSmmuV3 ? VeventqType.ArmSmmuV3 : VeventqType.Selftest;
}

/// <summary><c>veventq-read</c>.</summary>
public sealed class VeventqReadStep : ScriptKind
{
    private const int HeaderBytes = 8;
    private const int BufferBytes = 4096;

    private static readonly UsedNameField Queue = new("queue", "The event queue.", ObjectKind.Veventq)
    {
        IsRequired = true,
    };

    /// <inheritdoc/>
    public override string Name => "veventq-read";

    /// <inheritdoc/>
    public override string Summary =>
        "Gives the next event of a queue, reading its descriptor where none is left over; 'events' is 0 when there is none. 'lost' is 1 for the mark of lost events.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [Queue, FaultKeys.Wait];

    /// <inheritdoc/>
    public override Field Shorthand => Queue;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["events", "lost", "sequence", "virtual-id", "address"];

    /// <inheritdoc/>
    protected override IEnumerator<StepRequest> Run(StepScope scope, StepScript script)
    {
        var queue = scope.Object<VeventqObject>(Queue, ObjectKind.Veventq);
        var wait = new QueueWait((long)scope.Number(FaultKeys.Wait));
        while (queue.Read.Count == 0)
        {
            yield return new BufferRequest(BufferBytes);
            ulong buffer = script.Address;
            yield return new CommandRequest(new ReadVeventq(queue.Id, buffer, BufferBytes));
            if (!script.Result.IsOk)
            {
                script.Fail(script.Result.Errno);
                yield break;
            }

            int bytes = (int)script.Result.ReturnValue;
            if (bytes > 0)
            {
                yield return new MemoryRequest(new ReadMemory(buffer, bytes));
                Decode(script.As<MemoryRead>().Data, queue);
                break;
            }

            if (script.IsStopped || wait.Next() is not { } pause)
            {
                break;
            }

            yield return pause;
        }

        script.Outcome = queue.Read.TryDequeue(out ReadEvent? next)
            ? StepOutcome.With(
                ("events", 1),
                ("lost", next.IsLost ? 1 : 0),
                ("sequence", next.Sequence),
                ("virtual-id", next.VirtualId),
                ("address", next.Address)
            )
            : StepOutcome.With(("events", 0), ("lost", 0));
    }

    private static void Decode(ReadOnlySpan<byte> bytes, VeventqObject queue)
    {
        const uint lostEvents = 1;
        while (bytes.Length >= HeaderBytes)
        {
            uint sequence = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
            bool isLost = (BinaryPrimitives.ReadUInt32LittleEndian(bytes) & lostEvents) != 0;
            bytes = bytes[HeaderBytes..];
            if (isLost)
            {
                queue.Read.Enqueue(new ReadEvent(sequence, IsLost: true, 0, 0));
            }
            else if (queue.Type == VeventqType.ArmSmmuV3)
            {
                ulong stream = BinaryPrimitives.ReadUInt64LittleEndian(bytes) >> 32;
                ulong address = BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]);
                queue.Read.Enqueue(new ReadEvent(sequence, IsLost: false, stream, address));
                bytes = bytes[32..];
            }
            else
            {
                uint device = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
                queue.Read.Enqueue(new ReadEvent(sequence, IsLost: false, device, 0));
                bytes = bytes[4..];
            }
        }
    }
}

/// <summary><c>device-event</c>.</summary>
public sealed class DeviceEventStep : CommandKind
{
    /// <inheritdoc/>
    public override string Name => "device-event";

    /// <inheritdoc/>
    public override string Summary =>
        "The device reports an event to its vIOMMU by itself (the selftest's TRIGGER_VEVENT); refused DMA does so anyway.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [DeviceKeys.Device];

    /// <inheritdoc/>
    public override Field Shorthand => DeviceKeys.Device;

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope) =>
        new TestTriggerVevent { DevId = DeviceKeys.DeviceId(scope) };
}

/// <summary><c>hw-queue-alloc</c>.</summary>
public sealed class HwQueueAllocStep : CommandKind
{
    private static readonly GivenNameField As = new("as", "A name for the queue.", ObjectKind.HwQueue);
    private static readonly NumberField Index = new("index", "The guest's number of the queue; 0 when left out.")
    {
        Maximum = uint.MaxValue,
    };

    /// <inheritdoc/>
    public override string Name => "hw-queue-alloc";

    /// <inheritdoc/>
    public override string Summary =>
        "Hands a queue in guest memory to the hardware: its memory stays pinned and cannot be unmapped.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields =>
        [As, ViommuKeys.Viommu, Index, AccessKeys.Area, AccessKeys.Offset, AccessKeys.Iova, AccessKeys.Length];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["id"];

    /// <inheritdoc/>
    protected override void CheckTogether(FieldValues values, SourcePosition at, MistakeCollector mistakes) =>
        RequireOneOf(values, at, mistakes, [AccessKeys.Area], AccessKeys.ByIova);

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope)
    {
        (ulong iova, ulong length) = AccessKeys.Range(scope);
        return new HwQueueAlloc
        {
            ViommuId = ViommuKeys.Of(scope).Id,
            Type = HwQueueType.Selftest,
            Index = (uint)scope.Number(Index),
            NestingParentIova = iova,
            Length = length,
        };
    }

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result)
    {
        uint id = ((HwQueueAlloc)result.WriteBack!).OutHwQueueId;
        scope.Give(As, new HwQueueObject(id));
        return StepOutcome.With(("id", id));
    }
}
