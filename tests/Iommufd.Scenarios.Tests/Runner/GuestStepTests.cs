using Iommufd.Scenarios.Runner;

namespace Iommufd.Scenarios.Tests.Runner;

/// <summary>Steps on guests, queues, files and containers, one behaviour each, on the real actors under a seed.</summary>
public sealed class GuestStepTests
{
    private const string Machine = """
        iommufd: 1
        title: t
        machine:
          iommus: [{format: vtd-ss}, {format: amd-v1}, {format: armv8-4k}]
          devices:
            - {name: vtd, iommu: 0, pasids: 16}
            - {name: amd, iommu: 1, pasids: 16}
            - {name: arm, iommu: 2, pasids: 16}
        clients:
          - name: c
            steps:

        """;

    private const string Mapped = """
        - memory: {as: m, size: 8M}
        - ioas-alloc: a
        - map: {ioas: a, memory: m, iova: 0, as: area}

        """;

    private const string Nested =
        Mapped
        + """
            - bind: {device: vtd, as: d}
            - hwpt-alloc: {as: parent, device: d, ioas: a, flags: [nest-parent, pasid]}
            - guest-table: {as: t, memory: m, length: 64K}
            - nested-hwpt-alloc: {as: n, device: d, parent: parent, table: t, flags: pasid}

            """;

    [Theory]
    [InlineData("- ioas-alloc: x\n  save: {id: n}\n- if: {that: n > 0, then: [{ioas-alloc: y}]}\n- destroy: y")]
    [InlineData("- ioas-alloc: x\n  save: {id: n}\n- ioas-alloc: y\n  expect: {id: n + 1}")]
    public void A_saved_output_is_a_number_from_then_on(string steps) => AssertOk(Run(steps));

    [Fact]
    public void An_output_that_a_failed_step_does_not_have_is_saved_as_0_and_the_errno_as_its_number() =>
        AssertOk(
            Run(
                """
                - ioas-alloc: a
                - unmap: {ioas: a, iova: 1G, length: 4K}
                  expect: ENOENT
                  save: {length: n, errno: e}
                - if: {that: n == 0 && e == 2, then: [], else: [{destroy: a}, {destroy: a}]}
                """
            )
        );

    [Fact]
    public void Leave_ends_the_innermost_loop_when_its_condition_holds()
    {
        RunReport report = Run(
            """
            - repeat:
                times: 3
                steps:
                  - repeat: {times: 10, index: i, steps: [{leave: i == 4}, {ioas-alloc: x}]}
            - leave:
            - ioas-alloc: never
            """
        );
        AssertOk(report);
        Assert.Equal(12, report.Operations);
    }

    [Fact]
    public void What_dma_wrote_is_read_by_cpu()
    {
        AssertOk(
            Run(
                Mapped
                    + """
                    - bind: {device: amd, as: d}
                    - attach: {device: d, to: a}
                    - dma: {device: d, area: area, offset: 4K, length: 8K, pattern: ring, block: 4K, count: 2, write: 100, fill: 9}
                    - memory-read: {memory: m, length: 16K, byte: 9}
                      expect: {first-byte: 0, count: 8K}
                    - memory-write: {memory: m, offset: 4K, length: 100, fill: 8}
                    - memory-read: {memory: m, byte: 9}
                      expect: {count: 8K - 100}
                    - memory: {as: copy, size: 8M}
                    - memory-copy: {memory: m, to: copy, length: 8K}
                      expect: {pages: 2}
                    - memory-compare: {memory: m, with: copy}
                      expect: {different: 1}
                    """
            )
        );
    }

    [Fact]
    public void A_bitmap_says_which_pages_to_copy()
    {
        AssertOk(
            Run(
                Mapped
                    + """
                    - bind: {device: amd, as: d}
                    - hwpt-alloc: {as: h, device: d, ioas: a, flags: dirty-tracking}
                    - attach: {device: d, to: h}
                    - get-dirty-bitmap: {hwpt: h, area: area, page-size: 0}
                      expect: EINVAL
                    - set-dirty-tracking: h
                    - dma: {device: d, iova: 8K, length: 16K, pattern: ring, block: 4K, count: 4, write: 100, fill: 1}
                    - get-dirty-bitmap: {hwpt: h, area: area, keep: true}
                      expect: {dirty: 4}
                    - get-dirty-bitmap: {hwpt: h, area: area, as: bits}
                      expect: {dirty: 4}
                    - get-dirty-bitmap: {hwpt: h, area: area}
                      expect: {dirty: 0}
                    - memory: {as: copy, size: 8M}
                    - memory-copy: {memory: m, to: copy, pages: bits}
                      expect: {pages: 4}
                    - memory-compare: {memory: m, with: copy}
                      expect: {different: 0}
                    """
            )
        );
    }

