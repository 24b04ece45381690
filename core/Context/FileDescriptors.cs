using Iommufd.Core.Pages;
using Iommufd.Core.Sharing;

namespace Iommufd.Core.Context;

/// <summary>A descriptor of a file: memory that can be mapped, or not memory at all.</summary>
/// <param name="File">The file; the descriptor holds a reference on it.</param>
public sealed record FileDescriptor(MemoryFile File) : Descriptor
{
    /// <inheritdoc/>
    public override void Acquire() => File.Acquire();

    /// <inheritdoc/>
    public override void Release() => File.Release();
}

/// <summary>A descriptor of a virtual machine: its second-stage table can be shared with devices.</summary>
/// <param name="Table">The table; the descriptor holds a reference on it.</param>
public sealed record GuestDescriptor(SharedTable Table) : Descriptor
{
    /// <inheritdoc/>
    public override void Acquire() => Table.Acquire();

    /// <inheritdoc/>
    public override void Release() => Table.Release();
}

/// <summary>A descriptor of a dma-buf.</summary>
/// <param name="Buffer">The buffer; the descriptor holds a reference on it.</param>
public sealed record DmabufDescriptor(Dmabuf Buffer) : Descriptor
{
    /// <inheritdoc/>
    public override void Acquire() => Buffer.Acquire();

    /// <inheritdoc/>
    public override void Release() => Buffer.Release();
}
