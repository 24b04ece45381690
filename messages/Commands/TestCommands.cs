namespace Iommufd.Messages.Commands;

/// <summary>
/// One operation of IOMMU_TEST_CMD, the ioctl by which the kernel's selftest drives its mock devices. The struct is a
/// union; bytes that no member of an operation covers come back as the caller left them.
/// </summary>
public abstract record TestCommand : IoctlCommand;

/// <summary>An operation number that the kernel does not know (EOPNOTSUPP).</summary>
public sealed record TestUnknownOp : TestCommand
{
    /// <summary>The operation.</summary>
    public uint Op { get; init; }

    /// <summary>The struct's id member.</summary>
    public uint Id { get; init; }
}

/// <summary>ADD_RESERVED: reserves a range of an IOAS for ever.</summary>
public sealed record TestAddReserved : TestCommand
{
    /// <summary>The IOAS.</summary>
    public uint IoasId { get; init; }

    /// <summary>First IOVA.</summary>
    public ulong Start { get; init; }

    /// <summary>Bytes.</summary>
    public ulong Length { get; init; }
}

/// <summary>MOCK_DOMAIN: makes a mock device and attaches it.</summary>
public sealed record TestMockDomain : TestCommand
{
    /// <summary>The IOAS or HWPT to attach to.</summary>
    public uint PtId { get; init; }

    /// <summary>Out: the SELFTEST object that owns the mock device.</summary>
    public uint OutStdevId { get; init; }

    /// <summary>Out: the HWPT that is used.</summary>
    public uint OutHwptId { get; init; }

    /// <summary>Out: the DEVICE object.</summary>
    public uint OutIdevId { get; init; }
}

/// <summary>What a mock device can do.</summary>
[Flags]
public enum MockDeviceFlags : uint
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>It cannot track dirty pages.</summary>
    NoDirty = 1,

    /// <summary>It has PASIDs.</summary>
    Pasid = 4,
}

/// <summary>MOCK_DOMAIN_FLAGS: as MOCK_DOMAIN, for a mock device of a given kind.</summary>
public sealed record TestMockDomainFlags : TestCommand
{
    /// <summary>The IOAS or HWPT to attach to.</summary>
    public uint PtId { get; init; }

    /// <summary>Out: the SELFTEST object that owns the mock device.</summary>
    public uint OutStdevId { get; init; }

    /// <summary>Out: the HWPT that is used.</summary>
    public uint OutHwptId { get; init; }

    /// <summary>Out: the DEVICE object.</summary>
    public uint OutIdevId { get; init; }

    /// <summary>The kind of device; other bits are EINVAL.</summary>
    public MockDeviceFlags DevFlags { get; init; }
}

/// <summary>MOCK_DOMAIN_REPLACE: attaches a mock device to something else.</summary>
public sealed record TestMockDomainReplace : TestCommand
{
    /// <summary>The SELFTEST object.</summary>
    public uint StdevId { get; init; }

    /// <summary>In: an IOAS or HWPT. Out: the HWPT that is used.</summary>
    public uint PtId { get; init; }
}

/// <summary>MD_CHECK_MAP: EINVAL unless a HWPT translates a range to the memory behind a user pointer.</summary>
public sealed record TestMdCheckMap : TestCommand
{
    /// <summary>The paging HWPT.</summary>
    public uint HwptId { get; init; }

    /// <summary>First IOVA.</summary>
    public ulong Iova { get; init; }

    /// <summary>Bytes.</summary>
    public ulong Length { get; init; }

    /// <summary>User pointer to the memory expected.</summary>
    public ulong Uptr { get; init; }
}

/// <summary>MD_CHECK_REFS: EIO unless each page behind a user pointer has a given number of pins.</summary>
public sealed record TestMdCheckRefs : TestCommand
{
    /// <summary>The struct's id member; not used.</summary>
    public uint Id { get; init; }

    /// <summary>Bytes, whole pages.</summary>
    public ulong Length { get; init; }

    /// <summary>User pointer, page aligned.</summary>
    public ulong Uptr { get; init; }

