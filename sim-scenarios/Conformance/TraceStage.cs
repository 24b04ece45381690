using System.Text.Json;
using Iommufd.Messages;

namespace Iommufd.Scenarios.Conformance;

/// <summary>
/// The process of one trace while it is played: its memory and files as the header says, the handles that its steps
/// made, the iommufd. Not safe from several threads; the player takes one step at a time.
/// </summary>
internal sealed class TraceStage
{
    /// <summary>Where ioctl structs are placed; the page behind the arena is not accessible.</summary>
    public const ulong ArenaAddress = 0x7f00_0000_0000;

    private const string AnonymousWithHole = "anon4k_tail_hole";
    private const ulong HoleStart = 0x8000;
    private const int NotOpen = -1;
    private readonly Dictionary<string, List<int>> handles = new(StringComparer.Ordinal);
    private readonly Dictionary<int, ulong> bufferAddresses = [];
    private readonly Dictionary<int, ulong> fileAddresses = [];
    private readonly Dictionary<int, int> fileDescriptors = [];

    private TraceStage(TraceHeader header, ISimulatedProcess self, ISimulatedProcess child)
    {
        Header = header;
        Self = self;
        Child = child;
    }

    public TraceHeader Header { get; }

    /// <summary>The process that makes the calls.</summary>
    public ISimulatedProcess Self { get; }

    /// <summary>The other process: the same descriptors, nothing mapped but an arena.</summary>
    public ISimulatedProcess Child { get; }

    /// <summary>The iommufd's descriptor.</summary>
    public int Iommufd { get; private set; } = NotOpen;

    /// <summary>Mappings of the iommufd, in the order they were made.</summary>
    public List<ISimulatedWindow?> Windows { get; } = [];

    /// <summary>The address of the buffer for payloads.</summary>
    public ulong Scratch => bufferAddresses[Header.ScratchBuffer];

    /// <summary>An address with nothing behind it.</summary>
    public ulong Unmapped => Header.Buffers.First(b => IsUnmapped(b)).Address;

    /// <summary>Bytes of the buffer for payloads.</summary>
    public int ScratchSize => (int)Header.Buffers.Single(b => b.Id == Header.ScratchBuffer).Size;

    /// <summary>Starts the processes, gives them their memory, opens the iommufd.</summary>
    public static async Task<TraceStage> SetUpAsync(ISimulatedKernel kernel, TraceHeader header)
    {
        ISimulatedProcess self = await kernel
            .StartProcessAsync(new SimulatedProcessOptions(header.CapIpcLock, header.MemlockLimit))
            .ConfigureAwait(false);
        ISimulatedProcess child = await self.StartChildAsync().ConfigureAwait(false);
        var stage = new TraceStage(header, self, child);
        foreach (ISimulatedProcess process in new[] { self, child })
        {
            Must(
                await process
                    .MapAnonymousAsync(ArenaAddress, (ulong)header.ArenaSize, SimulatedPageKind.Normal)
                    .ConfigureAwait(false)
            );
        }

        foreach (TraceMemory buffer in header.Buffers)
        {
            stage.bufferAddresses.Add(buffer.Id, buffer.Address);
            await stage.MapBufferAsync(buffer).ConfigureAwait(false);
        }

        foreach (TraceMemory file in header.Files)
        {
            await stage.OpenFileAsync(file).ConfigureAwait(false);
        }

        await stage.OpenIommufdAsync().ConfigureAwait(false);
        return stage;
    }

    /// <summary>Opens a fresh iommufd; the one before must be closed.</summary>
    public async Task OpenIommufdAsync() => Iommufd = await Self.OpenIommufdAsync().ConfigureAwait(false);

    /// <summary>Resolves a number, a pointer object or a handle object.</summary>
    public ulong Resolve(JsonElement value) =>
        value.ValueKind != JsonValueKind.Object ? TraceValue.ReadU64(value)
        : IsPointer(value) ? Pointer(value)
        : (uint)Descriptor(value);

    /// <summary>Resolves a pointer object to an address.</summary>
    public ulong Pointer(JsonElement pointer)
    {
        if (pointer.TryGetProperty("abs", out JsonElement absolute))
        {
            return TraceValue.ReadU64(absolute);
        }

        ulong offset = TraceValue.ReadU64(pointer.GetProperty("off"));
        return pointer.TryGetProperty("buf", out JsonElement buffer)
            ? unchecked(bufferAddresses[buffer.GetInt32()] + offset)
            : unchecked(fileAddresses[pointer.GetProperty("file").GetInt32()] + offset);
    }

    /// <summary>Resolves a handle object to a descriptor; -1 where it was closed or never came to be.</summary>
    public int Descriptor(JsonElement handle)
    {
        JsonProperty only = handle.EnumerateObject().Single();
        int number = only.Value.GetInt32();
        return only.Name switch
        {
            "raw" => number,
            "iommufd" => Iommufd,
            "file" => fileDescriptors[number],
            string kind => handles.TryGetValue(kind, out List<int>? made) && number < made.Count
                ? made[number]
                : NotOpen,
        };
    }

