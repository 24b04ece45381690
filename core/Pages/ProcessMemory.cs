using System.Diagnostics;
using Iommufd.Messages;
using Iommufd.Messages.Host;

namespace Iommufd.Core.Pages;

/// <summary>
/// The memory of one client process (its mm): mappings, pinning, and the counters of locked memory. Mappings are changed
/// by one thread at a time; reading, writing, pinning and charging are safe from any thread.
/// </summary>
/// <remarks>File order: this file has the state and the accounting, ProcessMemory.Mappings.cs the mmap family,
/// ProcessMemory.Access.cs copying and pinning.</remarks>
[DebuggerDisplay("process {Id} {Name,nq}: pinned {PinnedVmPages}, locked {LockedVmPages}")]
public sealed partial class ProcessMemory : IUserMemory
{
    /// <summary>Bytes in a huge page.</summary>
    public const ulong HugePageSize = HugeFrames.Frames * HostPage.Size;

    private readonly PhysicalMemory _physical;
    private volatile Mapping[] _mappings = [];
    private long _pinnedVm;
    private long _lockedVm;
    private ulong _rlimitPages;
    private ulong _rlimitOpenFiles;
    private volatile bool _exited;

    /// <summary>Makes the empty address space of a process.</summary>
    /// <param name="id">A number that is unique on the machine.</param>
    /// <param name="spec">Its limits and capabilities.</param>
    /// <param name="physical">The machine's memory.</param>
    /// <param name="user">The account of the process's user.</param>
    public ProcessMemory(int id, ProcessSpec spec, PhysicalMemory physical, UserAccount user)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(physical);
        ArgumentNullException.ThrowIfNull(user);
        Id = id;
        Name = spec.Name;
        _physical = physical;
        User = user;
        _rlimitPages = spec.RlimitMemlock >> HostPage.Shift;
        _rlimitOpenFiles = spec.RlimitOpenFiles;
        CapIpcLock = spec.CapIpcLock;
        CapSysResource = spec.CapSysResource;
    }

    /// <summary>The process's number on the machine.</summary>
    public int Id { get; }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>The account of its user.</summary>
    public UserAccount User { get; }

    /// <summary>The memory of the machine it runs on.</summary>
    public PhysicalMemory Physical => _physical;

    /// <summary>RLIMIT_MEMLOCK in whole pages, read at each charge.</summary>
    public ulong RlimitMemlockPages
    {
        get => Volatile.Read(ref _rlimitPages);
        set => Volatile.Write(ref _rlimitPages, value);
    }

    /// <summary>RLIMIT_NOFILE: one more than the highest descriptor that can be opened; read at each open.</summary>
    public ulong RlimitOpenFiles
    {
        get => Volatile.Read(ref _rlimitOpenFiles);
        set => Volatile.Write(ref _rlimitOpenFiles, value);
    }

    /// <summary>CAP_IPC_LOCK: page sets made from now on are not limited.</summary>
    public bool CapIpcLock { get; set; }

    /// <summary>CAP_SYS_RESOURCE: the process may change the accounting mode.</summary>
    public bool CapSysResource { get; set; }

    /// <summary>VmPin in pages; below 0 when pages are unpinned on its account that were pinned on another one.</summary>
    public long PinnedVmPages => Volatile.Read(ref _pinnedVm);

    /// <summary>VmLck in pages.</summary>
    public long LockedVmPages => Volatile.Read(ref _lockedVm);

    /// <summary>Whether the process is gone: nothing of it can be pinned, read or written any more.</summary>
    public bool Exited => _exited;

    /// <summary>
    /// Asked, when set, before pages are pinned, with the address (or the file offset) and the number of pages; a result
    /// other than OK makes the pin fail with it. For injected faults; called by whichever thread pins.
    /// </summary>
    public Func<ulong, ulong, Errno>? PinFault { get; set; }

    /// <summary>In a replay: the frames that pins get, as the journal recorded them. Null otherwise.</summary>
    public RecordedPins? RecordedPins { get; set; }

    /// <summary>
    /// The process ends: all mappings go; pinned frames stay until unpinned, the counters stay for what is charged.
    /// </summary>
    public void Exit()
    {
        _exited = true;
        Tell(0, AddressEnd);
        Mapping[] gone = _mappings;
        _mappings = [];
        foreach (Mapping mapping in gone)
        {
            LetGo(mapping);
        }
    }

    /// <summary>Charges pages in a mode, and counts them as pinned; negative numbers are given back.</summary>
    /// <returns>ENOMEM with nothing charged when the limit would be exceeded.</returns>
    public Errno Charge(AccountingMode mode, long pages)
    {
        long limit = (long)Math.Min(RlimitMemlockPages, long.MaxValue);
        bool charged = mode switch
        {
            AccountingMode.None => true,
            _ when pages <= 0 => true,
            AccountingMode.User => User.TryCharge(pages, limit),
            _ => LockedPageCounter.TryAdd(ref _lockedVm, pages, limit),
        };
        if (!charged)
        {
            return Errno.ENOMEM;
        }

        if (pages < 0 && mode == AccountingMode.User)
        {
            User.Uncharge(-pages);
        }
        else if (pages < 0 && mode == AccountingMode.Mm)
        {
            Interlocked.Add(ref _lockedVm, pages);
        }

        Interlocked.Add(ref _pinnedVm, pages);
        return Errno.OK;
    }

    private void LetGo(Mapping mapping)
    {
        if (mapping.OwnsPages)
        {
            // Pairs with DropIfUnmapped: the mappings are replaced before the pages are looked at, here, and a page is allocated before
            // the mappings are looked at, there. Without the fence both could miss the other and the frame would never be free again.
            Interlocked.MemoryBarrier();
            mapping.Backing.Drop(mapping.FirstPage, (mapping.End - mapping.Start) >> HostPage.Shift);
        }

        mapping.File?.Release();
    }

    /// <summary>A page was looked up, and perhaps allocated, in mappings that may be out of date by now: then it is let go again.</summary>
    private void DropIfUnmapped(Mapping[] seen, Mapping mapping, ulong address)
    {
        Interlocked.MemoryBarrier();
        Mapping[] now = _mappings;
        if (ReferenceEquals(seen, now) || !mapping.OwnsPages)
        {
            return;
        }

        int at = AddressSpace.Find(now, address);
        if (at >= 0 && ReferenceEquals(now[at].Backing, mapping.Backing))
        {
            return;
        }

        ulong pages = mapping.Backing.IsHuge ? HugeFrames.Frames : 1;
        mapping.Backing.Drop(mapping.PageOf(address) & ~(pages - 1), pages);
    }
}
