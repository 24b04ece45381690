using Iommufd.Core.Dma;
using Iommufd.Messages;
using Iommufd.Scenarios.Language;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Steps;

/// <summary>DMA that a device is asked to do.</summary>
/// <param name="Device">The physical device.</param>
/// <param name="Range">The IOVAs it uses.</param>
/// <param name="Pattern">Where the blocks lie: random, ring, streaming or scatter-gather.</param>
/// <param name="Block">Bytes of one access.</param>
/// <param name="Count">Accesses of one burst.</param>
/// <param name="WritePercent">How many of a hundred accesses write.</param>
/// <param name="Seed">Decides which blocks and which of them write.</param>
public sealed record DmaPlan(
    string Device,
    IovaRange Range,
    string Pattern,
    uint Block,
    ulong Count,
    int WritePercent,
    ulong Seed
)
{
    /// <summary>The address space; 0 is the device's own.</summary>
    public uint Pasid { get; init; }

    /// <summary>What blocks that are written put into memory.</summary>
    public DmaData Data { get; init; }

    /// <summary>The byte of a fill.</summary>
    public byte Fill { get; init; }

    /// <summary>Whether the device asks for missing pages and waits for them.</summary>
    public bool PageRequests { get; init; }

    /// <summary>How long it waits for one of them.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>A burst of DMA; with <see cref="Background"/> burst after burst until it is stopped.</summary>
/// <param name="Plan">What.</param>
/// <param name="Background">The name by which it is stopped, or null.</param>
public sealed record DmaRequest(DmaPlan Plan, string? Background) : StepRequest;

/// <summary>What came of DMA.</summary>
/// <param name="Translations">IOVAs translated.</param>
/// <param name="Faults">Accesses that the IOMMU refused.</param>
/// <param name="Violations">Accesses that a DMA check found wrong.</param>
public sealed record DmaTotals(ulong Translations, ulong Faults, ulong Violations)
{
    /// <summary>No DMA.</summary>
    public static DmaTotals None => new(0, 0, 0);

    /// <summary>Both together.</summary>
    public DmaTotals Plus(DmaTotals other) =>
        new(Translations + other.Translations, Faults + other.Faults, Violations + other.Violations);
}

/// <summary><c>dma</c>.</summary>
public sealed class DmaStep : OperationKind
{
    /// <summary>Background DMA is given a name.</summary>
    public static readonly GivenNameField As = new(
        "as",
        "Runs burst after burst in the background until 'stop' with this name; the client goes on at once.",
        ObjectKind.Dma
    );

    private static readonly UsedNameField Bound = new("device", "The bound device.", ObjectKind.Device);
    private static readonly MachineDeviceField Machine = new(
        "machine-device",
        "Or a device of the machine, bound or not."
    );
    private static readonly NumberField Block = new("block", "Bytes of one access; 64 when left out.")
    {
        Minimum = 1,
        Maximum = 1 << 20,
    };
    private static readonly NumberField Count = new("count", "Accesses of a burst; 256 when left out.")
    {
        Minimum = 1,
        Maximum = 1_000_000_000,
    };
    private static readonly NumberField Write = new("write", "How many of a hundred accesses write; 50 when left out.")
    {
        Maximum = 100,
    };
    private static readonly NumberField Fill = new("fill", "The byte that writes put everywhere; none when left out.")
    {
        Maximum = 255,
    };
    private static readonly FlagField Stamp = new(
        "stamp",
        "Whether each write puts a number of its own at the start of every page of its block; false when left out."
    );
    private static readonly FlagField PageRequests = new(
        "page-requests",
        "Whether the device asks for missing pages (PRI) and waits, instead of faulting; false when left out."
    );
    private static readonly DurationField RequestTimeout = new(
        "request-timeout",
        "How long it waits for the response to a page request; 10s when left out."
    )
    {
        Minimum = 1,
        Maximum = 3_600_000_000_000,
    };
    private static readonly ChoiceField Pattern = new(
        "pattern",
        "Where the blocks lie; random when left out.",
        "random",
        "ring",
        "streaming",
        "scatter-gather"
    );

    /// <inheritdoc/>
    public override string Name => "dma";

    /// <inheritdoc/>
    public override string Summary => "Lets a device read and write memory through its IOMMU.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields =>
        [
            Bound,
            Machine,
            AccessKeys.Area,
            AccessKeys.Offset,
            AccessKeys.Iova,
            AccessKeys.Length,
            Pattern,
            Block,
            Count,
            Write,
            DeviceKeys.Pasid,
            Fill,
            Stamp,
            PageRequests,
            RequestTimeout,
            As,
        ];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => DmaOutputs.Names;

    /// <inheritdoc/>
    protected override void CheckTogether(FieldValues values, SourcePosition at, MistakeCollector mistakes)
    {
        RequireOneOf(values, at, mistakes, [Bound], [Machine]);
        RequireOneOf(values, at, mistakes, [AccessKeys.Area], AccessKeys.ByIova);
        if (values.Has(AccessKeys.Iova) && !values.Has(AccessKeys.Length))
        {
            mistakes.Add(at, "'length' is missing: DMA from an IOVA says how far it reaches");
        }

        if (values.Has(Fill) && values.Has(Stamp))
        {
            mistakes.Add(at, "either 'fill', or 'stamp': not both");
        }
    }

    /// <inheritdoc/>
    public override StepRequest Prepare(StepScope scope)
    {
        (ulong iova, ulong length) = AccessKeys.Range(scope);
        if (!IovaRange.TryFromLength(iova, length, out IovaRange range))
        {
            throw new Language.Expressions.EvaluationException(
                scope.Step.At,
                $"no DMA in {length} bytes at 0x{iova:x}"
            );
        }

        var plan = new DmaPlan(
            scope.Text(Machine) ?? scope.Object<DeviceObject>(Bound, ObjectKind.Device).MachineName,
            range,
            scope.Word(Pattern, "random"),
            (uint)scope.Number(Block, 64),
            scope.Number(Count, 256),
            (int)scope.Number(Write, 50),
            scope.Numbers.Random.Next()
        )
        {
            Pasid = (uint)scope.Number(DeviceKeys.Pasid),
            Data =
                scope.Has(Fill) ? DmaData.Fill
                : scope.Flag(Stamp) ? DmaData.Stamp
                : DmaData.None,
            Fill = (byte)scope.Number(Fill),
            PageRequests = IsWaiting(scope),
            RequestTimeout = TimeSpan.FromTicks((long)scope.Number(RequestTimeout, 10_000_000_000) / 100),
        };
        return new DmaRequest(plan, scope.Text(As));
    }

    /// <summary>The device of the machine, or "unbound" when it was unbound meanwhile.</summary>
    internal static string DeviceOf(StepScope scope) =>
        scope.Text(Machine)
        ?? (scope.Objects.TryFind(scope.Text(Bound)!, out DeviceObject? device) ? device.MachineName : "unbound");

    /// <summary>Whether the device asks for missing pages and waits for them.</summary>
    internal static bool IsWaiting(StepScope scope) => scope.Flag(PageRequests);

    /// <inheritdoc/>
    public override StepOutcome Complete(StepScope scope, object answer) => DmaOutputs.Of((DmaTotals)answer);
}

/// <summary><c>stop</c>.</summary>
public sealed class StopStep : OperationKind
{
    private static readonly UsedNameField Dma = new("dma", "The background DMA.", ObjectKind.Dma) { IsRequired = true };

    /// <inheritdoc/>
    public override string Name => "stop";

    /// <inheritdoc/>
    public override string Summary =>
        "Stops background DMA after its burst; the outputs are the totals of all its bursts.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [Dma];

    /// <inheritdoc/>
    public override Field Shorthand => Dma;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => DmaOutputs.Names;

    /// <inheritdoc/>
    public override StepRequest Prepare(StepScope scope) => new StopDmaRequest(scope.Text(Dma)!);

    /// <inheritdoc/>
    public override StepOutcome Complete(StepScope scope, object answer) => DmaOutputs.Of((DmaTotals)answer);
}

/// <summary>Ends background DMA.</summary>
/// <param name="Name">Its name.</param>
public sealed record StopDmaRequest(string Name) : StepRequest;

/// <summary>The outputs of DMA.</summary>
internal static class DmaOutputs
{
    public static readonly IReadOnlyList<string> Names = ["translations", "faults", "violations"];

    public static StepOutcome Of(DmaTotals totals) =>
        StepOutcome.With(
            ("translations", totals.Translations),
            ("faults", totals.Faults),
            ("violations", totals.Violations)
        );
}
