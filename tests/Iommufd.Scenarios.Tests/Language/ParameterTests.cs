namespace Iommufd.Scenarios.Tests.Language;

/// <summary>Parameters: defaults, --set, limits.</summary>
public sealed class ParameterTests
{
    private const string Text = """
        iommufd: 1
        title: t
        parameters:
          vms: {default: 2, min: 1, max: 100}
          devices: 4 * vms
          format: {default: amd-v1, choices: [amd-v1, sv48]}
          ram: 64M
        machine:
          iommus:
            - format: $format
          devices:
            - {name: nic-$n, index: n, count: devices}
        clients:
          - {name: vm-$v, index: v, count: vms, steps: []}
        """;

    [Fact]
    public void Defaults_apply_and_can_use_the_parameters_before_them()
    {
        Scenario scenario = Texts.Bound(Text);
        Assert.Equal(8, scenario.Machine.DeviceCount);
        Assert.Equal(2, scenario.ClientCount);
        Assert.Equal("amd-v1", scenario.Machine.Units[0].Format);
    }

    [Fact]
    public void Set_values_replace_defaults_and_reach_what_depends_on_them()
    {
        Scenario scenario = Texts.Bound(Text, ("vms", "3"), ("format", "sv48"));
        Assert.Equal(12, scenario.Machine.DeviceCount);
        Assert.Equal("sv48", scenario.Machine.Units[0].Format);
    }

    [Fact]
    public void The_last_of_two_settings_wins() =>
        Assert.Equal(5, Texts.Bound(Text, ("vms", "3"), ("vms", "5")).ClientCount);

    [Theory]
    [InlineData("vmz", "3", "4:3: error: --set vmz: the scenario has no parameter 'vmz'; did you mean 'vms'?")]
    [InlineData("vms", "0", "4:3: error: --set vms=0: is 0, and must be at least 1")]
    [InlineData("vms", "101", "4:3: error: --set vms=101: is 101, and must be at most 100")]
    [InlineData("vms", "many", "4:3: error: --set vms=many: unknown name 'many'")]
    [InlineData("vms", "", "4:3: error: --set vms=: a number or a name is expected")]
    [InlineData("ram", "1/0", "7:3: error: --set ram=1/0: division by zero")]
    [InlineData("format", "sv4", "6:3: error: --set format=sv4: not one of the choices; did you mean 'sv48'?")]
    public void A_wrong_setting_is_a_mistake_at_its_parameter(string name, string value, string expected)
    {
        string[] mistakes = Texts.MistakesOf(Text, (name, value));
        Assert.Contains(mistakes, m => m.StartsWith(expected, StringComparison.Ordinal));
    }

    [Fact]
    public void A_word_parameter_is_no_number()
    {
        string[] mistakes = Texts.MistakesOf(Text.Replace("count: devices", "count: format", StringComparison.Ordinal));
        Assert.Equal(["12:39: error: 'format' is a word, not a number"], mistakes);
    }

    [Fact]
    public void Several_devices_of_one_name_are_a_mistake()
    {
        string[] mistakes = Texts.MistakesOf(Text.Replace("nic-$n", "nic", StringComparison.Ordinal));
        Assert.Equal(["12:14: error: 8 devices need 8 names: give them an 'index' and use it in 'name'"], mistakes);
    }
}
