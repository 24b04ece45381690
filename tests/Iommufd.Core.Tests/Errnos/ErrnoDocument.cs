using System.Globalization;
using System.Text;
using Iommufd.Messages.Abi;

namespace Iommufd.Core.Tests.Errnos;

/// <summary>docs/errnos.md, made of the table.</summary>
internal static class ErrnoDocument
{
    private const string Head = """
        # Which errno, and when

        <!-- Made from the table in tests/Iommufd.Core.Tests/Errnos; ErrnoTableTests compares it. -->

        Every errno that each command can return. Each row has a test case of ours (`tests/Iommufd.Core.Tests/Errnos`), played without actors
        and with them, and everything that the recorded kernel answered is in here. A command that fails changes nothing, but for what
        [differences.md](differences.md) and [flows.md](flows.md) say of work that was done before the failure.

        Not in the table: `EIO` for a command whose participant died three times in one step (a fault plan's doing), `EBADF` for a context that is
        closed, and what a descriptor answers before iommufd is asked.


        """;

    public static string Text()
    {
        var text = new StringBuilder(Head.ReplaceLineEndings("\n"));
        text.Append("## What holds for every struct\n\n| struct | errno | when |\n| --- | --- | --- |\n");
        foreach (var (errno, when) in ErrnoTable.OfEverySized)
        {
            text.Append(CultureInfo.InvariantCulture, $"| iommufd's, with a size | {errno} | {when} |\n");
        }

        foreach (var (errno, when) in ErrnoTable.OfEveryVfioStruct)
        {
            text.Append(CultureInfo.InvariantCulture, $"| VFIO's, with argsz | {errno} | {when} |\n");
        }

        Section(text, "Commands of iommufd", IsNative);
        Section(text, "Operations of the selftest", c => c.StartsWith("IOMMU_TEST_", StringComparison.Ordinal));
        Section(text, "VFIO", c => c.StartsWith("VFIO_", StringComparison.Ordinal));
        Section(text, "What doors and drivers call", c => !c.Contains('_', StringComparison.Ordinal) && c[0] != '(');
        Section(text, "Numbers that are no command", c => c == ErrnoTable.NoCommand);
        return text.ToString();
    }

    private static bool IsNative(string command) =>
        command.StartsWith("IOMMU_", StringComparison.Ordinal)
        && !command.StartsWith("IOMMU_TEST_", StringComparison.Ordinal);

    private static void Section(StringBuilder text, string title, Func<string, bool> holds)
    {
        text.Append(CultureInfo.InvariantCulture, $"\n## {title}\n\n| command | errno | when |\n| --- | --- | --- |\n");
        foreach (var row in ErrnoTable.Written.Where(r => holds(r.Command)))
        {
            text.Append(CultureInfo.InvariantCulture, $"| {row.Command} | {row.Errno} | {row.When} |\n");
        }

        foreach (
            var silent in IoctlTable.All.Where(d => holds(d.Name) && ErrnoTable.Written.All(r => r.Command != d.Name))
        )
        {
            text.Append(CultureInfo.InvariantCulture, $"| {silent.Name} | | nothing of its own |\n");
        }
    }
}
