using System.Collections.Concurrent;
using System.Text;
using Iommufd.Messages.Commands;

namespace Iommufd.Core.Faults;

/// <summary>
/// The word of each operation in fault plans and reports: a scenario's step where there is one, else the command's name in small
/// letters with dashes (<c>hwpt-invalidate</c>). Safe from any thread.
/// </summary>
public static class OperationWords
{
    /// <summary>The close of a context.</summary>
    public const string Close = "close";

    /// <summary>DMA of a device.</summary>
    public const string Dma = "dma";

    /// <summary>What belongs to no operation.</summary>
    public const string None = "none";

    private static readonly Dictionary<Type, string> Steps = new()
    {
        [typeof(IoasMap)] = "map",
        [typeof(IoasUnmap)] = "unmap",
        [typeof(IoasCopy)] = "copy",
        [typeof(BindDevice)] = "bind",
        [typeof(UnbindDevice)] = "unbind",
        [typeof(AttachDevice)] = "attach",
        [typeof(ReplaceDevice)] = "replace",
        [typeof(DetachDevice)] = "detach",
        [typeof(OpenVfioDevice)] = "vfio-open",
        [typeof(VfioDeviceBindIommufd)] = "vfio-bind",
        [typeof(VfioDeviceAttachIommufdPt)] = "vfio-attach",
        [typeof(VfioDeviceDetachIommufdPt)] = "vfio-detach",
        [typeof(CloseVfioDevice)] = "vfio-close",
        [typeof(UnbindVfioDevice)] = "vfio-close",
        [typeof(CreateAccess)] = "access",
        [typeof(ReplaceAccessIoas)] = "access-replace",
        [typeof(DestroyAccess)] = "access-destroy",
        [typeof(PinAccessPages)] = "pin",
        [typeof(UnpinAccessPages)] = "unpin",
        [typeof(ReadWriteAccess)] = "access-rw",
    };

    // A cache of a pure function: the words do not depend on who asked first.
    private static readonly ConcurrentDictionary<Type, string> Known = new();

    /// <summary>The word of a command.</summary>
    public static string Of(IoctlCommand command) => Known.GetOrAdd(command.GetType(), WordOf);

    /// <summary>The words of every command that there is, in alphabetical order.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        .. typeof(IoctlCommand)
            .Assembly.GetTypes()
            .Where(t => !t.IsAbstract && t.IsSubclassOf(typeof(IoctlCommand)))
            .Select(WordOf)
            .Append(Close)
            .Append(Dma)
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal),
    ];

    private static string WordOf(Type command)
    {
        if (Steps.TryGetValue(command, out var step))
        {
            return step;
        }

        var word = new StringBuilder();
        foreach (var letter in command.Name)
        {
            if (char.IsUpper(letter) && word.Length > 0)
            {
                word.Append('-');
            }

            word.Append(char.ToLowerInvariant(letter));
        }

        return word.ToString();
    }
}
