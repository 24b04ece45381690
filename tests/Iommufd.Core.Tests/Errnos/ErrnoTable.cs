using Iommufd.Messages;
using Iommufd.Messages.Abi;
using Iommufd.Messages.Commands;

namespace Iommufd.Core.Tests.Errnos;

/// <summary>One line of the table: a command can end with an errno, and when it does.</summary>
/// <param name="Command">The command's name in the uAPI, or the name of a driver's or a door's call.</param>
/// <param name="Errno">How it ends.</param>
/// <param name="When">The conditions, in one sentence.</param>
public sealed record ErrnoRow(string Command, Errno Errno, string When);

/// <summary>
/// Every errno that every command can return (ErrnoTable.Native.cs, .Test.cs, .Other.cs hold the text). docs/errnos.md is made of it. Each
/// row has a case of ours (<see cref="ErrnoCases"/>), and nothing may be returned that is not in it.
/// </summary>
public static partial class ErrnoTable
{
    /// <summary>The name under which numbers that are no command stand.</summary>
    public const string NoCommand = "(no such command)";

    /// <summary>What holds for every command whose struct begins with its size.</summary>
    public static readonly IReadOnlyList<(Errno Errno, string When)> OfEverySized =
    [
        (Errno.EFAULT, "the struct cannot be read, or its answer cannot be written"),
        (Errno.EINVAL, "the struct's size is below the minimum"),
        (Errno.E2BIG, "a byte behind what the kernel knows of the struct is not 0"),
    ];

    /// <summary>What holds for every VFIO command whose struct begins with argsz.</summary>
    public static readonly IReadOnlyList<(Errno Errno, string When)> OfEveryVfioStruct =
    [
        (Errno.EFAULT, "the struct cannot be read, or its answer cannot be written"),
        (Errno.EINVAL, "argsz is below the minimum"),
    ];

    /// <summary>The rows that are written down, in their order.</summary>
    public static IReadOnlyList<ErrnoRow> Written { get; } =
    [.. Parse(NativeText), .. Parse(TestText), .. Parse(OtherText)];

    /// <summary>All rows: those that follow from a struct's kind, and those written down.</summary>
    public static IReadOnlyList<ErrnoRow> Rows { get; } = [.. FromStructs(), .. Written];

    private static readonly HashSet<(string, Errno)> Pairs = [.. Rows.Select(r => (r.Command, r.Errno))];

    /// <summary>Whether a command may end so; success always may.</summary>
    public static bool Has(string command, Errno errno) => errno == Errno.OK || Pairs.Contains((command, errno));

    /// <summary>The name of a command in the table.</summary>
    public static string NameOf(IoctlCommand command) =>
        command is DriverCommand ? command.GetType().Name : IoctlTable.Of(command).Name;

    private static IEnumerable<ErrnoRow> FromStructs()
    {
        foreach (var declaration in IoctlTable.All)
        {
            var rules = declaration.Argument switch
            {
                IoctlArgument.SizedStruct => OfEverySized,
                IoctlArgument.VfioStruct => OfEveryVfioStruct,
                _ => [],
            };
            foreach (var (errno, when) in rules)
            {
                yield return new ErrnoRow(declaration.Name, errno, when);
            }
        }
    }

    // A command on a line of its own, its errnos indented below it.
    private static IEnumerable<ErrnoRow> Parse(string text)
    {
        var command = "";
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.TrimEnd()))
        {
            if (line[0] != ' ')
            {
                command = line;
                continue;
            }

            var trimmed = line.TrimStart();
            var space = trimmed.IndexOf(' ', StringComparison.Ordinal);
            yield return new ErrnoRow(command, Enum.Parse<Errno>(trimmed[..space]), trimmed[space..].Trim());
        }
    }
}
