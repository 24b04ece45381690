namespace Iommufd.Scenarios.Tests.Language;

/// <summary>What comes with the program is valid and says what it shows.</summary>
public sealed class ShippedScenarioTests
{
    public static TheoryData<string> Names => [.. ShippedScenarios.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_shipped_scenario_has_no_mistake(string name) => ShippedScenarios.Read(name).Bind([], 1);

    [Theory]
    [MemberData(nameof(Names))]
    public void A_shipped_scenario_describes_itself(string name)
    {
        Iommufd.Scenarios.Language.ScenarioText text = ShippedScenarios.Read(name);
        Assert.InRange(text.Title.Length, 20, 110);
        Assert.InRange(text.Description.Split('\n').Length, 2, 8);
        Assert.All(text.Parameters, p => Assert.NotEmpty(p.Summary));
    }

    [Fact]
    public void Quickstart_is_listed_first_and_the_others_are_there() =>
        Assert.Equal(
            [
                "quickstart",
                "attach-storm",
                "demand-paging",
                "device-hot-unplug",
                "entry-size-change",
                "every-command",
                "fleet",
                "kvm-shared-table",
                "live-migration",
                "mdev-access",
                "nested-guest",
                "pasid-sva",
                "shared-memory",
                "vfio-cdev",
                "vfio-legacy",
                "viommu-events",
                "vm-fleet",
            ],
            ShippedScenarios.Names
        );
}
