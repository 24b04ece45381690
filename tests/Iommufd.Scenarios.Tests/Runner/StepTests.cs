using Iommufd.Scenarios.Runner;

namespace Iommufd.Scenarios.Tests.Runner;

/// <summary>What steps do, one behaviour each, on the real actors under a seed.</summary>
public sealed class StepTests
{
    private const string Mapped = """
        - memory: {as: m, size: 64K}
        - ioas-alloc: a
        - map: {ioas: a, memory: m, iova: 1M, as: area}

        """;

    [Fact]
    public void A_step_that_fails_without_an_expectation_makes_the_run_fail()
    {
        RunReport report = Running.Steps(Mapped + "- map: {ioas: a, memory: m, iova: 1M}");
        Assert.False(report.Ok);
        FailedExpectation failure = Assert.Single(report.Failures);
        Assert.Equal(("map", "OK", "EEXIST"), (failure.Step, failure.Expected, failure.Actual));
        Assert.Equal(14, failure.At!.Value.Line);
    }

    [Fact]
    public void A_step_that_fails_as_expected_is_fine()
    {
        RunReport report = Running.Steps(Mapped + "- map: {ioas: a, memory: m, iova: 1M}\n  expect: EEXIST");
        Assert.True(report.Ok);
        Assert.Equal(1, report.Failed);
    }

    [Theory]
    [InlineData("{length: 64K}", true)]
    [InlineData("{length: 32K}", false)]
    [InlineData("{length: at least 64K}", true)]
    [InlineData("{length: above 64K}", false)]
    [InlineData("{length: 1..64K}", true)]
    [InlineData("{length: not 64K}", false)]
    [InlineData("any", true)]
    [InlineData("[ENOENT, OK]", true)]
    [InlineData("ENOENT", false)]
    public void An_expectation_compares_errno_and_outputs(string expect, bool holds) =>
        Assert.Equal(holds, Running.Steps(Mapped + $"- unmap: area\n  expect: {expect}").Ok);

    [Fact]
    public void What_uses_an_object_that_was_never_made_is_skipped()
    {
        RunReport report = Running.Steps("- bind: {device: nic-9, as: d}\n  expect: any\n- unbind: d");
        Assert.True(report.Ok);
        Assert.Equal(1, report.Skipped);
    }

    [Fact]
    public void Dma_reaches_what_is_mapped_and_faults_beside_it()
    {
        RunReport report = Running.Steps(
            Mapped
                + """
                - bind: {device: nic-0, as: d}
                - attach: {device: d, to: a}
                - dma: {device: d, area: area, count: 10}
                  expect: {translations: 10, faults: 0}
                - dma: {device: d, iova: 16M, length: 4K, count: 10}
                  expect: {faults: 10}
                - unmap: area
                - dma: {device: d, iova: 1M, length: 64K, count: 10}
                  expect: {faults: 10}
                """
        );
        Assert.True(report.Ok, string.Join('\n', report.Failures));
        Assert.Equal(20ul, report.Dma.Faults);
        Assert.Equal("nic-0", Assert.Single(report.DmaByDevice).Name);
    }

    [Fact]
    public void Background_dma_goes_on_while_steps_run_and_ends_with_stop()
    {
        RunReport report = Running.Steps(
            Mapped
                + """
                - bind: {device: nic-0, as: d}
                - attach: {device: d, to: a}
                - dma: {device: d, area: area, count: 10, as: traffic}
                - repeat: {times: 20, steps: [{ioas-alloc: b}]}
                - stop: traffic
                  expect: {translations: at least 50, faults: 0}
                """
        );
        Assert.True(report.Ok, string.Join('\n', report.Failures));
    }

    [Fact]
    public void Background_dma_that_nobody_stops_ends_with_the_client()
    {
        RunReport report = Running.Steps(
            Mapped
                + """
                - bind: {device: nic-0, as: d}
                - attach: {device: d, to: a}
                - dma: {device: d, area: area, count: 10, as: traffic}
                """
        );
        Assert.True(report.Ok, string.Join('\n', report.Failures));
    }

    [Fact]
    public void Accesses_pin_read_what_they_wrote_and_unpin()
    {
        RunReport report = Running.Steps(
            Mapped
                + """
                - access: {as: x, ioas: a}
                - pin: {access: x, area: area, offset: 4K, length: 8K, as: p}
                  expect: {pages: 2}
                - access-write: {access: x, area: area, length: 100, fill: 0x5a}
                - access-read: {access: x, area: area, length: 100}
                  expect: {first-byte: 0x5a, bytes: 100}
                - unpin: p
                - access-destroy: x
                """
        );
        Assert.True(report.Ok, string.Join('\n', report.Failures));
    }

