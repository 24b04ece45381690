using Iommufd.Scenarios.Language;
using Iommufd.Scenarios.Language.Tree;

namespace Iommufd.Scenarios.Tests.Shrink;

/// <summary>What is written is read back as it was.</summary>
public sealed class TreeWriterTests
{
    public static TheoryData<string> Names => [.. ShippedScenarios.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_shipped_scenario_survives_being_written(string name)
    {
        TreeMapping tree = Read(ShippedScenarios.SourceOf(name));

        string written = TreeWriter.Write(tree);

        Assert.Equal(Plain(tree), Plain(Read(written)));
        ScenarioText.Read(name, written);
    }

    [Theory]
    [InlineData("a: b")]
    [InlineData("- dash")]
    [InlineData("#comment")]
    [InlineData("two\nlines")]
    [InlineData("\"quoted\" and \\ back")]
    [InlineData("[list], {map}")]
    [InlineData(" spaces ")]
    [InlineData("ends:")]
    [InlineData("")]
    [InlineData("null")]
    public void A_text_that_YAML_would_misread_is_quoted(string text)
    {
        TreeMapping tree = TreeWriter.Mapping(
            new TreeEntry(TreeWriter.Scalar("key"), new TreeScalar(default, text, IsQuoted: true))
        );

        TreeMapping read = Read(TreeWriter.Write(tree));

        Assert.Equal(text, ((TreeScalar)read.Find("key")!).Text);
    }

    [Fact]
    public void Branches_are_lists_in_a_list()
    {
        TreeNode step = TreeWriter.Mapping(TreeWriter.Entry("unmap", TreeWriter.Scalar("area")));
        TreeMapping tree = TreeWriter.Mapping(
            TreeWriter.Entry("parallel", TreeWriter.List(TreeWriter.List(step, step), TreeWriter.List(step)))
        );

        Assert.Equal(Plain(tree), Plain(Read(TreeWriter.Write(tree))));
    }

    private static TreeMapping Read(string text)
    {
        var mistakes = new MistakeCollector("written.yaml");
        TreeNode? read = TreeReader.Read(text, mistakes);
        Assert.True(mistakes.IsEmpty, $"{string.Join('\n', mistakes.InOrder())}\n{text}");
        return Assert.IsType<TreeMapping>(read);
    }

    // Without places and quotes.
    private static string Plain(TreeNode node) =>
        node switch
        {
            TreeScalar scalar => $"<{scalar.Text}>",
            TreeList list => $"[{string.Join(',', list.Items.Select(Plain))}]",
            _ => $"{{{string.Join(',', ((TreeMapping)node).Entries.Select(e => Plain(e.Key) + Plain(e.Value)))}}}",
        };
}