    /// <summary>Notes the descriptor that a step made. Returns its number among those of its kind.</summary>
    public int AddHandle(string kind, int descriptor)
    {
        if (!handles.TryGetValue(kind, out List<int>? made))
        {
            handles.Add(kind, made = []);
        }

        made.Add(descriptor);
        return made.Count - 1;
    }

    /// <summary>Notes that a handle was closed.</summary>
    public void ForgetHandle(JsonElement handle)
    {
        JsonProperty only = handle.EnumerateObject().Single();
        int number = only.Value.GetInt32();
        if (only.NameEquals("file"))
        {
            fileDescriptors[number] = NotOpen;
        }
        else if (handles.TryGetValue(only.Name, out List<int>? made) && number < made.Count)
        {
            made[number] = NotOpen;
        }
    }

    /// <summary>Writes payload that a step needs; the place is always writeable.</summary>
    public void Put(ulong address, ReadOnlySpan<byte> bytes) => Put(Self, address, bytes);

    /// <summary>Writes into a process's memory, which is there and writeable.</summary>
    public static void Put(ISimulatedProcess process, ulong address, ReadOnlySpan<byte> bytes)
    {
        if (!process.Memory.TryWrite(address, bytes))
        {
            throw new TraceStageException($"0x{bytes.Length:x} bytes at 0x{address:x} cannot be written");
        }
    }

    /// <summary>Reads from a process's memory, which is there.</summary>
    public static byte[] Get(ISimulatedProcess process, ulong address, int length)
    {
        var bytes = new byte[length];
        if (!process.Memory.TryRead(address, bytes))
        {
            throw new TraceStageException($"0x{length:x} bytes at 0x{address:x} cannot be read");
        }

        return bytes;
    }

    private static bool IsPointer(JsonElement value) =>
        value.TryGetProperty("abs", out _) || value.TryGetProperty("off", out _);

    private static bool IsUnmapped(TraceMemory memory) => memory.Kind == "unmapped";

    private async Task MapBufferAsync(TraceMemory buffer)
    {
        if (IsUnmapped(buffer))
        {
            return;
        }

        SimulatedPageKind kind = buffer.Kind == "hugetlb2m" ? SimulatedPageKind.Huge2M : SimulatedPageKind.Normal;
        Must(await Self.MapAnonymousAsync(buffer.Address, buffer.Size, kind).ConfigureAwait(false));
        Fill(buffer, buffer.Id);
        if (buffer.Kind == AnonymousWithHole)
        {
            Must(await Self.UnmapAsync(buffer.Address + HoleStart, buffer.Size - HoleStart).ConfigureAwait(false));
        }

        if (buffer.Protection == "r")
        {
            Must(await Self.ProtectAsync(buffer.Address, buffer.Size, SimulatedProtection.Read).ConfigureAwait(false));
        }
    }

    private async Task OpenFileAsync(TraceMemory file)
    {
        int descriptor = file.Kind switch
        {
            "readonly_reopen_of_file_0" => await Self.ReopenReadOnlyAsync(fileDescriptors[0]).ConfigureAwait(false),
            "eventfd" => await Self.CreateFileAsync(SimulatedFileKind.EventFd, 0).ConfigureAwait(false),
            "memfd_hugetlb2m" => await Self.CreateFileAsync(SimulatedFileKind.MemfdHuge2M, file.Size)
                .ConfigureAwait(false),
            "memfd" or "memfd_sparse" => await Self.CreateFileAsync(SimulatedFileKind.Memfd, file.Size)
                .ConfigureAwait(false),
            _ => throw new FormatException($"file kind '{file.Kind}' is not known"),
        };
        fileDescriptors.Add(file.Id, descriptor);
        if (file.Address == 0)
        {
            return;
        }

        fileAddresses.Add(file.Id, file.Address);
        ulong mapped = (file.Size + HostPage.OffsetMask) & ~HostPage.OffsetMask;
        Must(await Self.MapFileAsync(descriptor, file.Address, mapped).ConfigureAwait(false));
        Fill(file, 64 + file.Id);
    }

    // Fresh memory reads as zeros, so only the pattern needs writing.
    private void Fill(TraceMemory memory, int number)
    {
        if (memory.Fill == "pat")
        {
            Put(memory.Address, TraceValue.StartPattern(number, (int)memory.Size));
        }
    }

    private static void Must(Errno errno)
    {
        if (errno != Errno.OK)
        {
            throw new TraceStageException($"the process cannot be set up: {errno}");
        }
    }
}

/// <summary>The simulated process could not do what every process can; the step cannot be played.</summary>
internal sealed class TraceStageException(string message) : Exception(message);
