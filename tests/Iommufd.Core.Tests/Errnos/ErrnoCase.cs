using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Xunit;

namespace Iommufd.Core.Tests.Errnos;

/// <summary>One way to make a command end with an errno.</summary>
/// <param name="Command">Its name in the table.</param>
/// <param name="Errno">How it ends.</param>
/// <param name="Name">What is wrong with it.</param>
/// <param name="Arrange">Sets the scene and gives the command that fails.</param>
public sealed record ErrnoCase(string Command, Errno Errno, string Name, Func<ErrnoStage, IoctlCommand> Arrange)
{
    /// <summary>Whether it leaves traces in the context all the same (part of the work was done).</summary>
    public bool Changes { get; init; }

    /// <summary>Whether it needs the stage without actors: steps held back, or answered in a participant's place.</summary>
    public bool Sequential { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Command} {Errno}: {Name}";

    /// <summary>Plays the case: the errno, nothing written back but what is said, state and next id as before, nothing left behind.</summary>
    public void Play(ErrnoStage stage)
    {
        var command = Arrange(stage);
        Assert.Equal(Command, ErrnoTable.NameOf(command));
        var nextId = Sequential ? 0 : stage.NextId();
        var digest = stage.Digest();
        var counters = Counters(stage);
        var result = stage.Run(stage.CallAs ?? stage.Client, command);
        Assert.Equal(Errno, result.Errno);
        if (!Changes)
        {
            Assert.Equal(digest, stage.Digest());
            Assert.Equal(counters, Counters(stage));
        }

        Assert.Equal(nextId, Sequential ? 0 : stage.NextId());
        stage.End();
    }

    private static string Counters(ErrnoStage stage) =>
        string.Join(
            ' ',
            stage.Machine.Processes.Select(p => $"{p.ProcessId}:{p.Memory.PinnedVmPages}/{p.Memory.LockedVmPages}")
        )
        + FormattableString.Invariant(
            $" pins {stage.Machine.Physical.TotalPins} user {stage.Machine.User.LockedPages}"
        );
}
