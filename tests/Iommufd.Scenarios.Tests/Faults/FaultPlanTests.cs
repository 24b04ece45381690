using Iommufd.Core.Faults;
using Iommufd.Messages.Flows;
using Iommufd.Scenarios.Faults;
using Iommufd.Scenarios.Language;

namespace Iommufd.Scenarios.Tests.Faults;

/// <summary>Fault plans as written: what is read, and what is said about mistakes.</summary>
public sealed class FaultPlanTests
{
    [Theory]
    [MemberData(nameof(Shipped))]
    public void A_shipped_plan_has_no_mistake_and_says_what_it_is_for(string name)
    {
        FaultPlan plan = ShippedFaultPlans.Open(name);
        Assert.Equal(name, plan.Name);
        Assert.InRange(plan.Title.Length, 20, 100);
        Assert.NotEmpty(plan.Rules);
    }

    public static IEnumerable<object[]> Shipped => ShippedFaultPlans.Names.Select(n => new object[] { n });

    [Fact]
    public void The_default_plan_covers_every_fault_point() =>
        Assert.Empty(FaultPoints.All.Except(ShippedFaultPlans.Open("default").Rules.SelectMany(r => r.Points)));

    [Fact]
    public void Every_fault_point_has_a_name_of_its_own_and_a_sentence()
    {
        Assert.Equal(FaultPoints.All.Count, FaultPoints.All.Select(p => p.Name).Distinct().Count());
        Assert.All(
            FaultPoints.All,
            p =>
            {
                Assert.Matches("^[a-z]+\\.[a-z-]+$", p.Name);
                Assert.EndsWith(".", p.Description, StringComparison.Ordinal);
                Assert.Equal(
                    p.Effect is FaultEffect.Refusal or FaultEffect.Removal,
                    p.Explains.Any() || p.Name is "client.death"
                );
                Assert.Same(p, FaultPoints.Find(p.Name));
                Assert.Same(p, FaultPoints.All[p.Index]);
            }
        );
    }

    [Fact]
    public void Every_condition_of_a_rule_is_read()
    {
        FaultRule rule = Assert.Single(
            Read(
                """
                faults: 1
                title: All conditions at once
                rules:
                  - point: [pin.*, table.alloc]
                    probability: 1/4
                    nth: [3, 7]
                    window: 10..20
                    operations: [map, attach]
                    contexts: 2
                    objects: [memory, hwpt]
                    devices: [nic-*, disk]
                    burst: 2
                    at-most: 5
                """
            ).Rules
        );
        Assert.Equal(["pin.fault", "pin.out-of-memory", "pin.limit", "table.alloc"], rule.Points.Select(p => p.Name));
        Assert.Equal(0.25, rule.Probability);
        Assert.Equal([3ul, 7ul], rule.Nth);
        Assert.Equal((10L, 20L), rule.Window);
        Assert.Equal(["map", "attach"], rule.Operations);
        Assert.Equal([2], rule.Contexts);
        Assert.Equal([ParticipantKind.Memory, ParticipantKind.Hwpt], rule.Objects);
        Assert.Equal(["nic-*", "disk"], rule.Devices);
        Assert.Equal((2, 5L), (rule.Burst, rule.AtMost));
    }

    [Theory]
    [InlineData("2%", 0.02)]
    [InlineData("0.5", 0.5)]
    [InlineData("1/8", 0.125)]
    public void Probabilities_are_written_in_three_ways(string text, double value) =>
        Assert.Equal(value, Read(With($"probability: {text}")).Rules[0].Probability, 12);

    [Theory]
    [InlineData("point: pin.falt", "plan.yaml:4:12: error: unknown fault point 'pin.falt'; did you mean 'pin.fault'?")]
    [InlineData(
        "point: pin.fault\n    probabilty: 1%",
        "plan.yaml:5:5: error: unknown key 'probabilty'; did you mean 'probability'?"
    )]
    [InlineData(
        "point: pin.fault\n    probability: 101%",
        "plan.yaml:5:18: error: 'probability' is 101%, and must be between 0 and 1 (100%)"
    )]
    [InlineData(
        "point: pin.fault\n    operations: [mapp]",
        "plan.yaml:5:18: error: unknown operations 'mapp'; did you mean 'map'?"
    )]
    [InlineData("point: pin.fault\n    burst: 0", "plan.yaml:5:12: error: 'burst' is 0, and must be at least 1")]
    [InlineData("probability: 1%", "plan.yaml:4:5: error: 'point' is missing")]
    public void A_mistake_is_told_with_its_place_and_the_nearest_word(string rule, string expected)
    {
        string text = $"faults: 1\ntitle: A mistake\nrules:\n  - {rule}\n";
        var wrong = Assert.Throws<ScenarioInvalidException>(() => FaultPlanText.Read("plan", "plan.yaml", text));
        Assert.StartsWith(expected, wrong.Mistakes[0].ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_plan_that_does_not_exist_is_told_with_the_nearest_one()
    {
        var wrong = Assert.Throws<ScenarioInvalidException>(() => ShippedFaultPlans.Open("defalt"));
        Assert.Equal(
            "defalt:1:1: error: neither a file nor a shipped fault plan; did you mean 'default'?",
            wrong.Mistakes[0].ToString()
        );
    }

    [Fact]
    public void The_nth_point_of_an_operation_is_a_plan_of_its_own()
    {
        FaultRule rule = Assert.Single(ShippedFaultPlans.Open("nth:17:3").Rules);
        Assert.Equal(((17L, 17L), 3ul, FaultPoints.All.Count), (rule.Window!.Value, rule.Nth[0], rule.Points.Count));
        Assert.Throws<ScenarioInvalidException>(() => ShippedFaultPlans.Open("nth:17"));
    }

    private static string With(string condition) =>
        $"faults: 1\ntitle: One rule\nrules:\n  - {{point: pin.fault, {condition}}}\n";

    private static FaultPlan Read(string text) => FaultPlanText.Read("plan", "plan.yaml", text);
}
