using Iommufd.Messages.Host;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Steps;

/// <summary>Keys of a process's limits and capabilities, wherever it is described.</summary>
internal static class LimitKeys
{
    public static readonly NumberField OpenFiles = new(
        "open-files",
        "RLIMIT_NOFILE: one more than the highest descriptor; 0, 1 and 2 are taken, so 3 allows none. Unlimited when left out."
    );

    public static readonly NumberField OpenFilesFromNow = new(
        "open-files",
        "RLIMIT_NOFILE: one more than the highest descriptor that can be opened from now on; as it was when left out."
    );
}

/// <summary><c>limits</c>.</summary>
public sealed class LimitsStep : OperationKind
{
    private static readonly NumberField Memlock = new(
        "memlock",
        "RLIMIT_MEMLOCK in bytes from now on; as it was when left out."
    );
    private static readonly FlagField IpcLock = new(
        "cap-ipc-lock",
        "Whether it has CAP_IPC_LOCK from now on; as it was when left out."
    );
    private static readonly FlagField SysResource = new(
        "cap-sys-resource",
        "Whether it has CAP_SYS_RESOURCE from now on; as it was when left out."
    );

    /// <inheritdoc/>
    public override string Name => "limits";

    /// <inheritdoc/>
    public override string Summary =>
        "Changes limits and capabilities of the process; what is pinned, charged or open already stays.";

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => [Memlock, IpcLock, SysResource, LimitKeys.OpenFilesFromNow];

    /// <inheritdoc/>
    public override StepRequest Prepare(StepScope scope) =>
        new MemoryRequest(
            new ChangeLimits(
                scope.Has(Memlock) ? scope.Number(Memlock) : null,
                scope.Has(IpcLock) ? scope.Flag(IpcLock) : null,
                scope.Has(SysResource) ? scope.Flag(SysResource) : null,
                scope.Has(LimitKeys.OpenFilesFromNow) ? scope.Number(LimitKeys.OpenFilesFromNow) : null
            )
        );

    /// <inheritdoc/>
    public override StepOutcome Complete(StepScope scope, object answer) => new(((HostResult)answer).Errno, []);
}
