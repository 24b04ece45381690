using System.Buffers.Binary;
using Iommufd.Actors.Protocol;
using Iommufd.Core.Dma.Guest;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Scenarios.Language;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Steps;

/// <summary><c>nested-hwpt-alloc</c>.</summary>
public sealed class NestedHwptAllocStep : ScriptKind
{
    private static readonly GivenNameField As = new("as", "A name for the HWPT.", ObjectKind.Hwpt)
    {
        IsRequired = true,
    };
    private static readonly UsedNameField Parent = new(
        "parent",
        "The nesting parent, or a vIOMMU on it.",
        ObjectKind.Hwpt,
        ObjectKind.Viommu
    )
    {
        IsRequired = true,
    };
    private static readonly UsedNameField Table = new(
        "table",
        "The guest's tables: the first stage.",
        ObjectKind.GuestTable
    );
    private static readonly NumberField Iotlb = new(
        "iotlb",
        "Instead of tables: the selftest's data. Addresses then pass the first stage unchanged."
    )
    {
        Maximum = uint.MaxValue,
    };
    private static readonly WordsField Flags = new("flags", "How it is made.", "pasid");

    /// <inheritdoc/>
    public override string Name => "nested-hwpt-alloc";

    /// <inheritdoc/>
    public override string Summary =>
        "Makes a nested HWPT: a guest's tables are the first stage, an IOAS is the second.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields =>
        [As, DeviceKeys.Device, Parent, Table, Iotlb, Flags, FaultKeys.Reports];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["id"];

    /// <inheritdoc/>
    protected override void CheckTogether(FieldValues values, SourcePosition at, MistakeCollector mistakes) =>
        RequireOneOf(values, at, mistakes, [Table], [Iotlb]);

    /// <inheritdoc/>
    protected override IEnumerator<StepRequest> Run(StepScope scope, StepScript script)
    {
        uint device = DeviceKeys.DeviceId(scope);
        uint parent = scope.Objects.TryFind(scope.Text(Parent)!, out ViommuObject? viommu)
            ? viommu.Id
            : scope.Object<HwptObject>(Parent, ObjectKind.Hwpt).Id;
        (uint type, byte[] data) = DataOf(scope);
        (HwptAllocFlags flags, uint fault) = FaultKeys.Of(scope);
        foreach (string _ in scope.Words(Flags))
        {
            flags |= HwptAllocFlags.Pasid;
        }

        yield return new BufferRequest((ulong)data.Length);
        ulong buffer = script.Address;
        yield return new MemoryRequest(new WriteMemory(buffer, data, (ulong)data.Length));
        yield return new CommandRequest(
            new HwptAlloc
            {
                Flags = flags,
                DevId = device,
                PtId = parent,
                DataType = type,
                DataLen = (uint)data.Length,
                DataUptr = buffer,
                FaultId = fault,
            }
        );
        if (script.Result.WriteBack is not HwptAlloc made)
        {
            script.Fail(script.Result.Errno);
            yield break;
        }

        scope.Give(As, new HwptObject(made.OutHwptId, type));
        script.Outcome = StepOutcome.With(("id", made.OutHwptId));
    }

    private static (uint Type, byte[] Data) DataOf(StepScope scope)
    {
        if (!scope.Has(Table))
        {
            byte[] selftest = new byte[sizeof(uint)];
            BinaryPrimitives.WriteUInt32LittleEndian(selftest, (uint)scope.Number(Iotlb));
            return (HwptDataType.Selftest, selftest);
        }

        GuestTableWriter writer = scope.Object<GuestTableObject>(Table, ObjectKind.GuestTable).Writer;
        ulong[] words = writer.Data();
        byte[] data = new byte[words.Length * sizeof(ulong)];
        for (int i = 0; i < words.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(data.AsSpan(i * sizeof(ulong)), words[i]);
        }

        return (writer.DataType, data);
    }
}

/// <summary><c>hwpt-invalidate</c>.</summary>
public sealed class HwptInvalidateStep : ScriptKind
{
    // SMMUv3's commands: one page, or everything.
    private const ulong TlbiAddress = 0x12;
    private const ulong TlbiAll = 0x10;
    private const int MaxPages = 4096;