    [Fact]
    public void Repeat_runs_its_turns_with_their_index()
    {
        RunReport report = Running.Steps(
            Mapped
                + """
                - repeat: {times: 5, index: i, steps: [{map: {ioas: a, memory: m, iova: 2M + 64K * i}}]}
                - unmap: {ioas: a, iova: 2M + 64K * 4, length: 64K}
                - repeat: {times: 0, steps: [{close: }]}
                """
        );
        Assert.True(report.Ok, string.Join('\n', report.Failures));
        Assert.Equal(6, report.Steps.Single(s => s.Name == "map").Count);
    }

    [Fact]
    public void If_and_let_decide_by_numbers()
    {
        RunReport report = Running.Steps(
            """
            - let: {a: 3, b: a * 2}
            - if: {that: b == 6, then: [{ioas-alloc: x}], else: [{close: }]}
            - destroy: x
            """
        );
        Assert.True(report.Ok, string.Join('\n', report.Failures));
        Assert.Equal(2, report.Operations);
    }

    [Fact]
    public void Choose_takes_every_way_with_its_weight()
    {
        RunReport report = Running.Steps(
            """
            - ioas-alloc: x
            - repeat:
                times: 200
                steps:
                  - choose:
                      - {weight: 3, steps: [{ioas-alloc: y}]}
                      - {weight: 1, steps: [{option: {name: rlimit-mode}}]}
                      - {weight: 0, steps: [{destroy: x}]}
            """
        );
        Assert.InRange(report.Steps.Single(s => s.Name == "ioas-alloc").Count, 121, 181);
        Assert.DoesNotContain(report.Steps, s => s.Name == "destroy");
    }

    [Fact]
    public void Parallel_branches_overlap()
    {
        // Each waits for the other in the middle: one after the other they would never end.
        RunReport report = Running.Steps(
            """
            - parallel:
                count: 2
                index: i
                steps:
                  - ioas-alloc: x-$i
                  - barrier: {name: middle, parties: 2}
                  - destroy: x-$(1 - i)
            """
        );
        Assert.True(report.Ok, string.Join('\n', report.Failures));
        Assert.Equal(4, report.Operations);
    }

    [Fact]
    public void Barriers_join_clients()
    {
        RunReport report = Running.Text(
            """
            iommufd: 1
            title: t
            clients:
              - {name: c-$i, index: i, count: 3, steps: [{barrier: {name: all, parties: 3}}, {ioas-alloc: x}]}
            """
        );
        Assert.True(report.Ok);
        Assert.Equal(3, report.Contexts);
    }

    [Fact]
    public void A_barrier_that_nobody_else_reaches_is_reported_under_a_seed()
    {
        var failure = Assert.Throws<AggregateException>(() => Running.Steps("- barrier: {name: alone, parties: 2}"));
        Assert.IsType<RunStalledException>(failure.InnerException);
    }

    [Fact]
    public void A_pause_passes_in_virtual_time()
    {
        RunReport report = Running.Steps("- pause: 50min");
        Assert.True(report.Ok);
        Assert.True(report.Duration < TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void Steps_after_close_fail_and_the_run_ends()
    {
        RunReport report = Running.Steps("- close\n- ioas-alloc: a");
        Assert.Equal("the context is closed", Assert.Single(report.Failures).Actual);
    }

    [Fact]
    public void A_number_that_cannot_be_computed_in_the_middle_names_its_place()
    {
        var failure = Assert.Throws<AggregateException>(() =>
            Running.Steps("- repeat: {times: 3, index: i, steps: [{memory: {as: m, size: 4K / (1 - i)}}]}")
        );
        var invalid = Assert.IsType<Scenarios.Language.ScenarioInvalidException>(failure.InnerException);
        Assert.Equal("s.yaml:11:72: error: division by zero", Assert.Single(invalid.Mistakes).ToString());
    }

    [Fact]
    public void Two_devices_of_one_name_are_refused()
    {
        string text = Scenarios
            .Tests.Language.Texts.WithSteps("- close")
            .Replace("nic-$n", "nic-$(n / 2)", StringComparison.Ordinal);
        var failure = Assert.Throws<AggregateException>(() => Running.Text(text));
        var invalid = Assert.IsType<Scenarios.Language.ScenarioInvalidException>(failure.InnerException);
        Assert.Contains("the machine refuses device 'nic-0': EEXIST", invalid.Message, StringComparison.Ordinal);
    }
}
