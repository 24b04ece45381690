namespace Iommufd.Core.PageTables;

/// <summary>The table formats; each is one file in <c>Formats/</c>.</summary>
public enum IoPageTableFormat
{
    /// <summary>AMD IOMMU v1: 4 KiB granule, every power of two from 4 KiB except 512 GiB, grows from 3 to 6 levels.</summary>
    AmdV1,

    /// <summary>The kernel mock's default: AMD v1 with a 2 KiB granule, every power of two from 2 KiB to 64 GiB.</summary>
    AmdV1Mock,

    /// <summary>The kernel mock's type 1: the same bits, pages of 4 KiB and 1 MiB only, the whole 38-bit aperture.</summary>
    AmdV1MockHuge,

    /// <summary>Intel VT-d second stage, 4 levels: 4 KiB, 2 MiB, 1 GiB.</summary>
    VtdSecondStage,

    /// <summary>x86-64 paging as an IOMMU first stage, 4 levels: 4 KiB, 2 MiB, 1 GiB; no dirty tracking.</summary>
    X8664FirstStage,

    /// <summary>RISC-V Sv39 with Svnapot: 4 KiB, 64 KiB, 2 MiB, 1 GiB; no dirty tracking.</summary>
    RiscVSv39,

    /// <summary>RISC-V Sv48 with Svnapot: as Sv39, and 512 GiB.</summary>
    RiscVSv48,

    /// <summary>RISC-V Sv57 with Svnapot: as Sv48, and 256 TiB.</summary>
    RiscVSv57,

    /// <summary>ARMv8 VMSA stage 1, 4 KiB granule, 48 bits, contiguous hint: 4K, 64K, 2M, 32M, 1G, 16G; hardware dirty state.</summary>
    ArmV8Lpae4K,
}
