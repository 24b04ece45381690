using System.Text.Json;
using Iommufd.Messages.Abi;
using Iommufd.Messages.Commands;
using Xunit;

namespace Iommufd.Messages.Tests.Abi;

/// <summary>The table of ioctls against an independent description of the uAPI (Data/iommufd-uapi.json).</summary>
public sealed class TableAgainstUapiTests
{
    // Newer than Linux 7.2.
    private const string NotIn72 = "IOMMU_IOAS_NOIOMMU_GET_PA";
    private const string TestCommandName = "IOMMU_TEST_CMD";

    // iommufd refuses it before it looks at the struct, so no member of it is declared.
    private const string RefusedUnread = "VFIO_IOMMU_DIRTY_PAGES";

    private static readonly JsonElement Uapi = JsonDocument
        .Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Data", "iommufd-uapi.json")))
        .RootElement;

    private static IEnumerable<JsonElement> Ioctls => Uapi.GetProperty("ioctls").EnumerateArray();

    public static TheoryData<string> CommandNames() =>
        [.. Ioctls.Select(Name).Where(n => n is not (NotIn72 or TestCommandName or RefusedUnread))];

    public static TheoryData<string> TestOpNames() => [.. TestOps().Select(Name)];

    [Theory]
    [MemberData(nameof(CommandNames))]
    public void A_command_has_the_word_the_sizes_and_the_members_of_the_uapi(string name)
    {
        JsonElement expected = Ioctls.Single(i => Name(i) == name);
        IoctlDeclaration actual = IoctlTable.All.Single(d => d.Name == name);

        Assert.Equal(expected.GetProperty("cmd_word").GetUInt32(), actual.CommandWord);
        Assert.Equal(expected.GetProperty("struct_size").GetInt32(), actual.StructSize);
        Assert.Equal(expected.GetProperty("min_size").GetInt32(), actual.MinSize);
        Assert.Equal(
            ExpectedMembers(expected, sizeWord: !name.StartsWith("VFIO_", StringComparison.Ordinal)),
            Members(actual)
        );
    }

    [Theory]
    [MemberData(nameof(TestOpNames))]
    public void A_test_operation_has_the_number_and_the_members_of_the_uapi(string name)
    {
        JsonElement expected = TestOps().Single(o => Name(o) == name);
        IoctlDeclaration actual = IoctlTable.All.Single(d => d.Name == name);
        string[] head = ["4+4 In op", "8+4 In id"];

        Assert.Equal(expected.GetProperty("value").GetUInt32(), actual.TestOp);
        Assert.Equal(72, actual.StructSize);
        Assert.Equal(68, actual.MinSize);
        Assert.Equal(0x3ba0u, actual.CommandWord);
        Assert.Equal([.. head, .. ExpectedMembers(expected, sizeWord: false)], Members(actual));
    }

    [Fact]
    public void The_uapi_names_every_declaration()
    {
        var known = Ioctls.Select(Name).Concat(TestOps().Select(Name)).ToHashSet(StringComparer.Ordinal);
        Assert.All(IoctlTable.All, d => Assert.Contains(d.Name, known));
        Assert.Equal(24, IoctlTable.All.Count(d => d.Number == IoctlTable.TestNumber));
    }

    [Fact]
    public void Members_of_a_struct_do_not_overlap_and_lie_inside_it() =>
        Assert.All(
            IoctlTable.All,
            declaration =>
            {
                int end = declaration.Argument == IoctlArgument.SizedStruct ? 4 : 0;
                foreach (StructField field in declaration.Fields)
                {
                    Assert.True(field.Offset >= end, $"{declaration.Name}.{field.Name} overlaps");
                    end = field.Offset + field.Width;
                }

                Assert.True(end <= declaration.StructSize, declaration.Name);
            }
        );

    [Fact]
    public void Every_record_of_an_ioctl_has_a_declaration()
    {
        var declared = IoctlTable.All.Select(d => d.CommandType).ToHashSet();
        IEnumerable<Type> records = typeof(IoctlCommand)
            .Assembly.GetTypes()
            .Where(t =>
                t.IsSubclassOf(typeof(IoctlCommand)) && !t.IsSubclassOf(typeof(DriverCommand)) && !t.IsAbstract
            );
        Assert.All(records, r => Assert.Contains(r, declared));
    }

    private static IEnumerable<JsonElement> TestOps() =>
        Ioctls.Single(i => Name(i) == TestCommandName).GetProperty("ops").EnumerateArray();

    private static string Name(JsonElement element) => element.GetProperty("name").GetString()!;

    private static string[] Members(IoctlDeclaration declaration) =>
        [.. declaration.Fields.Select(f => $"{f.Offset}+{f.Width} {f.Direction} {f.Name}")];

    // Two names for one place (in_data_type and out_data_type) are one member: written by both sides, named as output.
    private static IEnumerable<string> ExpectedMembers(JsonElement owner, bool sizeWord) =>
        owner
            .GetProperty("fields")
            .EnumerateArray()
            .Where(f => !sizeWord || f.GetProperty("offset").GetInt32() != 0)
            .GroupBy(f => f.GetProperty("offset").GetInt32())
            .Select(g =>
            {
                JsonElement field = g.Last();
                string direction = g.Count() > 1 ? "InOut" : Direction(field.GetProperty("dir").GetString()!);
                return $"{g.Key}+{field.GetProperty("size").GetInt32()} {direction} {Name(field)}";
            });

    private static string Direction(string direction) =>
        direction switch
        {
            "in" => "In",
            "out" => "Out",
            "inout" => "InOut",
            _ => "Reserved",
        };
}