    /// <summary>Pins expected on every page; pages of compound (huge) memory are skipped.</summary>
    public uint Refs { get; init; }
}

/// <summary>CREATE_ACCESS: makes an in-kernel access to an IOAS, and a descriptor for it.</summary>
public sealed record TestCreateAccess : TestCommand
{
    /// <summary>Flag: the access will pin pages, so the IOAS must be page aligned.</summary>
    public const uint NeedsPinPages = 1;

    /// <summary>The IOAS.</summary>
    public uint IoasId { get; init; }

    /// <summary>Out: the access's descriptor.</summary>
    public int OutAccessFd { get; init; }

    /// <summary><see cref="NeedsPinPages"/> or 0.</summary>
    public uint Flags { get; init; }
}

/// <summary>DESTROY_ACCESS_PAGES: unpins what one ACCESS_PAGES pinned.</summary>
public sealed record TestDestroyAccessPages : TestCommand
{
    /// <summary>The access's descriptor.</summary>
    public int AccessFd { get; init; }

    /// <summary>What ACCESS_PAGES answered.</summary>
    public uint AccessPagesId { get; init; }
}

/// <summary>Flags of ACCESS_PAGES.</summary>
[Flags]
public enum TestAccessPagesFlags : uint
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Pin for writing.</summary>
    Write = 1,

    /// <summary>The IOVA holds the index of an area (low 32 bits) and an offset in it (high 32 bits).</summary>
    ByArea = 0x10000,
}

/// <summary>ACCESS_PAGES: an access pins a range.</summary>
public sealed record TestAccessPages : TestCommand
{
    /// <summary>The access's descriptor.</summary>
    public int AccessFd { get; init; }

    /// <summary>How.</summary>
    public TestAccessPagesFlags Flags { get; init; }

    /// <summary>Out: the number by which DESTROY_ACCESS_PAGES names these pins.</summary>
    public uint OutAccessPagesId { get; init; }

    /// <summary>First IOVA.</summary>
    public ulong Iova { get; init; }

    /// <summary>Bytes.</summary>
    public ulong Length { get; init; }

    /// <summary>User pointer to the memory that must be the one pinned (else EBADE); 0 for no comparison.</summary>
    public ulong Uptr { get; init; }
}

/// <summary>Flags of ACCESS_RW.</summary>
[Flags]
public enum TestAccessRwFlags : uint
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Write to the IOAS; without it read.</summary>
    Write = 1,

    /// <summary>Go through pinned pages, never through the process's memory.</summary>
    SlowPath = 4,

    /// <summary>The IOVA holds the index of an area (low 32 bits) and an offset in it (high 32 bits).</summary>
    ByArea = 0x10000,
}

/// <summary>ACCESS_RW: an access reads or writes a range.</summary>
public sealed record TestAccessRw : TestCommand
{
    /// <summary>The access's descriptor.</summary>
    public int AccessFd { get; init; }

    /// <summary>First IOVA.</summary>
    public ulong Iova { get; init; }

    /// <summary>Bytes.</summary>
    public ulong Length { get; init; }

    /// <summary>User pointer to the data. The command itself writes them when it reads the IOAS.</summary>
    public ulong Uptr { get; init; }

    /// <summary>How.</summary>
    public TestAccessRwFlags Flags { get; init; }
}

/// <summary>SET_TEMP_MEMORY_LIMIT: bounds the kernel's temporary buffers; changes no result.</summary>
public sealed record TestSetTempMemoryLimit : TestCommand
{
    /// <summary>The struct's id member; not used.</summary>
    public uint Id { get; init; }

    /// <summary>Bytes, at least 12.</summary>
    public uint Limit { get; init; }
}

/// <summary>ACCESS_REPLACE_IOAS: moves an access to another IOAS.</summary>
public sealed record TestAccessReplaceIoas : TestCommand
{
    /// <summary>The access's descriptor.</summary>
    public int AccessFd { get; init; }

    /// <summary>The IOAS.</summary>
    public uint IoasId { get; init; }
}
