using System.Buffers.Binary;
using Iommufd.Actors.Protocol;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Steps;

/// <summary><c>allow-iovas</c>.</summary>
public sealed class AllowIovasStep : ScriptKind
{
    private static readonly UsedNameField Ioas = new("ioas", "The IOAS.", ObjectKind.Ioas) { IsRequired = true };
    private static readonly ListField<RangeExpression> Ranges = new(
        new RangeField("ranges", "The ranges, FIRST..LAST each; an empty list allows everything.")
    )
    {
        IsRequired = true,
    };

    /// <inheritdoc/>
    public override string Name => "allow-iovas";

    /// <inheritdoc/>
    public override string Summary =>
        "Says where automatic IOVAs may lie; what is reserved later must stay clear of them.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [Ioas, Ranges];

    /// <inheritdoc/>
    protected override IEnumerator<StepRequest> Run(StepScope scope, StepScript script)
    {
        uint ioas = scope.Object<IoasObject>(Ioas, ObjectKind.Ioas).Id;
        IovaRange[] ranges = [.. (scope.Step.Values.Get(Ranges) ?? []).Select(r => r.Evaluate(scope.Numbers))];
        byte[] array = new byte[Math.Max(1, ranges.Length) * 16];
        for (int i = 0; i < ranges.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(array.AsSpan(i * 16), ranges[i].First);
            BinaryPrimitives.WriteUInt64LittleEndian(array.AsSpan(i * 16 + 8), ranges[i].Last);
        }

        yield return new BufferRequest((ulong)array.Length);
        ulong buffer = script.Address;
        yield return new MemoryRequest(new WriteMemory(buffer, array, (ulong)array.Length));
        yield return new CommandRequest(
            new IoasAllowIovas
            {
                IoasId = ioas,
                NumIovas = (uint)ranges.Length,
                AllowedIovas = buffer,
            }
        );
        script.Fail(script.Result.Errno);
    }
}

/// <summary><c>iova-ranges</c>.</summary>
public sealed class IovaRangesStep : ScriptKind
{
    private const uint Room = 256;

    private static readonly UsedNameField Ioas = new("ioas", "The IOAS.", ObjectKind.Ioas) { IsRequired = true };

    /// <inheritdoc/>
    public override string Name => "iova-ranges";

    /// <inheritdoc/>
    public override string Summary =>
        "Asks which IOVAs are not reserved: how many ranges, the first and the last IOVA.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [Ioas];

    /// <inheritdoc/>
    public override Field Shorthand => Ioas;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["ranges", "alignment", "first", "last"];

    /// <inheritdoc/>
    protected override IEnumerator<StepRequest> Run(StepScope scope, StepScript script)
    {
        uint ioas = scope.Object<IoasObject>(Ioas, ObjectKind.Ioas).Id;
        yield return new BufferRequest(Room * 16);
        ulong buffer = script.Address;
        yield return new CommandRequest(
            new IoasIovaRanges
            {
                IoasId = ioas,
                NumIovas = Room,
                AllowedIovas = buffer,
            }
        );
        if (script.Result.WriteBack is not IoasIovaRanges answer || !script.Result.IsOk)
        {
            script.Fail(script.Result.Errno);
            yield break;
        }

        yield return new MemoryRequest(new ReadMemory(buffer, (int)Room * 16));
        byte[] read = script.As<MemoryRead>().Data;
        int count = (int)Math.Min(answer.NumIovas, Room);
        ulong first = count == 0 ? 0 : BinaryPrimitives.ReadUInt64LittleEndian(read);
        ulong last = count == 0 ? 0 : BinaryPrimitives.ReadUInt64LittleEndian(read.AsSpan(count * 16 - 8));
        script.Outcome = StepOutcome.With(
            ("ranges", answer.NumIovas),
            ("alignment", answer.OutIovaAlignment),
            ("first", first),
            ("last", last)
        );
    }
}

/// <summary><c>hw-info</c>.</summary>
public sealed class HwInfoStep : ScriptKind
{
    private const uint Room = 64;

    /// <inheritdoc/>
    public override string Name => "hw-info";

    /// <inheritdoc/>
    public override string Summary => "Asks what the IOMMU in front of a device can do.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [DeviceKeys.Device];

    /// <inheritdoc/>
    public override Field Shorthand => DeviceKeys.Device;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["type", "capabilities", "pasid-bits"];

    /// <inheritdoc/>
    protected override IEnumerator<StepRequest> Run(StepScope scope, StepScript script)
    {
        uint device = DeviceKeys.DeviceId(scope);
        yield return new BufferRequest(Room);
        yield return new CommandRequest(
            new GetHwInfo
            {
                DevId = device,
                DataLen = Room,
                DataUptr = script.Address,
            }
        );
        script.Outcome = script.Result.WriteBack is GetHwInfo info
            ? StepOutcome.With(
                ("type", info.DataType),
                ("capabilities", (ulong)info.OutCapabilities),
                ("pasid-bits", info.OutMaxPasidLog2)
            )
            : new StepOutcome(script.Result.Errno, []);
    }
}