    [Fact]
    public void A_file_is_shared_between_clients_and_mapped_without_an_address()
    {
        string text =
            Machine.Replace("  - name: c\n    steps:\n", "", StringComparison.Ordinal)
            + """
                  - name: owner
                    steps:
                      - memfd: {as: f, size: 64K, offer: shared}
                      - barrier: {name: offered, parties: 2}
                      - barrier: {name: written, parties: 2}
                      - memory: {as: m, size: 64K, file: f}
                      - memory-read: {memory: m, byte: 5}
                        expect: {count: 64K}
                  - name: user
                    steps:
                      - memfd: {as: f, take: nothing}
                        expect: ENOENT
                      - barrier: {name: offered, parties: 2}
                      - memfd: {as: f, take: shared}
                      - ioas-alloc: a
                      - map-file: {ioas: a, file: f, iova: 1M, as: area}
                        expect: {iova: 1M}
                      - bind: {device: amd, as: d}
                      - attach: {device: d, to: a}
                      - dma: {device: d, area: area, pattern: ring, block: 4K, count: 16, write: 100, fill: 5}
                        expect: {faults: 0}
                      - barrier: {name: written, parties: 2}
                """;
        AssertOk(Running.Text(text));
    }

    [Fact]
    public void Another_process_takes_over_what_is_mapped_of_files()
    {
        AssertOk(
            Run(
                """
                - memfd: {as: f, size: 64K}
                - process: {as: child}
                - process: {as: poor, memlock: 4K, cap-ipc-lock: false}
                - ioas-alloc: a
                - map-file: {ioas: a, file: f, iova: 0}
                - bind: {device: amd, as: d}
                - attach: {device: d, to: a}
                - change-process: child
                - memory: {as: m, size: 4K}
                - map: {ioas: a, memory: m, iova: 1M}
                - change-process: child
                  expect: EINVAL
                """
            )
        );
    }

    [Fact]
    public void Ranges_are_allowed_and_asked_for()
    {
        AssertOk(
            Run(
                """
                - ioas-alloc: a
                - memory: {as: m, size: 4K}
                - allow-iovas: {ioas: a, ranges: [1M..2M - 1, 1G..2G - 1]}
                - map: {ioas: a, memory: m, as: area}
                  expect: {iova: 1M..2G}
                - allow-iovas: {ioas: a, ranges: [2M..1M + 1M]}
                  expect: EINVAL
                - iova-ranges: a
                  expect: {ranges: 1, first: 0, alignment: 1}
                - bind: {device: vtd, as: d}
                - attach: {device: d, to: a}
                - iova-ranges: a
                  expect: {ranges: 1, last: below 1 << 57, alignment: 4K}
                - hw-info: d
                  expect: {capabilities: at least 1, pasid-bits: 4}
                """
            )
        );
    }

    [Fact]
    public void A_guests_mapping_is_used_until_it_is_invalidated()
    {
        AssertOk(
            Run(
                Nested
                    + """
                    - attach: {device: d, to: n}
                    - guest-map: {table: t, iova: 1T, to: 1M, length: 8K}
                    - dma: {device: d, iova: 1T, length: 8K, pattern: ring, block: 4K, count: 2}
                      expect: {faults: 0}
                    - guest-unmap: {table: t, iova: 1T, length: 8K}
                      expect: {length: 8K}
                    - hwpt-invalidate: {hwpt: n, iova: 1T, length: 4K}
                      expect: {done: 1}
                    - dma: {device: d, iova: 1T, length: 8K, pattern: ring, block: 4K, count: 2}
                      expect: {faults: 1}
                    - hwpt-invalidate: n
                    - dma: {device: d, iova: 1T, length: 8K, pattern: ring, block: 4K, count: 2}
                      expect: {faults: 2}
                    """
            )
        );
    }

    [Fact]
    public void A_table_of_another_hardware_is_refused()
    {
        AssertOk(
            Run(
                Nested
                    + """
                    - guest-table: {as: other, hardware: amd, memory: m, offset: 64K, length: 64K}
                    - nested-hwpt-alloc: {as: o, device: d, parent: parent, table: other}
                      expect: EOPNOTSUPP
                    - guest-pasid: {table: t, pasid: 1, uses: other}
                      expect: EOPNOTSUPP
                    - guest-pasid: {table: other, pasid: 1, uses: t}
                    """
            )
        );
    }

    [Fact]
    public void The_selftests_data_leave_addresses_as_they_are()
    {
        AssertOk(
            Run(
                Nested
                    + """
                    - nested-hwpt-alloc: {as: s, device: d, parent: parent, iotlb: 7}
                    - attach: {device: d, to: s}
                    - dma: {device: d, area: area, count: 16}
                      expect: {faults: 0}
                    - hwpt-invalidate: s
                      expect: {done: 1}
                    """
            )
        );
    }

