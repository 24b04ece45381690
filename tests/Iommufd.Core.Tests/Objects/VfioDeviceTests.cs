using Iommufd.Core.Context;
using Iommufd.Core.Flows;
using Iommufd.Core.Tests.Errnos;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;
using Iommufd.Messages.Host;
using Xunit;
using static Iommufd.Core.Tests.Errnos.ErrnoStage;

namespace Iommufd.Core.Tests.Objects;

/// <summary>VFIO's device descriptors (facts sheet B.23, additions C.6): opens, binds, attachments, and closes in every order.</summary>
public sealed class VfioDeviceTests : IDisposable
{
    private readonly SequentialStage _stage = new();

    private IEnumerable<ContextEvent> Switches =>
        _stage.Events.Where(e =>
            e is DeviceBound or DeviceAttached or DeviceReplaced or DeviceDetached or DeviceUnbound
        );

    private HostMachine Machine => _stage.Machine;

    public VfioDeviceTests() =>
        Assert.Equal(Errno.OK, Machine.AddIommu(new IommuSpec(9, "amd-v1", new IovaRange(0, (1ul << 48) - 1))));

    public void Dispose()
    {
        _stage.End();
        _stage.Dispose();
    }

    [Fact]
    public void What_comes_first_attaches_and_what_comes_later_moves()
    {
        var cdev = _stage.BoundCdev("nic");
        var (first, second) = (_stage.Ioas(), _stage.Ioas());
        var one = _stage.Do(AttachCommand(cdev, first)).PtId;
        var two = _stage.Do(AttachCommand(cdev, second)).PtId;
        Assert.NotEqual(one, two);
        Assert.Equal(["DeviceBound", "DeviceAttached", "DeviceReplaced"], Switches.Select(e => e.GetType().Name));
    }

    [Fact]
    public void Detaching_what_was_not_attached_succeeds_and_changes_nothing()
    {
        var cdev = _stage.BoundCdev("nic");
        _stage.Do(new VfioDeviceDetachIommufdPt { Descriptor = cdev, ArgSz = 8 });
        _stage.Do(Detach(cdev, 1u << 31));
        Assert.Equal("DeviceBound", Assert.Single(Switches).GetType().Name);
    }

    [Fact]
    public void The_device_itself_can_go_before_its_PASIDs()
    {
        var (cdev, device, hwpt) = WithPasids();
        _stage.Do(AttachCommand(cdev, hwpt));
        _stage.Do(AttachCommand(cdev, hwpt, 5));
        _stage.Do(new VfioDeviceDetachIommufdPt { Descriptor = cdev, ArgSz = 8 });
        Assert.Equal([5u], Attached(device));
    }

    [Fact]
    public void The_last_close_detaches_PASIDs_in_ascending_order_then_the_device()
    {
        var (cdev, device, hwpt) = WithPasids();
        _stage.Do(AttachCommand(cdev, hwpt));
        foreach (var pasid in new[] { 9u, 4u, 7u })
        {
            _stage.Do(AttachCommand(cdev, hwpt, pasid));
        }

        Assert.Equal([0u, 4u, 7u, 9u], Attached(device));
        var switched = new List<uint>();
        _stage.Holds = step =>
        {
            if (step is SwitchTranslation change)
            {
                switched.Add(change.Pasid);
            }

            return false;
        };
        _stage.Do(new CloseVfioDevice(cdev));
        Assert.Equal([4u, 7u, 9u, 0u], switched);
        _stage.Forget(cdev);
        _stage.Do(new Destroy { Id = hwpt });
    }

    [Fact]
    public void A_duplicated_descriptor_keeps_the_device_bound_until_it_is_closed_too()
    {
        var cdev = _stage.AttachedCdev("nic");
        var copy = _stage.Fd(new DuplicateVfioDevice(cdev));
        _stage.Do(new CloseVfioDevice(cdev));
        _stage.Forget(cdev);
        Assert.Equal(Errno.EBUSY, _stage.Run(_stage.Client, new BindDevice("nic")).Errno);
        _stage.Do(AttachCommand(copy, _stage.Ioas()));
        _stage.Do(new CloseVfioDevice(copy));
        _stage.Do(new UnbindDevice(_stage.Bind("nic")));
    }

    [Fact]
    public void A_child_uses_its_parents_descriptor()
    {
        var cdev = _stage.BoundCdev("nic");
        var child = _stage.Poor(16);
        _stage.DoAs(child, AttachCommand(cdev, _stage.Ioas()));
        _stage.DoAs(child, Detach(cdev));
    }

    [Fact]
    public void A_device_that_was_closed_can_be_opened_and_bound_again()
    {
        var cdev = _stage.AttachedCdev("nic");
        _stage.Do(new CloseVfioDevice(cdev));
        _stage.Forget(cdev);
        _stage.AttachedCdev("nic");
    }

    [Fact]
    public void A_bind_that_fails_can_be_tried_again_on_the_same_open()
    {
        var cdev = _stage.Cdev("nic");
        var taken = _stage.Bind("nic");
        Assert.Equal(Errno.EBUSY, _stage.Run(_stage.Client, _stage.BindCommand(cdev)).Errno);
        _stage.Do(new UnbindDevice(taken));
        _stage.Do(_stage.BindCommand(cdev));
    }

