using Iommufd.Actors;
using Iommufd.Actors.Protocol;
using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Host;
using Iommufd.Scenarios.Language;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Steps;

/// <summary><c>memfd</c>: a file of memory, one's own or another process's.</summary>
public sealed class MemfdStep : ScriptKind
{
    private static readonly GivenNameField As = new("as", "A name for the file.", ObjectKind.File)
    {
        IsRequired = true,
    };
    private static readonly NumberField Size = new("size", "Bytes.");
    private static readonly ChoiceField Kind = new(
        "kind",
        "What its pages are; plain when left out.",
        "plain",
        "huge-2m",
        "sparse"
    );
    private static readonly PlainNameField Offer = new(
        "offer",
        "Offers the descriptor to other clients, under a name for the whole scenario."
    );
    private static readonly PlainNameField Take = new("take", "Takes the descriptor that a client has offered.");

    /// <inheritdoc/>
    public override string Name => "memfd";

    /// <inheritdoc/>
    public override string Summary =>
        "Makes a file of memory, or takes the descriptor of one that another client offers.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [As, Size, Kind, Offer, Take];

    /// <inheritdoc/>
    protected override void CheckTogether(FieldValues values, SourcePosition at, MistakeCollector mistakes) =>
        RequireOneOf(values, at, mistakes, [Size], [Take]);

    /// <inheritdoc/>
    protected override IEnumerator<StepRequest> Run(StepScope scope, StepScript script)
    {
        yield return scope.Text(Take) is { } taken
            ? new MachineRequest(process => new TakeDescriptor(process, taken))
            : new MemoryRequest(new MakeFile(KindOf(scope), scope.Number(Size)));
        var opened = script.As<FileOpened>();
        if (opened.Errno != Errno.OK)
        {
            script.Fail(opened.Errno);
            yield break;
        }

        if (opened.File is not { } file)
        {
            // Somebody offered something else under this name.
            script.Fail(Errno.EBADF);
            yield break;
        }

        scope.Give(As, new FileObject(opened.Descriptor, file, file.Size));
        if (scope.Text(Offer) is { } name)
        {
            yield return new MachineRequest(process => new OfferDescriptor(process, opened.Descriptor, name));
            script.Fail(script.As<HostResult>().Errno);
        }
    }

    private static MemoryFileKind KindOf(StepScope scope) =>
        scope.Word(Kind, "plain") switch
        {
            "huge-2m" => MemoryFileKind.MemfdHuge2M,
            "sparse" => MemoryFileKind.MemfdSparse,
            _ => MemoryFileKind.Memfd,
        };
}

/// <summary><c>map-file</c>.</summary>
public sealed class MapFileStep : CommandKind
{
    private static readonly UsedNameField Ioas = new("ioas", "The IOAS to map into.", ObjectKind.Ioas)
    {
        IsRequired = true,
    };
    private static readonly UsedNameField File = new("file", "The file to map.", ObjectKind.File) { IsRequired = true };
    private static readonly NumberField Offset = new("offset", "First byte of the file; 0 when left out.");
    private static readonly NumberField Length = new("length", "Bytes; to the end of the file when left out.");
    private static readonly NumberField Iova = new("iova", "First IOVA; the IOAS chooses when left out.");
    private static readonly GivenNameField As = new("as", "A name for the area.", ObjectKind.Area);

    /// <inheritdoc/>
    public override string Name => "map-file";

    /// <inheritdoc/>
    public override string Summary => "Maps memory of a file into an IOAS: no address of the process is needed.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [Ioas, File, Offset, Length, Iova, AccessWords.Field, As];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Outputs => ["iova"];

    /// <inheritdoc/>
    protected override IoctlCommand Command(StepScope scope)
    {
        var file = scope.Object<FileObject>(File, ObjectKind.File);
        ulong offset = scope.Number(Offset);
        return new IoasMapFile
        {
            IoasId = scope.Object<IoasObject>(Ioas, ObjectKind.Ioas).Id,
            Flags = AccessWords.Flags(scope, scope.Has(Iova)),
            Fd = file.Descriptor,
            Start = offset,
            Length = scope.Number(Length, offset <= file.Size ? file.Size - offset : 0),
            Iova = scope.Number(Iova),
        };
    }

    /// <inheritdoc/>
    protected override StepOutcome Succeeded(StepScope scope, IoctlResult result)
    {
        var map = (IoasMapFile)result.WriteBack!;
        scope.Give(As, new AreaObject(map.IoasId, map.Iova, map.Length));
        return StepOutcome.With(("iova", map.Iova));
    }
}

/// <summary><c>process</c>.</summary>
public sealed class ProcessStep : ScriptKind
{
    private static readonly GivenNameField As = new("as", "A name for the process.", ObjectKind.Process)
    {
        IsRequired = true,
    };
    private static readonly NumberField Memlock = new("memlock", "RLIMIT_MEMLOCK in bytes; unlimited when left out.");
    private static readonly FlagField IpcLock = new("cap-ipc-lock", "Whether it has CAP_IPC_LOCK; true when left out.");

    /// <inheritdoc/>
    public override string Name => "process";

    /// <inheritdoc/>
    public override string Summary => "Starts another process of this client; it shares the client's descriptors.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [As, Memlock, IpcLock, LimitKeys.OpenFiles];

    /// <inheritdoc/>
    protected override IEnumerator<StepRequest> Run(StepScope scope, StepScript script)
    {
        var spec = new ProcessSpec(
            scope.Text(As)!,
            scope.Number(Memlock, ulong.MaxValue),
            scope.Flag(IpcLock, otherwise: true),
            RlimitOpenFiles: scope.Number(LimitKeys.OpenFiles, ulong.MaxValue)
        );
        yield return new MachineRequest(process => new StartChild(spec, (uint)process));
        scope.Give(As, new ProcessObject(script.As<ProcessStarted>().ProcessId));
    }
}

/// <summary><c>change-process</c>.</summary>
public sealed class ChangeProcessStep : ScriptKind
{
    private static readonly UsedNameField Process = new("process", "The new owner.", ObjectKind.Process)
    {
        IsRequired = true,
    };

    /// <inheritdoc/>
    public override string Name => "change-process";

    /// <inheritdoc/>
    public override string Summary =>
        "Another process takes over what is mapped of files, and is charged for it (IOAS_CHANGE_PROCESS).";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [Process];

    /// <inheritdoc/>
    public override Field Shorthand => Process;

    /// <inheritdoc/>
    protected override IEnumerator<StepRequest> Run(StepScope scope, StepScript script)
    {
        int process = scope.Object<ProcessObject>(Process, ObjectKind.Process).ProcessId;
        yield return new CommandRequest(new IoasChangeProcess(), process);
        script.Fail(script.Result.Errno);
    }
}
