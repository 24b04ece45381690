using Iommufd.Core.Faults;
using Iommufd.Core.Flows;
using Iommufd.Messages.Commands;
using Iommufd.Scenarios.Drill;
using Iommufd.Scenarios.Faults;
using Iommufd.Scenarios.Soak;
using Iommufd.Scenarios.Tests.Language;

namespace Iommufd.Scenarios.Tests.Soak;

/// <summary>Nth mode: every single failure of every operation.</summary>
public sealed class NthTests
{
    private const string MapAndUnmap = """
        iommufd: 1
        title: One device and one buffer, mapped and unmapped
        machine: {devices: [{name: nic, reserved: [0xfee00000..0xfeefffff]}]}
        clients:
          - name: driver
            steps:
              - memory: {as: ram, size: 64K}
              - ioas-alloc: space
              - bind: {device: nic, as: nic}
              - attach: {device: nic, to: space}
              - map: {ioas: space, memory: ram, iova: 1M, as: buffer}
              - unmap: buffer
        """;

    [Fact]
    public async Task Every_point_that_a_map_and_an_attach_reach_is_failed_once_and_nothing_is_left()
    {
        NthOutcome outcome = await new NthRunner(Request(MapAndUnmap)).RunAsync(failed: null, CancellationToken.None);
        Assert.Empty(outcome.Totals.Failures);
        Assert.True(outcome.IsComplete);
        string[] reached = [.. outcome.Totals.PointsCovered];
        foreach (
            FaultPoint point in new[]
            {
                FaultPoints.PinFault,
                FaultPoints.PinOutOfMemory,
                FaultPoints.PinLimit,
                FaultPoints.AreaAlloc,
                FaultPoints.TableAlloc,
                FaultPoints.IopteInstall,
                FaultPoints.HwptAlloc,
                FaultPoints.DeviceAttach,
                FaultPoints.RangeAlloc,
                FaultPoints.ActorPoisoned,
                FaultPoints.ActorCrashInside,
                FaultPoints.IotlbLost,
                FaultPoints.JournalError,
                FaultPoints.ClientDeath,
            }
        )
        {
            Assert.Contains(point.Name, reached);
        }

        Assert.Equal(outcome.Rows.Sum(r => r.Points), outcome.Totals.Injected);
        Assert.True(outcome.Rows.Single(r => r.Operation == "map").Points > 10);
    }

    [Fact]
    public async Task A_drill_issues_every_command_that_a_client_can()
    {
        var request = new SoakRequest { Scenarios = [("every-command", ShippedScenarios.Read("every-command"))] };
        SeedOutcome outcome = await SeedRunner.RunAsync(request.RunAt(0), CancellationToken.None);
        Assert.Null(outcome.Result.Failure);
        HashSet<string> issued = [.. outcome.Report!.Steps.Select(s => s.Name)];
        string[] missing =
        [
            .. typeof(IoctlCommand)
                .Assembly.GetTypes()
                .Where(t => !t.IsAbstract && t.IsSubclassOf(typeof(IoctlCommand)) && !IsForReplay(t))
                .Select(t => OperationWords.All.Single(w => w == WordOf(t)))
                .Where(w => !issued.Contains(w)),
        ];
        Assert.Equal(NotInADrill, missing.Order(StringComparer.Ordinal));
    }

    // A shared table needs a virtual machine; what a VFIO device tells of itself is no business of iommufd.
    private static readonly string[] NotInADrill = ["allocate-shared-hwpt", "vfio-device-get-info"];

    private static bool IsForReplay(Type command) =>
        command.Name
            is nameof(AllocateNestedHwpt)
                or nameof(AllocatePagingHwpt)
                or nameof(AllocateViommu)
                or nameof(AllocateGuestStage)
                or nameof(AllocateKnownSharedHwpt)
                or nameof(AllowReservedPasid)
                or nameof(AnswerFaults)
                or nameof(CutAreaInTwo)
                or nameof(MapKnownFile)
                or nameof(MarkPagesDirty)
                or nameof(ReportVevent)
                or nameof(RevokeKnownDmabuf)
                or nameof(SetAllowedRanges)
                or nameof(SetHwptFault)
                or nameof(TakeFaults)
                or nameof(TakeVevents)
                or nameof(ZeroCaches)
                or nameof(ZeroIotlb);

    private static string WordOf(Type command) =>
        command.Name switch
        {
            nameof(IoasMap) => "map",
            nameof(IoasUnmap) => "unmap",
            nameof(IoasCopy) => "copy",
            nameof(BindDevice) => "bind",
            nameof(UnbindDevice) => "unbind",
            nameof(AttachDevice) => "attach",
            nameof(ReplaceDevice) => "replace",
            nameof(DetachDevice) => "detach",
            nameof(OpenVfioDevice) => "vfio-open",
            nameof(VfioDeviceBindIommufd) => "vfio-bind",
            nameof(VfioDeviceAttachIommufdPt) => "vfio-attach",
            nameof(VfioDeviceDetachIommufdPt) => "vfio-detach",
            nameof(CloseVfioDevice) or nameof(UnbindVfioDevice) => "vfio-close",
            nameof(CreateAccess) => "access",
            nameof(ReplaceAccessIoas) => "access-replace",
            nameof(DestroyAccess) => "access-destroy",
            nameof(PinAccessPages) => "pin",
            nameof(UnpinAccessPages) => "unpin",
            nameof(ReadWriteAccess) => "access-rw",
            _ => string.Concat(
                command.Name.Select((c, i) => (char.IsUpper(c) && i > 0 ? "-" : "") + char.ToLowerInvariant(c))
            ),
        };

    private static SoakRequest Request(string text) =>
        new() { Scenarios = [("own", Iommufd.Scenarios.Language.ScenarioText.Read("own.yaml", text))], Jobs = 2 };
}
