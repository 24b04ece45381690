using System.Buffers.Binary;
using Iommufd.Actors.Protocol;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Steps;

/// <summary>Keys that the steps on queues share.</summary>
internal static class FaultKeys
{
    public static readonly UsedNameField Reports = new(
        "fault",
        "The fault queue that page requests of its devices go to; nobody handles them when left out.",
        ObjectKind.FaultQueue
    );
    public static readonly UsedNameField Queue = new("queue", "The fault queue.", ObjectKind.FaultQueue)
    {
        IsRequired = true,
    };
    public static readonly UsedNameField AnyQueue = new(
        "queue",
        "The fault queue or event queue.",
        ObjectKind.FaultQueue,
        ObjectKind.Veventq
    )
    {
        IsRequired = true,
    };
    public static readonly DurationField Wait = new(
        "wait",
        "How long to wait until there is something; not at all when left out."
    )
    {
        Maximum = 3_600_000_000_000,
    };

    public static (HwptAllocFlags Flags, uint FaultId) Of(StepScope scope) =>
        scope.Has(Reports)
            ? (HwptAllocFlags.FaultIdValid, scope.Object<FaultQueueObject>(Reports, ObjectKind.FaultQueue).Id)
            : (HwptAllocFlags.None, 0);
}

/// <summary>Waits between two looks at a queue: short ones at first, then longer ones.</summary>
internal struct QueueWait(long nanoseconds)
{
    private const long First = 100_000;
    private const long Longest = 5_000_000;

    private long _left = nanoseconds;
    private long _next = First;

    /// <summary>The next pause; null when the time is over.</summary>
    public PauseRequest? Next()
    {
        if (_left <= 0)
        {
            return null;
        }

        long now = Math.Min(_left, _next);
        _left -= now;
        _next = Math.Min(_next * 2, Longest);
        return new PauseRequest(TimeSpan.FromTicks(Math.Max(1, now / 100)));
    }
}

/// <summary><c>fault-queue-alloc</c>.</summary>
public sealed class FaultQueueAllocStep : CommandKind
{
    private static readonly GivenNameField As = new("as", "A name for the fault queue.", ObjectKind.FaultQueue)
    {
        IsRequired = true,
    };

    /// <inheritdoc/>
    public override string Name => "fault-queue-alloc";

    /// <inheritdoc/>
    public override string Summary => "Makes a queue of page requests that this client reads and answers.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [As];

    /// <inheritdoc/>
    public override Field Shorthand => As;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["id"];

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope) => new FaultQueueAlloc();

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result)
    {
        uint id = ((FaultQueueAlloc)result.WriteBack!).OutFaultId;
        scope.Give(As, new FaultQueueObject(id));
        return StepOutcome.With(("id", id));
    }
}

/// <summary><c>fault-read</c>.</summary>
public sealed class FaultReadStep : ScriptKind
{
    private const int RecordBytes = 40;
    private const int Records = 64;

    /// <inheritdoc/>
    public override string Name => "fault-read";

    /// <inheritdoc/>
    public override string Summary =>
        "Gives the next group of page requests of a fault queue, reading the queue's descriptor where none is left over; 'requests' is 0 when there is none.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [FaultKeys.Queue, FaultKeys.Wait];

    /// <inheritdoc/>
    public override Field Shorthand => FaultKeys.Queue;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs =>
        ["requests", "address", "length", "pasid", "group", "permissions", "device", "cookie"];

    /// <inheritdoc/>
    protected override IEnumerator<StepRequest> Run(StepScope scope, StepScript script)
    {
        var queue = scope.Object<FaultQueueObject>(FaultKeys.Queue, ObjectKind.FaultQueue);
        var wait = new QueueWait((long)scope.Number(FaultKeys.Wait));
        while (queue.Read.Count == 0)
        {
            yield return new BufferRequest(RecordBytes * Records);
            ulong buffer = script.Address;
            yield return new CommandRequest(new ReadFaultQueue(queue.Id, buffer, RecordBytes * Records));
            if (!script.Result.IsOk)
            {
                script.Fail(script.Result.Errno);
                yield break;
            }

            int bytes = (int)script.Result.ReturnValue;
            if (bytes > 0)
            {
                yield return new MemoryRequest(new ReadMemory(buffer, bytes));
                Decode(script.As<MemoryRead>().Data, queue.Read);
                break;
            }

            if (script.IsStopped || wait.Next() is not { } pause)
            {
                break;
            }

            yield return pause;
        }

        script.Outcome = queue.Read.TryDequeue(out ReadFault? next) ? Of(next) : StepOutcome.With(("requests", 0));
    }

    private static StepOutcome Of(ReadFault group) =>
        StepOutcome.With(
            ("requests", group.Requests),
            ("address", group.First),
            ("length", group.Last - group.First + HostPage.Size),
            ("pasid", group.Pasid),
            ("group", group.Group),
            ("permissions", group.Permissions),
            ("device", group.DeviceId),
            ("cookie", group.Cookie)
        );

