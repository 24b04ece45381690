using Iommufd.Core.Dma.Guest;
using Iommufd.Core.Pages;

namespace Iommufd.Scenarios.Steps;

/// <summary>A memory file.</summary>
/// <param name="Descriptor">The descriptor in the client's process.</param>
/// <param name="File">The file.</param>
/// <param name="Size">Bytes.</param>
public sealed record FileObject(int Descriptor, MemoryFile File, ulong Size) : ClientObject;

/// <summary>Another process of the client; it shares the client's descriptors.</summary>
/// <param name="ProcessId">Its number on the machine.</param>
public sealed record ProcessObject(int ProcessId) : ClientObject;

/// <summary>A fault queue, and groups that were read from it and not handed out yet.</summary>
/// <param name="Id">The FAULT.</param>
public sealed record FaultQueueObject(uint Id) : IdentifiedObject(Id)
{
    /// <summary>Groups read.</summary>
    public Queue<ReadFault> Read { get; } = new();
}

/// <summary>A group of page requests as the reader sees it.</summary>
/// <param name="Requests">How many.</param>
/// <param name="DeviceId">The DEVICE.</param>
/// <param name="Pasid">0 for none.</param>
/// <param name="Group">The group's index.</param>
/// <param name="Permissions">READ 1, WRITE 2.</param>
/// <param name="First">The first page asked for.</param>
/// <param name="Last">The last page asked for.</param>
/// <param name="Cookie">Names the group in the response.</param>
public sealed record ReadFault(
    int Requests,
    uint DeviceId,
    uint Pasid,
    uint Group,
    uint Permissions,
    ulong First,
    ulong Last,
    uint Cookie
);

/// <summary>A vIOMMU.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Type">What it is.</param>
/// <param name="WindowOffset">Where its window is mapped from.</param>
/// <param name="WindowLength">Bytes of its window; 0 for none.</param>
public sealed record ViommuObject(uint Id, uint Type, ulong WindowOffset = 0, ulong WindowLength = 0)
    : IdentifiedObject(Id);

/// <summary>A vDEVICE.</summary>
/// <param name="Id">Its id.</param>
public sealed record VdeviceObject(uint Id) : IdentifiedObject(Id);

/// <summary>An event queue of a vIOMMU, and events that were read from it and not handed out yet.</summary>
/// <param name="Id">The VEVENTQ.</param>
/// <param name="Type">What its events are.</param>
public sealed record VeventqObject(uint Id, uint Type) : IdentifiedObject(Id)
{
    /// <summary>Events read.</summary>
    public Queue<ReadEvent> Read { get; } = new();
}

/// <summary>An event as the reader sees it.</summary>
/// <param name="Sequence">Its number in the queue.</param>
/// <param name="IsLost">Whether it is the mark of lost events.</param>
/// <param name="VirtualId">The guest's number of the device; 0 for a mark.</param>
/// <param name="Address">The address that was refused; 0 where the events have none.</param>
public sealed record ReadEvent(uint Sequence, bool IsLost, ulong VirtualId, ulong Address);

/// <summary>A hardware queue.</summary>
/// <param name="Id">Its id.</param>
public sealed record HwQueueObject(uint Id) : IdentifiedObject(Id);

/// <summary>Page tables that a guest keeps in its memory; the memory's actor alone works on them.</summary>
/// <param name="Writer">The tables.</param>
public sealed record GuestTableObject(GuestTableWriter Writer) : ClientObject;

/// <summary>A bitmap of dirty pages.</summary>
/// <param name="Iova">The IOVA of bit 0.</param>
/// <param name="PageSize">Bytes that a bit stands for.</param>
/// <param name="Bits">The bits.</param>
public sealed record BitmapObject(ulong Iova, ulong PageSize, byte[] Bits) : ClientObject;
