using System.Text;
using System.Text.Json;
using Iommufd.Messages;
using Iommufd.Messages.Abi;
using Iommufd.Messages.Commands;
using Xunit;

namespace Iommufd.Core.Tests.Errnos;

/// <summary>The table is complete: every row has a case, and nothing that we or the recorded kernel returned is missing.</summary>
public sealed class ErrnoTableTests
{
    // What the trace's operations are called here, where the names differ by more than a prefix.
    private static readonly Dictionary<string, string> Called = new()
    {
        ["FAULT_READ"] = nameof(ReadFaultQueue),
        ["FAULT_WRITE"] = nameof(WriteFaultQueue),
        ["VEVENT_READ"] = nameof(ReadVeventq),
        ["MMAP"] = nameof(MapWindow),
        ["TEST_BAD_OP"] = "IOMMU_TEST_CMD",
    };

    public static TheoryData<string> CaseNames => [.. ErrnoCases.All.Select(c => c.ToString())];

    [Theory]
    [MemberData(nameof(CaseNames))]
    public void A_case_ends_as_it_says_and_leaves_everything_as_it_was(string name)
    {
        using var stage = new SequentialStage();
        ErrnoCases.All.Single(c => c.ToString() == name).Play(stage);
    }

    [Fact]
    public void Every_written_row_has_a_case()
    {
        var covered = ErrnoCases.All.Select(c => (c.Command, c.Errno)).ToHashSet();
        var byStruct = ErrnoTable.Rows.Except(ErrnoTable.Written).Select(r => (r.Command, r.Errno)).ToHashSet();
        Assert.DoesNotContain(
            ErrnoTable.Written,
            r =>
                r.Command != ErrnoTable.NoCommand
                && !covered.Contains((r.Command, r.Errno))
                && !byStruct.Contains((r.Command, r.Errno))
        );
    }

    [Fact]
    public void Every_case_has_a_row_and_a_name_of_its_own()
    {
        Assert.DoesNotContain(ErrnoCases.All, c => !ErrnoTable.Has(c.Command, c.Errno));
        Assert.Empty(ErrnoCases.All.GroupBy(c => c.ToString()).Where(g => g.Count() > 1).Select(g => g.Key));
        Assert.Empty(
            ErrnoTable.Written.GroupBy(r => (r.Command, r.Errno)).Where(g => g.Count() > 1).Select(g => g.Key)
        );
    }

    [Fact]
    public void Every_command_of_the_uapi_is_known_to_the_table()
    {
        var written = ErrnoTable.Rows.Select(r => r.Command).ToHashSet();
        Assert.Empty(
            IoctlTable
                .All.Where(d => d.Argument != IoctlArgument.Value && !written.Contains(d.Name))
                .Select(d => d.Name)
        );
    }

    public static TheoryData<string> Structs =>
        [.. IoctlTable.All.Where(d => d.Argument != IoctlArgument.Value).Select(d => d.Name)];

    [Theory]
    [MemberData(nameof(Structs))]
    public void The_rules_of_a_struct_hold_before_the_command_is_looked_at(string name)
    {
        var declaration = IoctlTable.All.Single(d => d.Name == name);
        using var stage = new SequentialStage();
        Span<byte> bytes = stackalloc byte[declaration.StructSize + 1];
        bytes.Clear();
        Assert.Equal(Errno.EFAULT, Refused(stage, declaration, ErrnoStage.Nowhere));
        BitConverter.TryWriteBytes(bytes, declaration.MinSize - 1);
        Assert.True(stage.Client.Memory.TryWrite(ErrnoStage.Scratch, bytes));
        Assert.Equal(Errno.EINVAL, Refused(stage, declaration, ErrnoStage.Scratch));
        if (declaration.Argument != IoctlArgument.SizedStruct)
        {
            return;
        }

        bytes[^1] = 1;
        BitConverter.TryWriteBytes(bytes, declaration.StructSize + 1);
        Assert.True(stage.Client.Memory.TryWrite(ErrnoStage.Scratch, bytes));
        Assert.Equal(Errno.E2BIG, Refused(stage, declaration, ErrnoStage.Scratch));
    }

