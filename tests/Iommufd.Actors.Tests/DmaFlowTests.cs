using System.Buffers.Binary;
using Akka.Actor;
using Akka.TestKit;
using Iommufd.Actors.Protocol;
using Iommufd.Core.Dma;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Host;
using Xunit;

namespace Iommufd.Actors.Tests;

/// <summary>What flows and devices owe each other: dirty marks, page requests, counts.</summary>
public sealed class DmaFlowTests : HostFixture
{
    private const ulong Iova = 0x100000;
    private const ulong Bytes = 0x4000;
    private const ulong Scratch = Buffer + BufferBytes - 0x10000;

    [Fact]
    public void A_page_is_marked_again_by_a_write_after_its_mark_was_read()
    {
        Start();
        var tracked = Tracked();
        Assert.Equal(0ul, Dma(1, write: 100).Faults);
        Assert.Equal(1, Dirty(tracked));

        // The device has the translation, and the mark, in its IOTLB: both have to go with the mark in the table.
        Dma(1, write: 100);
        Assert.Equal(1, Dirty(tracked));
        Assert.Equal(0, Dirty(tracked));
        CloseAndCheck();
    }

    [Fact]
    public void Tracking_counts_from_its_start_whatever_the_device_has_cached()
    {
        Start();
        var tracked = Tracked();
        Dma(1, write: 100);
        Ok(new HwptSetDirtyTracking { HwptId = tracked });
        Dma(1, write: 100);
        Ok(new HwptSetDirtyTracking { HwptId = tracked, Flags = HwptSetDirtyTracking.Enable });
        Assert.Equal(0, Dirty(tracked));

        Dma(1, write: 100);
        Assert.Equal(1, Dirty(tracked));
    }

    [Fact]
    public void Without_tracking_no_write_leaves_a_mark()
    {
        Start();
        var tracked = Tracked();
        Ok(new HwptSetDirtyTracking { HwptId = tracked });
        Dma(4, write: 100);

        Assert.Equal(0, Dirty(tracked));
    }

    [Fact]
    public void A_dma_buf_that_was_revoked_is_out_of_every_iotlb_when_the_command_answers()
    {
        Start();
        var ioas = AllocIoas();
        Ok(new AttachDevice(Bind("nic"), ioas));
        var buffer = (int)Call(new TestDmabufGet { Length = (uint)Bytes }).ReturnValue;
        Ok(
            new IoasMapFile
            {
                Flags = IoasMapFlags.FixedIova | IoasMapFlags.Readable | IoasMapFlags.Writeable,
                IoasId = ioas,
                Fd = buffer,
                Length = Bytes,
                Iova = Iova,
            }
        );
        Assert.Equal(0ul, Dma(8, write: 50).Faults);
        Ok(new TestDmabufRevoke { DmabufFd = buffer, Revoked = 1 });

        Assert.Equal(8ul, Dma(8, write: 50).Faults);
    }

    [Fact]
    public void Two_runs_of_one_device_at_the_same_time_count_their_own_work()
    {
        Start();
        var ioas = AllocIoas();
        Ok(new AttachDevice(Bind("nic"), ioas));
        Ok(MapAt(ioas, Iova));
        Tell(1, 3000, new IovaRange(Iova, Iova + Bytes - 1));
        Tell(2, 2000, new IovaRange(0x900000, 0x900fff));
        var done = new[] { Hardware.ExpectMsg<DmaDone>(), Hardware.ExpectMsg<DmaDone>() }.ToDictionary(
            d => d.Tag,
            d => d.Report
        );

        Assert.Equal((3000ul, 0ul), (done[1].Translations, done[1].Faults));
        Assert.Equal((2000ul, 2000ul), (done[2].Translations, done[2].Faults));
    }

    [Fact]
    public void A_page_request_waits_for_its_page_and_its_answer()
    {
        Start();
        var (ioas, fault) = Paged();
        Request(TimeSpan.FromMinutes(5));
        Assert.Equal([(Iova, 1u)], Read(fault));
        Ok(MapAt(ioas, Iova));
        Hardware.ExpectNoMsg(TimeSpan.Zero);
        Respond(fault, 1, 0);

        var done = Hardware.ExpectMsg<DmaDone>().Report;
        Assert.Equal((1ul, 0ul), (done.Transfers, done.Faults));
        CloseAndCheck();
    }

    [Fact]
    public void A_page_request_that_is_answered_invalid_is_a_fault()
    {
        Start();
        var (_, fault) = Paged();
        Request(TimeSpan.FromMinutes(5));
        Assert.Equal([(Iova, 1u)], Read(fault));
        Respond(fault, 1, 1);

        Assert.Equal(1ul, Hardware.ExpectMsg<DmaDone>().Report.Faults);
    }

    [Fact]
    public void An_answer_without_the_page_makes_the_device_ask_again_but_not_for_ever()
    {
        Start();
        var (_, fault) = Paged();
        Request(TimeSpan.FromMinutes(5));
        var asked = 0;
        while (Read(fault) is [var (_, cookie)])
        {
            asked++;
            Respond(fault, cookie, 0);
        }

        Assert.Equal(8, asked);
        Assert.Equal(1ul, Hardware.ExpectMsg<DmaDone>().Report.Faults);
    }