    [Fact]
    public void A_pasids_page_request_is_answered_by_the_guests_tables()
    {
        AssertOk(
            Run(
                Nested
                    + """
                    - fault-queue-alloc: q
                    - nested-hwpt-alloc: {as: p, device: d, parent: parent, table: t, flags: pasid, fault: q}
                    - attach: {device: d, to: p, pasid: 3}
                    - parallel:
                        - - dma: {device: d, pasid: 3, iova: 1T, length: 4K, count: 5, page-requests: true}
                            expect: {faults: 0}
                        - - fault-read: {queue: q, wait: 10s}
                            expect: {requests: 1, pasid: 3, address: 1T}
                            save: {cookie: c}
                          - guest-map: {table: t, iova: 1T, to: 1M, length: 4K}
                          - fault-respond: {queue: q, cookie: c}
                    - poll: q
                      expect: {readable: 0, writable: 1}
                    - destroy: q
                      expect: EBUSY
                    """
            )
        );
    }

    [Fact]
    public void Events_reach_the_guest_from_refused_dma_and_by_hand()
    {
        AssertOk(
            Run(
                Nested
                    + """
                    - viommu-alloc: {as: v, device: d, parent: parent}
                    - viommu-alloc: {as: w, device: d, parent: parent, type: smmuv3}
                      expect: EOPNOTSUPP
                    - veventq-alloc: {as: e, viommu: v}
                    - vdevice-alloc: {as: vd, viommu: v, device: d, virtual-id: 42}
                    - nested-hwpt-alloc: {as: vn, device: d, parent: v, table: t}
                    - veventq-read: e
                      expect: {events: 0}
                    - device-event: d
                      expect: ENOENT
                    - attach: {device: d, to: vn}
                    - device-event: d
                    - veventq-read: e
                      expect: {events: 1, virtual-id: 42, sequence: 0}
                    - dma: {device: d, iova: 5T, length: 4K, count: 2}
                      expect: {faults: 2}
                    - veventq-read: {queue: e, wait: 10s}
                      expect: {events: 1, sequence: 1}
                    - hwpt-invalidate: {viommu: v, virtual-id: 42}
                      expect: {done: 1}
                    - hw-queue-alloc: {as: hq, viommu: v, area: area, length: 4K}
                    - unmap: area
                      expect: EBUSY
                    - destroy: hq
                    - destroy: vd
                    """
            )
        );
    }

    [Fact]
    public void A_container_answers_as_vfio_does()
    {
        AssertOk(
            Run(
                """
                - memory: {as: m, size: 64K}
                - vfio-set-iommu: type1
                  expect: ENODEV
                - ioas-alloc: a
                - vfio-ioas: a
                - vfio-set-iommu: type1-v2
                - vfio-map-dma: {memory: m, iova: 1M}
                - vfio-get-info:
                  expect: {page-sizes: at least 1}
                - vfio-unmap-dma: {iova: 1M, length: 4K}
                  expect: ENOENT
                - vfio-unmap-dma: {all: true}
                  expect: {length: 64K}
                - vfio-dirty-pages:
                  expect: ENOTTY
                """
            )
        );
    }

    [Fact]
    public void Bytes_of_a_large_memory_are_counted_in_one_step()
    {
        AssertOk(
            Run(
                """
                - memory: {as: large, size: 80M}
                - memory-write: {memory: large, offset: 70M, length: 5000, fill: 3}
                - memory-read: {memory: large, byte: 3}
                  expect: {first-byte: 0, count: 5000}
                - memory-read: {memory: large, offset: 80M, byte: 3}
                  expect: {first-byte: "-1", count: 0}
                - memory-read: {memory: large, offset: 79M, length: 2M, byte: 3}
                  expect: EFAULT
                """
            )
        );
    }

    [Fact]
    public void A_device_nobody_has_bound_reaches_nothing()
    {
        RunReport report = Run(Mapped + "- dma: {machine-device: amd, area: area, count: 3}\n  expect: {faults: 3}");
        AssertOk(report);
        Assert.Equal("amd", Assert.Single(report.DmaByDevice).Name);
    }

    [Fact]
    public void A_script_whose_object_was_never_made_is_skipped()
    {
        RunReport report = Run(
            """
            - bind: {device: nothing-$(1), as: d}
              expect: any
            - ioas-alloc: a
            - hwpt-alloc: {as: h, device: d, ioas: a}
            - get-dirty-bitmap: {hwpt: h, iova: 0, length: 4K}
            """.Replace("nothing-$(1)", "amd", StringComparison.Ordinal).Replace(
                "- hwpt-alloc: {as: h",
                "- unbind: d\n- hwpt-alloc: {as: h",
                StringComparison.Ordinal
            )
        );
        Assert.Equal(2, report.Skipped);
    }

    [Fact]
    public void A_script_that_waits_ends_when_the_run_is_stopped()
    {
        Scenario scenario = Language.Texts.Bound(
            Machine + Indented("- fault-queue-alloc: q\n- fault-read: {queue: q, wait: 1h}")
        );
        RunReport report = Running.Scenario(scenario, seed: null, TimeSpan.FromMilliseconds(300));
        Assert.NotNull(report.StopReason);
    }

    private static RunReport Run(string steps) => Running.Text(Machine + Indented(steps));

    private static string Indented(string steps) => string.Concat(steps.Split('\n').Select(l => "      " + l + "\n"));

    private static void AssertOk(RunReport report) => Assert.True(report.Ok, string.Join('\n', report.Failures));
}
