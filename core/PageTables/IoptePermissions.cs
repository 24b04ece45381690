namespace Iommufd.Core.PageTables;

/// <summary>What a device may do through a mapping.</summary>
[Flags]
public enum IoptePermissions
{
    /// <summary>Nothing; no mapping has it.</summary>
    None = 0,

    /// <summary>The device may read memory.</summary>
    Read = 1,

    /// <summary>The device may write memory.</summary>
    Write = 2,

    /// <summary>Both.</summary>
    ReadWrite = Read | Write,
}
