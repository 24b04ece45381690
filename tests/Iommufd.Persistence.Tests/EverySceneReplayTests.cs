using Iommufd.Core.Tests.Errnos;
using Iommufd.Messages;
using Iommufd.Messages.Events;
using Xunit;

namespace Iommufd.Persistence.Tests;

/// <summary>
/// The scenes that the cases of the errno table set use every command with success: each is brought back from its events.
/// </summary>
public sealed class EverySceneReplayTests
{
    [Fact]
    public void The_scene_of_every_case_replays_to_the_same_digest()
    {
        var different = new List<string>();
        foreach (var played in ErrnoCases.All.Where(c => !c.Sequential))
        {
            using var stage = new SequentialStage();
            played.Arrange(stage);
            if (stage.Digest() != Replayed(stage, out var failure))
            {
                different.Add($"{played}: {failure}");
            }
        }

        Assert.Empty(different);
    }

    private static ulong Replayed(SequentialStage stage, out string failure)
    {
        failure = "another digest";
        var context = new ReplayedContext(1);
        try
        {
            context.Apply(new ContextOpened(EventTypes.Version, 1, stage.Client.ProcessId));
            foreach (var process in stage.Machine.Processes)
            {
                var memory = process.Memory;
                var limit = memory.RlimitMemlockPages;
                context.Apply(
                    new ProcessSeen(
                        process.ProcessId,
                        limit >= ulong.MaxValue / HostPage.Size ? ulong.MaxValue : limit * HostPage.Size,
                        memory.CapIpcLock,
                        memory.CapSysResource
                    )
                );
            }

            foreach (var change in stage.Events)
            {
                context.Apply(change);
            }

            return context.Digest;
        }
        catch (JournalFormatException e)
        {
            failure = e.Message;
            return 0;
        }
    }
}