    [Fact]
    public void A_number_that_is_no_command_is_ENOTTY_after_its_size_was_read_where_the_table_has_a_hole()
    {
        using var stage = new SequentialStage();
        var memory = stage.Client.Memory;
        Assert.Equal(Errno.ENOTTY, IoctlCodec.Decode(memory, 0x3b95, ErrnoStage.Scratch).Early!.Errno);
        Assert.Equal(Errno.EFAULT, IoctlCodec.Decode(memory, 0x3b95, ErrnoStage.Nowhere).Early!.Errno);
        Assert.Equal(Errno.ENOTTY, IoctlCodec.Decode(memory, 0x3b7f, ErrnoStage.Nowhere).Early!.Errno);
        Assert.Equal(Errno.ENOTTY, IoctlCodec.Decode(memory, 0x3ba1, ErrnoStage.Nowhere).Early!.Errno);
        Assert.True(
            ErrnoTable.Has(ErrnoTable.NoCommand, Errno.ENOTTY) && ErrnoTable.Has(ErrnoTable.NoCommand, Errno.EFAULT)
        );
    }

    [Fact]
    public void Everything_that_the_recorded_kernel_answered_is_in_the_table()
    {
        var answered = new SortedSet<(string, Errno)>();
        foreach (var file in Directory.EnumerateFiles(Traces(), "*.jsonl", SearchOption.AllDirectories))
        {
            foreach (var line in File.ReadLines(file))
            {
                Collect(line, answered);
            }
        }

        Assert.True(answered.Count > 200);
        Assert.DoesNotContain(answered, a => !ErrnoTable.Has(a.Item1, a.Item2));
    }

    [Fact]
    public void The_documentation_is_the_table()
    {
        var file = Path.Combine(Traces(), "..", "..", "..", "docs", "errnos.md");
        var current = ErrnoDocument.Text();
        if (Environment.GetEnvironmentVariable("IOMMUFD_WRITE_ERRNOS") == "1")
        {
            File.WriteAllText(file, current);
        }

        Assert.True(
            File.ReadAllText(file) == current,
            "docs/errnos.md differs from the table: run this test with IOMMUFD_WRITE_ERRNOS=1 and review the change"
        );
    }

    private static Errno Refused(SequentialStage stage, IoctlDeclaration declaration, ulong argument)
    {
        var memory = stage.Client.Memory;
        var call = declaration.Name.StartsWith("VFIO_DEVICE_", StringComparison.Ordinal)
            ? IoctlCodec.DecodeDevice(memory, declaration.CommandWord, argument)
            : IoctlCodec.Decode(memory, declaration.CommandWord, argument);
        return call.Early?.Errno ?? Errno.OK;
    }

    private static void Collect(string line, SortedSet<(string, Errno)> answered)
    {
        // Only failures are parsed whole: most lines are successes.
        if (line.Contains("\"ret\":\"OK\"", StringComparison.Ordinal))
        {
            return;
        }

        using var step = JsonDocument.Parse(line);
        if (!step.RootElement.TryGetProperty("op", out var op) || !step.RootElement.TryGetProperty("ret", out var ret))
        {
            return;
        }

        var name = op.GetString()!;
        var errno = Enum.Parse<Errno>(ret.GetString()!);
        if (!IsOfTheDescriptor(name, errno))
        {
            answered.Add((NameOf(name), errno));
        }
    }

    // What the table of descriptors, or the file of another kind, answers before iommufd is asked; and raw words.
    private static bool IsOfTheDescriptor(string op, Errno errno) =>
        errno == Errno.EBADF && op is "FAULT_READ" or "FAULT_WRITE" or "VEVENT_READ" or "MMAP" && errno == Errno.EBADF
        || op is "VEVENT_WRITE" or "RAW_IOCTL"
        || (op, errno) is ("VEVENT_READ", Errno.ESPIPE)
        || (op, errno) is ("TEST_BAD_OP", not Errno.EOPNOTSUPP);

    private static string NameOf(string op)
    {
        if (Called.TryGetValue(op, out var called))
        {
            return called;
        }

        if (op.StartsWith("TEST_", StringComparison.Ordinal))
        {
            return "IOMMU_TEST_OP_" + op["TEST_".Length..];
        }

        return op.StartsWith("VFIO_", StringComparison.Ordinal) && op != "VFIO_IOAS" ? op : "IOMMU_" + op;
    }

    private static string Traces()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var traces = Path.Combine(folder.FullName, "tests", "conformance", "traces");
            if (Directory.Exists(traces))
            {
                return traces;
            }
        }

        throw new DirectoryNotFoundException("tests/conformance/traces is not above the test's folder.");
    }
}
