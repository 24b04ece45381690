using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Scenarios.Conformance;
using Xunit;

namespace Iommufd.Scenarios.Tests.Conformance;

/// <summary>A kernel that is wrong in one way is found out in exactly that way.</summary>
public sealed class DisagreementTests
{
    private const string Alloc = """ "op":"IOAS_ALLOC","in":{"flags":0},"ret":"OK","out":{"out_ioas_id":1} """;
    private const string Version = """ "op":"VFIO_GET_API_VERSION","in":{},"ret":"OK","rv":0,"out":{} """;

    private const string Bitmap =
        """ "op":"HWPT_GET_DIRTY_BITMAP","in":{"hwpt_id":5,"flags":1,"iova":"0x1000000","length":"0x8000","page_size":"0x800","data":{"buf":5,"off":"0x0"},"prefill":0},"ret":"OK","out":{"bitmap":"01000000000000000000"} """;

    private const string Ranges =
        """ "op":"IOAS_IOVA_RANGES","in":{"ioas_id":1,"num_iovas":1},"ret":"EMSGSIZE","out":{"num_iovas":2,"out_iova_alignment":"0x1","ranges":[["0x0","0xfff"]]} """;

    private const string FaultRead =
        """ "op":"FAULT_READ","in":{"handle":{"raw":9},"count":40},"ret":"OK","rv":40,"out":{"faults":[{"flags":2,"dev_id":3,"pasid":0,"grpid":7,"perm":1,"addr":"0x1000","length":0,"cookie":1}]} """;

    private const string Poll =
        """ "op":"FAULT_POLL","in":{"handle":{"raw":9}},"ret":"OK","rv":1,"out":{"revents":5} """;

    [Fact]
    public async Task A_kernel_that_repeats_the_trace_agrees()
    {
        TraceReport report = await MiniTrace.PlayAsync(
            new ParrotKernel(),
            Alloc,
            Version,
            Bitmap,
            Ranges,
            FaultRead,
            Poll
        );

        Assert.True(report.Agrees);
        Assert.Equal((6, 6, 0), (report.Steps, report.StepsAgreeing, report.Unsupported));
    }

    [Fact]
    public async Task A_wrong_errno_is_a_disagreement_about_ret()
    {
        var kernel = new ParrotKernel { Tamper = (_, result) => result with { Errno = Errno.ENOMEM } };

        Disagreement first = (await MiniTrace.PlayAsync(kernel, Alloc)).Disagreements[0];

        Assert.Equal(new Disagreement("access_rw", 0, "IOAS_ALLOC", "ret", "OK", "ENOMEM"), first);
    }

    [Fact]
    public async Task A_wrong_return_value_is_a_disagreement_about_rv()
    {
        var kernel = new ParrotKernel { Tamper = (_, result) => result with { ReturnValue = 4 } };

        Assert.Equal(("rv", "0", "4"), await OnlyAsync(kernel, Version));
    }

    [Fact]
    public async Task A_wrong_output_is_a_disagreement_about_its_member()
    {
        var kernel = new ParrotKernel { Tamper = (_, _) => IoctlResult.Ok(new IoasAlloc { OutIoasId = 2 }) };

        Assert.Equal(("out_ioas_id", "1", "2"), await OnlyAsync(kernel, Alloc));
    }

    [Fact]
    public async Task An_answer_that_is_not_written_back_is_seen_as_what_the_client_put()
    {
        var kernel = new ParrotKernel { Tamper = (_, result) => result with { WriteBack = null } };

        Assert.Equal(("out_ioas_id", "1", "0"), await OnlyAsync(kernel, Alloc));
    }

    [Fact]
    public async Task An_answer_that_is_not_written_back_with_an_error_is_seen_too()
    {
        var kernel = new ParrotKernel { Tamper = (_, result) => result with { WriteBack = null } };

        TraceReport report = await MiniTrace.PlayAsync(kernel, Ranges);

        Assert.Contains(report.Disagreements, d => d is { Field: "num_iovas", Expected: "2", Actual: "1" });
    }

    [Fact]
    public async Task A_byte_behind_the_bitmap_is_a_disagreement_about_it()
    {
        var kernel = new ParrotKernel();
        kernel.Tamper = Overrun;

        Assert.Equal(("bitmap", "01000000000000000000", "01000000000000000080"), await OnlyAsync(kernel, Bitmap));

        IoctlResult Overrun(TraceStep step, IoctlResult result)
        {
            kernel.Processes[0].Memory.TryWrite(((HwptGetDirtyBitmap)result.WriteBack!).Data + 9, new byte[] { 0x80 });
            return result;
        }
    }

    [Fact]
    public async Task A_wrong_payload_is_a_disagreement_about_it()
    {
        var kernel = new ParrotKernel();
        kernel.Tamper = Shift;

        Assert.Equal(("ranges", """[["0x0","0xfff"]]""", """[["0x1","0xfff"]]"""), await OnlyAsync(kernel, Ranges));

        IoctlResult Shift(TraceStep step, IoctlResult result)
        {
            kernel.Processes[0].Memory.TryWrite(((IoasIovaRanges)result.WriteBack!).AllowedIovas, new byte[] { 1 });
            return result;
        }
    }

    [Fact]
    public async Task A_short_read_is_a_disagreement_about_its_count_and_its_records()
    {
        var kernel = new ParrotKernel { TamperCall = (_, _) => SyscallResult.Ok(0) };

        TraceReport report = await MiniTrace.PlayAsync(kernel, FaultRead);

        Assert.Equal(["rv", "faults"], report.Disagreements.Select(d => d.Field));
    }

    [Fact]
    public async Task A_descriptor_that_is_not_ready_is_a_disagreement_about_poll()
    {
        var kernel = new ParrotKernel { TamperCall = (_, _) => SyscallResult.Ok(0) };

        TraceReport report = await MiniTrace.PlayAsync(kernel, Poll);

        Assert.Equal(["rv", "revents"], report.Disagreements.Select(d => d.Field));
    }

    [Fact]
    public async Task A_handle_that_the_kernel_did_not_make_is_closed_as_minus_one()
    {
        var kernel = new ParrotKernel { Tamper = (_, _) => IoctlResult.Fail(Errno.ENOMEM) };
        var keepGoing = TracePlayerOptions.Default with { KeepGoing = true };

        TraceReport report = await MiniTrace.PlayAsync(
            kernel,
            keepGoing,
            """ "op":"TEST_CREATE_ACCESS","in":{"id":1,"flags":0},"ret":"OK","out":{"handle":{"access":0}} """,
            """ "op":"CLOSE","in":{"handle":{"access":0}},"ret":"OK","out":{} """
        );

        Assert.Equal(["ret", "handle"], report.Disagreements.Select(d => d.Field));
        Assert.Equal([-1], ((ParrotProcess)kernel.Processes[0]).Closed);
    }

    private static async Task<(string Field, string Expected, string Actual)> OnlyAsync(
        ParrotKernel kernel,
        string step
    )
    {
        Disagreement only = Assert.Single((await MiniTrace.PlayAsync(kernel, step)).Disagreements);
        return (only.Field, only.Expected, only.Actual);
    }
}
