using System.Buffers.Binary;
using Iommufd.Actors.Protocol;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Host;

namespace Iommufd.Scenarios.Drill;

/// <summary>
/// Issues every command of the uAPI, of the selftest and of in-kernel drivers, section after section; each section makes its own
/// objects and takes them away. A command that fails ends its section early, so that the drill goes on whatever is made to fail.
/// Used by one client.
/// </summary>
/// <param name="device">A device of the machine that nobody else uses; null leaves the section on devices out.</param>
/// <param name="iommufd">The descriptor of the client's iommufd.</param>
public sealed partial class CommandDrill(string? device, int iommufd)
{
    private const ulong Buffer = 0x10_0000_0000;
    private const ulong Huge = 0x11_0000_0000;
    private const ulong Scratch = 0x12_0000_0000;
    private const ulong Iova = 0x0100_0000;
    private const ulong Page = HostPage.Size;
    private const ulong BufferPages = 64;

    private readonly List<uint> _made = [];

    /// <summary>The whole drill.</summary>
    public IEnumerable<DrillAction> Run()
    {
        yield return MapAt(Buffer, BufferPages * Page, MemoryKind.Anonymous);
        yield return MapAt(Huge, 2ul << 20, MemoryKind.Huge2M);
        yield return MapAt(Scratch, 4 * Page, MemoryKind.Anonymous);
        IEnumerable<DrillAction>[] sections =
        [
            Spaces(),
            Files(),
            Vfio(),
            Attachments(),
            Dirty(),
            Nesting(),
            Faults(),
            Pasids(),
            VirtualIommus(),
            Accesses(),
            Devices(),
            VfioDevices(),
            Oddities(),
            TestAccesses(),
        ];
        foreach (IEnumerable<DrillAction> section in sections)
        {
            foreach (DrillAction action in section)
            {
                yield return action;
            }

            foreach (DrillAction action in CleanUp())
            {
                yield return action;
            }
        }
    }

    private static DrillCall Call(IoctlCommand command, Errno expected = Errno.OK) => new(command, expected);

    private static DrillMessage MapAt(ulong address, ulong length, MemoryKind kind) =>
        new(new MapMemory(address, length, kind, MemoryProtection.Read | MemoryProtection.Write));

    private static DrillMessage Put(ulong address, params ReadOnlySpan<uint> words)
    {
        var bytes = new byte[words.Length * sizeof(uint)];
        for (int i = 0; i < words.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(i * sizeof(uint)), words[i]);
        }

        return new DrillMessage(new WriteMemory(address, bytes, (ulong)bytes.Length));
    }

    private static IoasMap MapOf(uint ioas, ulong iova, ulong address, ulong length) =>
        new()
        {
            IoasId = ioas,
            Flags = IoasMapFlags.FixedIova | IoasMapFlags.Readable | IoasMapFlags.Writeable,
            UserVa = address,
            Length = length,
            Iova = iova,
        };

    private static IoasUnmap UnmapAll(uint ioas) => new() { IoasId = ioas, Length = ulong.MaxValue };

    /// <summary>Notes an object to be destroyed at the end of the section.</summary>
    private uint Made(uint id)
    {
        if (id != 0)
        {
            _made.Add(id);
        }

        return id;
    }

    // Twice over: what an object still held at the first try is gone at the second.
    private IEnumerable<DrillAction> CleanUp()
    {
        for (int pass = 0; pass < 2 && _made.Count > 0; pass++)
        {
            for (int i = _made.Count - 1; i >= 0; i--)
            {
                DrillCall gone = Call(new Destroy { Id = _made[i] });
                yield return gone;
                if (gone.IsOk || gone.Result is { Errno: Errno.ENOENT })
                {
                    _made.RemoveAt(i);
                }
            }
        }

        _made.Clear();
    }
}
