using System.Text.Json.Nodes;
using Iommufd.Messages;
using Iommufd.Scenarios.Reports;
using Iommufd.Scenarios.Runner;
using Iommufd.Scenarios.Tests.Language;

namespace Iommufd.Scenarios.Tests.Runner;

/// <summary>Whole runs: final expectations, determinism, stopping, reports.</summary>
public sealed class RunTests
{
    private static readonly (string, string)[] SmallQuickstart = [("rounds", "20"), ("ram", "2M")];

    [Theory]
    [InlineData("operations: {total: 2}", true)]
    [InlineData("operations: {total: at least 3}", false)]
    [InlineData("operations: {failed: 1, byErrno: {ENOENT: 1}}", true)]
    [InlineData("operations: {byErrno: {EBUSY: 1}}", false)]
    [InlineData("dma: {translations: 0, faults: 0, violations: 0}", true)]
    [InlineData("dma: {translations: at least 1}", false)]
    [InlineData("invariants: {violated: 0, checked: at least 1}", true)]
    [InlineData("pins: 0", true)]
    [InlineData("pins: above 0", false)]
    [InlineData("leaked: 0", true)]
    public void Final_expectations_compare_what_was_counted(string expect, bool holds)
    {
        string text =
            Texts.WithSteps("- ioas-alloc: a\n- unmap: {ioas: a, iova: 4K, length: 4K}\n  expect: ENOENT")
            + $"expect:\n  {expect}\n";
        RunReport report = Running.Text(text);
        Assert.Equal(holds, report.Ok);
        Assert.Equal(holds ? 0 : 1, report.FailedExpectations);
    }

    [Theory]
    [InlineData("quickstart")]
    [InlineData("mdev-access")]
    [InlineData("vm-fleet")]
    public void The_same_seed_counts_the_same(string name)
    {
        (string, string)[] settings = name switch
        {
            "quickstart" => SmallQuickstart,
            "vm-fleet" => [("vms", "3"), ("low", "2M"), ("high", "2M")],
            _ => [("rounds", "10"), ("unmaps", "20")],
        };
        Assert.Equal(Counted(name, 7, settings), Counted(name, 7, settings));
    }

    [Fact]
    public void Another_seed_takes_other_ways()
    {
        (string, string)[] settings = [("rounds", "20"), ("unmaps", "40")];
        Assert.NotEqual(Counted("mdev-access", 1, settings), Counted("mdev-access", 2, settings));
    }

    [Fact]
    public void Quickstart_holds_on_all_cores()
    {
        RunReport report = Running.Scenario(Bound("quickstart", 1, SmallQuickstart), seed: null);
        Assert.True(report.Ok, string.Join('\n', report.Failures));
        Assert.True(report.Dma.Translations > 0);
        Assert.True(report.InvariantsChecked > 0);
        Assert.Equal((2, 8), (report.Contexts, report.Devices));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(3ul)]
    public void A_run_that_is_asked_to_stop_closes_its_contexts(ulong? seed)
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        Scenario scenario = Bound("quickstart", 1, [("rounds", "100000000"), ("ram", "2M")]);
        RunReport report = Running.Scenario(scenario, seed, stop: stop.Token);
        Assert.Equal("stopped by a signal", report.StopReason);
        Assert.False(report.Ok);
        Assert.Equal(0, report.InvariantsViolated);
    }

    [Fact]
    public void A_deadline_cuts_a_run_short()
    {
        Scenario scenario = Bound("quickstart", 1, [("rounds", "100000000"), ("ram", "2M")]);
        RunReport report = Running.Scenario(scenario, null, TimeSpan.FromSeconds(5));
        Assert.Equal("the deadline of 5 s has passed", report.StopReason);
        Assert.True(report.Operations > 0);
    }

    [Fact]
    public void Clients_beyond_at_once_wait_for_their_turn()
    {
        // Two at a time: a barrier of three would never open, one of two opens for every pair.
        RunReport report = Running.Text(
            """
            iommufd: 1
            title: t
            clients:
              - {name: c-$i, index: i, count: 6, at-once: 2, steps: [{barrier: {name: pair, parties: 2}}]}
            """
        );
        Assert.True(report.Ok);
        Assert.Equal(6, report.Contexts);
    }

    [Fact]
    public void The_json_has_the_promised_keys()
    {
        JsonObject json = RunJson.Of(Running.Scenario(Bound("quickstart", 5, SmallQuickstart), seed: 5));
        string[] keys =
        [
            "scenario seed runtime ok durationSeconds contexts devices operations.total operations.failed",
            "operations.perSecond operations.byErrno dma.translations dma.perSecond dma.faults dma.violations",
            "invariants.checked invariants.violated invariants.first faults.injected faults.byPoint journal",
            "state.digest memory.peakBytes memory.bytesPerDevice",
        ];
        foreach (string key in keys.SelectMany(k => k.Split(' ')))
        {
            JsonNode? node = json;
            foreach (string part in key.Split('.'))
            {
                Assert.True(node!.AsObject().ContainsKey(part), key);
                node = node[part];
            }
        }

        Assert.Equal("quickstart", (string?)json["scenario"]);
        Assert.Equal(5ul, (ulong)json["seed"]!);
    }

    [Fact]
    public void The_html_report_is_whole_and_asks_for_nothing_outside()
    {
        RunReport report = Running.Steps(
            "- ioas-alloc: a\n- destroy: a\n- unmap: {ioas: a}\n  expect: ENOENT\n- close"
        );
        string html = HtmlReport.Of(report);
        Assert.StartsWith("<!DOCTYPE html>", html, StringComparison.Ordinal);
        Assert.Contains("<svg", html, StringComparison.Ordinal);
        Assert.Contains("ENOENT", html, StringComparison.Ordinal);
        Assert.DoesNotContain(
            "http",
            html.Replace("<!DOCTYPE html>", "", StringComparison.Ordinal),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("<script", html, StringComparison.Ordinal);
    }

    [Fact]
    public void A_timeline_that_runs_over_keeps_every_operation()
    {
        var timeline = new Timeline();
        for (int i = 0; i < 5000; i++)
        {
            timeline.Add(i * 1_000_000L, i % 10 == 0 ? Errno.ENOENT : Errno.OK);
        }

        IReadOnlyList<IReadOnlyDictionary<Errno, long>> slices = timeline.Read(out long width);
        Assert.InRange(slices.Count, 60, 120);
        Assert.Equal(64_000_000, width);
        Assert.Equal(4500, slices.Sum(s => s.GetValueOrDefault(Errno.OK)));
        Assert.Equal(500, slices.Sum(s => s.GetValueOrDefault(Errno.ENOENT)));
    }

    private static string Counted(string name, ulong seed, (string, string)[] settings)
    {
        RunReport report = Running.Scenario(Bound(name, seed, settings), seed);
        string errnos = string.Join(' ', report.ByErrno);
        string steps = string.Join(' ', report.Steps.Select(s => $"{s.Name}:{s.Count}:{s.Failed}"));
        return $"{errnos} {steps} {report.Dma} {report.InvariantsChecked} {report.Digest}";
    }

    private static Scenario Bound(string name, ulong seed, (string Name, string Value)[] settings) =>
        ShippedScenarios.Read(name).Bind([.. settings.Select(s => KeyValuePair.Create(s.Name, s.Value))], seed);
}
