namespace Iommufd.Cli.Tests;

/// <summary>list, check, and what a mistake on the command line or in a scenario leads to.</summary>
public sealed class ListAndCheckTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("iommufd-cli-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void List_shows_one_line_for_each_shipped_scenario()
    {
        CliRun run = CliRun.Of("list");
        string[] lines = run.Out.TrimEnd().Split(Environment.NewLine);
        Assert.Equal(Scenarios.ShippedScenarios.Names, lines.Select(l => l.Split(' ')[0]));
        Assert.All(lines, l => Assert.True(l.Split("  ", 2)[1].Trim().Length > 10));
        Assert.Equal(ExitCode.Success, run.ExitCode);
    }

    [Fact]
    public void Check_of_a_shipped_scenario_says_what_it_is()
    {
        CliRun run = CliRun.Of("check", "quickstart", "--set", "vms=3");
        Assert.Equal(ExitCode.Success, run.ExitCode);
        Assert.Contains("3 clients, 12 devices, 1 IOMMU unit", run.Out, StringComparison.Ordinal);
        Assert.Contains("--set vms=3", run.Out, StringComparison.Ordinal);
        Assert.Empty(run.Error);
    }

    [Fact]
    public void Every_mistake_of_a_file_goes_to_standard_error_with_exit_code_2()
    {
        string file = Write("broken.yaml", "iommufd: 1\ntitle: t\nclinets: []\n");
        CliRun run = CliRun.Of("check", file);
        Assert.Equal(ExitCode.BadInput, run.ExitCode);
        Assert.Empty(run.Out);
        string[] lines = run.Error.TrimEnd().Split(Environment.NewLine);
        Assert.Equal(
            [
                $"{file}:1:1: error: 'clients' is missing: The processes that open /dev/iommu and what they do.",
                $"{file}:3:1: error: unknown key 'clinets'; did you mean 'clients'?",
            ],
            lines
        );
    }

    [Theory]
    [InlineData("quikstart", "quikstart:1:1: error: neither a file nor a shipped scenario; did you mean 'quickstart'?")]
    [InlineData("/no/such/file.yaml", "/no/such/file.yaml:1:1: error: neither a file nor a shipped scenario")]
    public void An_unknown_scenario_is_bad_input(string name, string expected)
    {
        CliRun run = CliRun.Of("check", name);
        Assert.Equal(ExitCode.BadInput, run.ExitCode);
        Assert.StartsWith(expected, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_parameter_is_bad_input_with_the_nearest_one()
    {
        CliRun run = CliRun.Of("check", "quickstart", "--set", "devcies=2");
        Assert.Equal(ExitCode.BadInput, run.ExitCode);
        Assert.Matches(@"^quickstart\.yaml:\d+:\d+: error: --set devcies: .*did you mean 'devices'\?", run.Error);
    }

    [Theory]
    [InlineData("chekc", "did you mean 'check'?")]
    [InlineData("check", "Required argument 'SCENARIO'")]
    public void A_wrong_command_line_is_bad_input(string command, string expected)
    {
        CliRun run = CliRun.Of(command);
        Assert.Equal(ExitCode.BadInput, run.ExitCode);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Out);
    }

    [Fact]
    public void A_wrong_option_is_bad_input_with_the_nearest_one()
    {
        CliRun run = CliRun.Of("check", "quickstart", "--sett", "a=1");
        Assert.Equal(ExitCode.BadInput, run.ExitCode);
        Assert.Contains("did you mean '--set'?", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_setting_without_a_value_is_bad_input()
    {
        CliRun run = CliRun.Of("check", "quickstart", "--set", "vms");
        Assert.Equal(ExitCode.BadInput, run.ExitCode);
        Assert.Contains("'vms' is not name=value", run.Error, StringComparison.Ordinal);
    }

    private string Write(string name, string text)
    {
        string file = Path.Combine(_directory, name);
        File.WriteAllText(file, text);
        return file;
    }
}