    private static readonly UsedNameField Hwpt = new("hwpt", "The nested HWPT.", ObjectKind.Hwpt);
    private static readonly UsedNameField Viommu = new("viommu", "Or the vIOMMU.", ObjectKind.Viommu);
    private static readonly NumberField Iova = new("iova", "First address; everything goes when left out.");
    private static readonly NumberField Length = new("length", "Bytes, rounded up to pages; one page when left out.");
    private static readonly NumberField VirtualId = new(
        "virtual-id",
        "The device whose cache is meant, by the guest's number: for a vIOMMU of the selftest's type."
    );

    /// <inheritdoc/>
    public override string Name => "hwpt-invalidate";

    /// <inheritdoc/>
    public override string Summary =>
        "The guest invalidates: devices forget what they have of its tables before the call returns.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [Hwpt, Viommu, Iova, Length, VirtualId];

    /// <inheritdoc/>
    public override Field Shorthand => Hwpt;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["done"];

    /// <inheritdoc/>
    protected override void CheckTogether(FieldValues values, SourcePosition at, MistakeCollector mistakes) =>
        RequireOneOf(values, at, mistakes, [Hwpt], [Viommu]);

    /// <inheritdoc/>
    protected override IEnumerator<StepRequest> Run(StepScope scope, StepScript script)
    {
        HwptInvalidate command = Describe(scope, out byte[] entries);
        yield return new BufferRequest((ulong)entries.Length);
        ulong buffer = script.Address;
        yield return new MemoryRequest(new WriteMemory(buffer, entries, (ulong)entries.Length));
        yield return new CommandRequest(command with { DataUptr = buffer });
        uint done = (script.Result.WriteBack as HwptInvalidate)?.EntryNum ?? 0;
        script.Outcome = new StepOutcome(script.Result.Errno, [("done", done)]);
    }

    private static HwptInvalidate Describe(StepScope scope, out byte[] entries)
    {
        if (scope.Has(Hwpt))
        {
            var hwpt = scope.Object<HwptObject>(Hwpt, ObjectKind.Hwpt);
            bool isVtd = hwpt.DataType == HwptDataType.VtdS1;
            entries = isVtd ? Vtd(scope) : Words(1, 0);
            return new HwptInvalidate
            {
                HwptId = hwpt.Id,
                DataType = isVtd ? InvalidateDataType.VtdS1 : InvalidateDataType.Selftest,
                EntryLen = (uint)entries.Length,
                EntryNum = 1,
            };
        }

        var viommu = scope.Object<ViommuObject>(Viommu, ObjectKind.Viommu);
        bool isArm = viommu.Type == ViommuType.ArmSmmuV3;
        entries = isArm ? Commands(scope) : Words(1, (uint)scope.Number(VirtualId), 0);
        return new HwptInvalidate
        {
            HwptId = viommu.Id,
            DataType = isArm ? InvalidateDataType.ViommuArmSmmuV3 : InvalidateDataType.Selftest,
            EntryLen = isArm ? 16u : (uint)entries.Length,
            EntryNum = isArm ? (uint)entries.Length / 16 : 1,
        };
    }

    private static byte[] Words(params uint[] words)
    {
        byte[] bytes = new byte[words.Length * sizeof(uint)];
        for (int i = 0; i < words.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(i * sizeof(uint)), words[i]);
        }

        return bytes;
    }

    private static ulong Pages(StepScope scope) =>
        Math.Max(1, (scope.Number(Length, HostPage.Size) + HostPage.OffsetMask) >> HostPage.Shift);

    private static byte[] Vtd(StepScope scope)
    {
        byte[] entry = new byte[24];
        BinaryPrimitives.WriteUInt64LittleEndian(entry, scope.Number(Iova));
        BinaryPrimitives.WriteUInt64LittleEndian(entry.AsSpan(8), scope.Has(Iova) ? Pages(scope) : ulong.MaxValue);
        return entry;
    }

    private static byte[] Commands(StepScope scope)
    {
        ulong pages = scope.Has(Iova) ? Pages(scope) : 0;
        bool everything = pages is 0 or > MaxPages;
        byte[] commands = new byte[16 * (everything ? 1 : (int)pages)];
        for (int i = 0; i < commands.Length / 16; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(commands.AsSpan(i * 16), everything ? TlbiAll : TlbiAddress);
            ulong address = everything ? 0 : scope.Number(Iova) + ((ulong)i << HostPage.Shift);
            BinaryPrimitives.WriteUInt64LittleEndian(commands.AsSpan(i * 16 + 8), address);
        }

        return commands;
    }
}
