using Iommufd.Messages;
using Iommufd.Messages.Commands;

namespace Iommufd.Core.Context;

/// <summary>
/// What can be mapped of an iommufd: windows of whole pages, each at the lowest free offset from one page on. Single-threaded, in
/// the context.
/// </summary>
public sealed class WindowTable
{
    private readonly SortedDictionary<ulong, MmapWindow> _windows = [];

    /// <summary>The windows, by offset.</summary>
    public IEnumerable<MmapWindow> InOrder => _windows.Values;

    /// <summary>Publishes a window of zeroed memory.</summary>
    /// <param name="length">Bytes, whole pages.</param>
    public MmapWindow Add(ulong length)
    {
        var offset = HostPage.Size;
        foreach (var window in _windows.Values)
        {
            if (window.Offset - offset >= length)
            {
                break;
            }

            offset = window.Offset + window.Length;
        }

        var made = new MmapWindow(offset, length);
        _windows.Add(offset, made);
        return made;
    }

    /// <summary>The window that is exactly at a place; null is ENXIO.</summary>
    public MmapWindow? Find(ulong offset, ulong length) =>
        _windows.TryGetValue(offset, out var window) && window.Length == length ? window : null;

    /// <summary>Takes a window back; existing mappings keep its memory.</summary>
    public void Remove(MmapWindow window) => _windows.Remove(window.Offset);
}

/// <summary>Memory that a vIOMMU's driver shares with user space. The words are safe from any thread.</summary>
public sealed class MmapWindow(ulong offset, ulong length) : IMmapWindow
{
    private readonly uint[] _words = new uint[length / sizeof(uint)];

    /// <summary>Where it is mapped from.</summary>
    public ulong Offset { get; } = offset;

    /// <summary>Bytes.</summary>
    public ulong Length { get; } = length;

    /// <summary>The vIOMMU it belongs to.</summary>
    public ViommuObject Owner { get; set; } = null!;

    /// <summary>Mappings of it; each holds the owner in use.</summary>
    public int Mappings { get; set; }

    /// <inheritdoc/>
    public uint Read(ulong offset) => Volatile.Read(ref _words[offset / sizeof(uint)]);

    /// <inheritdoc/>
    public void Write(ulong offset, uint value) => Volatile.Write(ref _words[offset / sizeof(uint)], value);
}