    [Fact]
    public void A_lost_answer_ends_by_the_devices_patience_and_a_late_one_means_nothing()
    {
        Start();
        var (ioas, fault) = Paged();
        Request(TimeSpan.FromMilliseconds(1));
        Assert.Equal(1ul, Hardware.ExpectMsg<DmaDone>().Report.Faults);

        Assert.Equal([(Iova, 1u)], Read(fault));
        Ok(MapAt(ioas, Iova));
        Respond(fault, 1, 0);
        Request(TimeSpan.FromMinutes(5));
        Assert.Equal(0ul, Hardware.ExpectMsg<DmaDone>().Report.Faults);
    }

    [Fact]
    public void A_detach_answers_the_page_requests_that_wait()
    {
        Start();
        Paged();
        Request(TimeSpan.FromMinutes(5));
        Ok(new DetachDevice(Nic));

        Assert.Equal(1ul, Hardware.ExpectMsg<DmaDone>().Report.Faults);
        CloseAndCheck();
    }

    [Fact]
    public void Closing_the_context_answers_the_page_requests_that_wait()
    {
        Start();
        Paged();
        Request(TimeSpan.FromMinutes(5));
        Iommufd.Tell(new CloseIommufd(), TestActor);

        Assert.Equal(1ul, Hardware.ExpectMsg<DmaDone>().Report.Faults);
        Assert.Equal(0, ExpectMsg<IommufdClosed>().Leaked);
    }

    // What devices answer, apart from what the context answers: the two come in any order.
    private TestProbe? _hardware;

    private TestProbe Hardware => _hardware ??= CreateTestProbe();

    private uint Nic { get; set; }

    private uint Tracked()
    {
        var ioas = AllocIoas();
        Nic = Bind("nic");
        var hwpt = Ok(
            new HwptAlloc
            {
                DevId = Nic,
                PtId = ioas,
                Flags = HwptAllocFlags.DirtyTracking,
            }
        ).OutHwptId;
        Ok(new AttachDevice(Nic, hwpt));
        Ok(MapAt(ioas, Iova, Bytes));
        Ok(new HwptSetDirtyTracking { HwptId = hwpt, Flags = HwptSetDirtyTracking.Enable });
        return hwpt;
    }

    private (uint Ioas, uint Fault) Paged()
    {
        var ioas = AllocIoas();
        Nic = Bind("nic");
        var fault = Ok(new FaultQueueAlloc()).OutFaultId;
        var hwpt = Ok(
            new HwptAlloc
            {
                DevId = Nic,
                PtId = ioas,
                Flags = HwptAllocFlags.FaultIdValid,
                FaultId = fault,
            }
        ).OutHwptId;
        Ok(new AttachDevice(Nic, hwpt));
        return (ioas, fault);
    }

    // One page of the four, always the same one.
    private DmaReport Dma(long transfers, int write)
    {
        var pattern = new DmaPattern(DmaPatternKind.Random, new IovaRange(Iova, Iova + 0xfff), 64, write);
        Host.Machine.Tell(new RunDma(7, "nic", pattern, transfers), Hardware.Ref);
        return Hardware.ExpectMsg<DmaDone>().Report;
    }

    private void Tell(long tag, long transfers, IovaRange window) =>
        Host.Machine.Tell(
            new RunDma(tag, "nic", new DmaPattern(DmaPatternKind.Ring, window, 4096, 50), transfers),
            Hardware.Ref
        );

    private void Request(TimeSpan patience) =>
        Host.Machine.Tell(
            new RunDma(7, "nic", new DmaPattern(DmaPatternKind.Ring, new IovaRange(Iova, Iova + 0xfff), 64, 100), 1)
            {
                PageRequests = true,
                RequestTimeout = patience,
            },
            Hardware.Ref
        );

    private int Dirty(uint hwpt)
    {
        Write(Scratch, new byte[8]);
        Ok(
            new HwptGetDirtyBitmap
            {
                HwptId = hwpt,
                Iova = Iova,
                Length = Bytes,
                PageSize = HostPage.Size,
                Data = Scratch,
            }
        );
        return System.Numerics.BitOperations.PopCount(BinaryPrimitives.ReadUInt64LittleEndian(Read(Scratch, 8)));
    }

    /// <summary>The first page and the cookie of every group that waits; asks until there is one or the DMA is over.</summary>
    private (ulong Address, uint Cookie)[] Read(uint fault)
    {
        for (var attempt = 0; attempt < 2000; attempt++)
        {
            var result = Call(new ReadFaultQueue(fault, Scratch, 40 * 8));
            Assert.Equal(Errno.OK, result.Errno);
            if (result.ReturnValue > 0)
            {
                var bytes = Read(Scratch, (int)result.ReturnValue);
                return
                [
                    .. bytes
                        .Chunk(40)
                        .Select(r =>
                            (
                                BinaryPrimitives.ReadUInt64LittleEndian(r.AsSpan(24)),
                                BinaryPrimitives.ReadUInt32LittleEndian(r.AsSpan(36))
                            )
                        ),
                ];
            }

            if (Hardware.HasMessages)
            {
                break;
            }
        }

        return [];
    }

    private void Respond(uint fault, uint cookie, uint code)
    {
        var response = new byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(response, cookie);
        BinaryPrimitives.WriteUInt32LittleEndian(response.AsSpan(4), code);
        Write(Scratch, response);
        Assert.Equal(Errno.OK, Call(new WriteFaultQueue(fault, Scratch, 8)).Errno);
    }

    private byte[] Read(ulong address, int length)
    {
        var bytes = new byte[length];
        Assert.True(Host.State.Process((uint)ProcessId).Memory.TryRead(address, bytes));
        return bytes;
    }

    private void Write(ulong address, byte[] bytes) =>
        Assert.True(Host.State.Process((uint)ProcessId).Memory.TryWrite(address, bytes));
}