    // Whole groups: the requests of one have its cookie.
    private static void Decode(byte[] records, Queue<ReadFault> groups)
    {
        const uint lastPage = 2;
        int requests = 0;
        ulong first = ulong.MaxValue;
        ulong last = 0;
        for (int at = 0; at + RecordBytes <= records.Length; at += RecordBytes)
        {
            ReadOnlySpan<byte> record = records.AsSpan(at, RecordBytes);
            ulong page = BinaryPrimitives.ReadUInt64LittleEndian(record[24..]) & ~HostPage.OffsetMask;
            requests++;
            first = Math.Min(first, page);
            last = Math.Max(last, page);
            if ((BinaryPrimitives.ReadUInt32LittleEndian(record) & lastPage) == 0)
            {
                continue;
            }

            groups.Enqueue(
                new ReadFault(
                    requests,
                    BinaryPrimitives.ReadUInt32LittleEndian(record[4..]),
                    BinaryPrimitives.ReadUInt32LittleEndian(record[8..]),
                    BinaryPrimitives.ReadUInt32LittleEndian(record[12..]),
                    BinaryPrimitives.ReadUInt32LittleEndian(record[16..]),
                    first,
                    last,
                    BinaryPrimitives.ReadUInt32LittleEndian(record[36..])
                )
            );
            (requests, first, last) = (0, ulong.MaxValue, 0);
        }
    }
}

/// <summary><c>fault-respond</c>.</summary>
public sealed class FaultRespondStep : ScriptKind
{
    private const int ResponseBytes = 8;

    private static readonly NumberField Cookie = new("cookie", "Which group: from 'fault-read'.")
    {
        IsRequired = true,
        Maximum = uint.MaxValue,
    };
    private static readonly ChoiceField Code = new(
        "code",
        "Whether the device may try again; success when left out.",
        "success",
        "invalid"
    );

    /// <inheritdoc/>
    public override string Name => "fault-respond";

    /// <inheritdoc/>
    public override string Summary => "Answers a group of page requests; the device goes on.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [FaultKeys.Queue, Cookie, Code];

    /// <inheritdoc/>
    protected override IEnumerator<StepRequest> Run(StepScope scope, StepScript script)
    {
        var queue = scope.Object<FaultQueueObject>(FaultKeys.Queue, ObjectKind.FaultQueue);
        byte[] response = new byte[ResponseBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(response, (uint)scope.Number(Cookie));
        BinaryPrimitives.WriteUInt32LittleEndian(
            response.AsSpan(4),
            scope.Word(Code, "success") is "invalid" ? 1u : 0u
        );
        yield return new BufferRequest(ResponseBytes);
        ulong buffer = script.Address;
        yield return new MemoryRequest(new WriteMemory(buffer, response, ResponseBytes));
        yield return new CommandRequest(new WriteFaultQueue(queue.Id, buffer, ResponseBytes));
        script.Fail(script.Result.Errno);
    }
}

/// <summary><c>poll</c>.</summary>
public sealed class PollStep : CommandKind
{
    private const long In = 1;
    private const long Out = 4;

    /// <inheritdoc/>
    public override string Name => "poll";

    /// <inheritdoc/>
    public override string Summary => "Looks whether a fault queue or an event queue has something to read (poll).";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [FaultKeys.AnyQueue];

    /// <inheritdoc/>
    public override Field Shorthand => FaultKeys.AnyQueue;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["readable", "writable"];

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope) =>
        scope.Objects.TryFind(scope.Text(FaultKeys.AnyQueue)!, out VeventqObject? events)
            ? new PollVeventq(events.Id)
            : new PollFaultQueue(scope.Object<FaultQueueObject>(FaultKeys.AnyQueue, ObjectKind.FaultQueue).Id);

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result) =>
        StepOutcome.With(
            ("readable", (result.ReturnValue & In) != 0 ? 1 : 0),
            ("writable", (result.ReturnValue & Out) != 0 ? 1 : 0)
        );
}

/// <summary><c>close-queue</c>.</summary>
public sealed class CloseQueueStep : CommandKind
{
    /// <inheritdoc/>
    public override string Name => "close-queue";

    /// <inheritdoc/>
    public override string Summary =>
        "Closes the descriptor of a fault queue or an event queue: it can be destroyed from then on.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [FaultKeys.AnyQueue];

    /// <inheritdoc/>
    public override Field Shorthand => FaultKeys.AnyQueue;

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope) =>
        scope.Objects.TryFind(scope.Text(FaultKeys.AnyQueue)!, out VeventqObject? events)
            ? new CloseVeventq(events.Id)
            : new CloseFaultQueue(scope.Object<FaultQueueObject>(FaultKeys.AnyQueue, ObjectKind.FaultQueue).Id);
}