    [Fact]
    public void PASID_0_is_the_device_itself_and_has_to_be_detached_as_it_was_attached()
    {
        var cdev = _stage.BoundCdev("nic");
        var ioas = _stage.Ioas();
        _stage.Do(AttachCommand(cdev, ioas, 0));
        Assert.Equal(Errno.EBUSY, _stage.Run(_stage.Client, AttachCommand(cdev, ioas)).Errno);
        _stage.Do(new VfioDeviceDetachIommufdPt { Descriptor = cdev, ArgSz = 8 });
        Assert.Equal(Errno.EBUSY, _stage.Run(_stage.Client, AttachCommand(cdev, ioas)).Errno);
        _stage.Do(Detach(cdev, 0));
        _stage.Do(AttachCommand(cdev, ioas));
    }

    [Fact]
    public void A_bind_whose_answer_cannot_be_written_is_taken_back_whole()
    {
        var cdev = _stage.Cdev("nic");
        var command = _stage.BindCommand(cdev);
        var undo = VfioCalls.Undo(command, _stage.Run(_stage.Client, command));
        _stage.Do(undo!);
        _stage.Do(command);
    }

    [Fact]
    public void An_attach_of_a_PASID_whose_answer_cannot_be_written_detaches_the_device_as_in_the_kernel()
    {
        var (cdev, device, hwpt) = WithPasids();
        _stage.Do(AttachCommand(cdev, hwpt));
        var command = AttachCommand(cdev, hwpt, 5);
        _stage.Do(VfioCalls.Undo(command, _stage.Run(_stage.Client, command))!);
        Assert.Equal([5u], Attached(device));
    }

    [Fact]
    public void An_iommufd_that_is_closed_first_is_held_open_until_its_last_VFIO_device_is_closed()
    {
        var machine = new HostMachine();
        machine.AddIommu(new IommuSpec(0, "amd-v1", new IovaRange(0, (1ul << 48) - 1)));
        machine.AddDevice(new DeviceSpec("nic", 1, 0, []));
        machine.AddDevice(new DeviceSpec("disk", 2, 0, []));
        var client = machine.StartProcess(new ProcessSpec("client"));
        var context = new SequentialContext(machine, 1);
        var iommufd = client.Open(new IommufdDescriptor(1));
        var nic = OpenAndBind("nic");
        var disk = OpenAndBind("disk");
        Assert.Equal(2, context.Close(client));
        Assert.Null(client.Descriptors.Find(iommufd));
        Close(nic);
        Assert.Equal(1, context.Core.Objects.Count);
        Assert.DoesNotContain(context.Events, e => e is ContextClosed);
        Close(disk);
        Assert.Equal(0, context.Core.Objects.Count);
        Assert.Equal(0, Assert.Single(context.Events.OfType<ContextClosed>()).Leaked);

        int OpenAndBind(string device)
        {
            var cdev = (int)VfioCalls.Route(machine, client, new OpenVfioDevice(device)).Result!.ReturnValue;
            var bind = new VfioDeviceBindIommufd
            {
                Descriptor = cdev,
                ArgSz = VfioDeviceBindIommufd.Size,
                Iommufd = iommufd,
            };
            Assert.Equal(Errno.OK, context.Execute(client, bind).Errno);
            return cdev;
        }

        void Close(int cdev)
        {
            var route = VfioCalls.Route(machine, client, new CloseVfioDevice(cdev));
            Assert.Equal(Errno.OK, context.Execute(client, route.Command!).Errno);
        }
    }

    [Fact]
    public void A_command_that_uses_a_device_ends_before_the_device_is_unbound_and_later_ones_do_not_find_it()
    {
        var device = _stage.VfioDevice("nic");
        var ioas = _stage.Do(Map(_stage.Ioas())).IoasId;
        var unbound = false;
        _stage.StartHeld(new HwptAlloc { DevId = device, PtId = ioas }, step => step is AddDomain);
        _stage.Start(new UnbindVfioDevice(device), _ => unbound = true);
        Assert.Equal(Errno.ENOENT, _stage.Run(_stage.Client, new HwptAlloc { DevId = device, PtId = ioas }).Errno);
        Assert.False(unbound);
        _stage.LetGo();
        Assert.True(unbound);
        Assert.Equal(
            ["HwptAllocated", "DeviceUnbound"],
            _stage.Completed.SelectMany(f => f.Journalled).Select(e => e.GetType().Name)
        );
    }

    private IEnumerable<uint> Attached(uint device) =>
        _stage.Core.Objects.Find<DeviceObject>(device)!.Group.Attachments.Keys;

    private static VfioDeviceDetachIommufdPt Detach(int cdev, uint? pasid = null) =>
        new()
        {
            Descriptor = cdev,
            ArgSz = VfioDeviceDetachIommufdPt.PasidSize,
            Flags = pasid is null ? 0 : VfioDeviceDetachIommufdPt.DetachPasid,
            Pasid = pasid ?? 0,
        };

    private (int Cdev, uint Device, uint Hwpt) WithPasids()
    {
        Assert.NotNull(_stage.Client);
        Assert.Equal(Errno.OK, Machine.AddDevice(new DeviceSpec("many", 9, 9, [], MaxPasids: 64)));
        var cdev = _stage.Cdev("many");
        var device = _stage.Do(_stage.BindCommand(cdev)).OutDevId;
        return (cdev, device, _stage.Paging(device, _stage.Ioas(), HwptAllocFlags.Pasid));
    }
}
