using Iommufd.Core.Faults;
using Iommufd.Messages;
using Iommufd.Scenarios.Faults;
using Iommufd.Scenarios.Language;
using Iommufd.Scenarios.Runner;
using Iommufd.Scenarios.Soak;
using Iommufd.Scenarios.Tests.Language;

namespace Iommufd.Scenarios.Tests.Runner;

/// <summary>The steps on VFIO devices, windows and limits, on the real actors under a seed.</summary>
public sealed class VfioStepTests
{
    private const string Bound = """
        - memory: {as: m, size: 64K}
        - ioas-alloc: a
        - map: {ioas: a, memory: m, iova: 1M, as: area}
        - vfio-open: {device: nic-0, as: d}
        - vfio-bind: {cdev: d, as: d}
        - vfio-attach: {cdev: d, to: a}

        """;

    [Fact]
    public void A_client_that_leaves_its_VFIO_devices_open_ends_with_everything_closed()
    {
        RunReport report = Running.Steps(Bound);
        Assert.True(report.Ok);
        Assert.Equal(0, report.InvariantsViolated);
    }

    [Fact]
    public void The_iommufd_can_be_closed_before_its_devices_and_outlives_its_descriptor()
    {
        RunReport report = Running.Steps(
            Bound
                + """
                - close
                - dma: {device: d, area: area, count: 4}
                  expect: {faults: 0}
                - vfio-close: d
                - dma: {device: d, area: area, count: 4}
                  expect: {faults: 4}
                """
        );
        Assert.True(report.Ok, string.Join("; ", report.Failures));
        Assert.Equal(0, report.InvariantsViolated);
    }

    [Fact]
    public void Nothing_is_asked_of_an_iommufd_whose_descriptor_is_closed()
    {
        RunReport report = Running.Steps(Bound + "- close\n- ioas-alloc: b");
        Assert.False(report.Ok);
        Assert.Equal("an open context", Assert.Single(report.Failures).Expected);
    }

    [Fact]
    public void The_iommufd_can_be_closed_after_its_devices()
    {
        RunReport report = Running.Steps(Bound + "- vfio-close: d\n- close:\n  expect: {leaked: 0}");
        Assert.True(report.Ok);
    }

    [Fact]
    public void A_limit_of_open_files_counts_what_is_open_and_frees_what_is_closed()
    {
        RunReport report = Running.Steps(
            """
            - limits: {open-files: 5}
            - vfio-open: {device: nic-0, as: d}
              expect: {descriptor: 4}
            - vfio-open: {device: nic-1, as: e}
              expect: EMFILE
            - memfd: {as: f, size: 4K}
              expect: EMFILE
            - fault-queue-alloc: q
              expect: EMFILE
            - vfio-close: d
            - fault-queue-alloc: q
            - vfio-open: {device: nic-1, as: e}
              expect: EMFILE
            - close-queue: q
            - memfd: {as: f, size: 4K}
            """
        );
        Assert.True(report.Ok, string.Join("; ", report.Failures));
    }

    [Fact]
    public void A_process_without_a_free_descriptor_cannot_open_an_iommufd()
    {
        RunReport report = Running.Text(
            "iommufd: 1\ntitle: t\nclients:\n  - {name: c, open-files: 3, steps: [ioas-alloc: a]}\n"
        );
        FailedExpectation failure = Assert.Single(report.Failures);
        Assert.Equal(("open", "EMFILE"), (failure.Step, failure.Actual));
    }

    [Fact]
    public void A_window_is_mapped_whole_and_keeps_its_words_until_it_is_unmapped()
    {
        RunReport report = Running.Steps(
            """
            - ioas-alloc: a
            - bind: {device: nic-0, as: d}
            - hwpt-alloc: {as: p, device: d, ioas: a, flags: nest-parent}
            - viommu-alloc: {as: plain, device: d, parent: p}
              expect: {length: 0}
            - viommu-alloc: {as: v, device: d, parent: p, window: 7}
              expect: {offset: 4K, length: 8K}
            - window-map: {as: w, viommu: v, length: 4K}
              expect: ENXIO
            - window-map: {as: w, viommu: v, private: true}
              expect: EINVAL
            - window-map: {as: w, viommu: v, executable: true}
              expect: EPERM
            - window-map: {as: w, viommu: v}
            - window-write: {window: w, offset: 4K, value: 9}
            - window-read: {window: w, offset: 4K}
              expect: {value: 9}
            - window-read: w
              expect: {value: 7}
            - window-read: {window: w, offset: 8K}
              expect: EFAULT
            - destroy: v
              expect: EBUSY
            - window-unmap: w
            - window-unmap: w
              expect: EINVAL
            - destroy: v
            """
        );
        Assert.True(report.Ok, string.Join("; ", report.Failures));
    }

    [Fact]
    public async Task What_an_unmap_that_was_struck_leaves_charged_explains_that_a_later_map_finds_no_room()
    {
        const string text = """
            iommufd: 1
            title: t
            machine:
              devices:
                - name: nic
            clients:
              - name: c
                memlock: 16K
                cap-ipc-lock: false
                steps:
                  - memory: {as: m, size: 64K}
                  - ioas-alloc: a
                  - bind: {device: nic, as: d}
                  - attach: {device: d, to: a}
                  - map: {ioas: a, memory: m, length: 16K, iova: 1M, as: first}
                  - unmap: first
                  - map: {ioas: a, memory: m, offset: 16K, length: 16K, iova: 2M}
            """;
        var plan = new FaultPlan(
            "one",
            "The struct of the unmap cannot be read",
            [new FaultRule([FaultPoints.CommandCopyIn]) { Operations = ["unmap"] }]
        );
        var run = new SeedRun(ScenarioText.Read("own.yaml", text), 1, plan);
        SeedOutcome outcome = await SeedRunner.RunAsync(run, CancellationToken.None);
        Assert.Null(outcome.Result.Failure);
        Assert.Equal(
            [1, 1],
            outcome.Report!.ByErrno.Where(e => e.Errno is Errno.EFAULT or Errno.ENOMEM).Select(e => e.Count)
        );
    }
}
