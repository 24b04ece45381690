using Iommufd.Core.Context;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Host;
using Iommufd.Scenarios.Linearizability;

namespace Iommufd.Scenarios.Tests.Linearizability;

/// <summary>The small model of the search agrees with the reference model, SequentialContext, about random calls.</summary>
public sealed class ModelAgainstReferenceTests
{
    private const int Pages = 24;
    private const ulong Page = 4096;

    [Fact]
    public void What_the_reference_answers_is_always_right()
    {
        long all = 0;
        for (int seed = 1; seed <= 40; seed++)
        {
            ContextHistory history = Play(seed, calls: 400, spoil: -1);

            Assert.True(history.Violation is null, $"seed {seed}: {history.Violation}");
            all += history.Checked;
        }

        Assert.True(all > 40 * 200, $"only {all} answers were checked");
    }

    [Fact]
    public void An_answer_that_the_reference_would_not_give_is_wrong_or_shows_soon()
    {
        int found = 0;
        for (int seed = 1; seed <= 60; seed++)
        {
            found += Play(seed, calls: 400, spoil: 60 + seed).Violation is null ? 0 : 1;
        }

        // A pin that is said to have failed for want of memory, say, cannot be told from one that did.
        Assert.InRange(found, 45, 60);
    }

    private static ContextHistory Play(int seed, int calls, int spoil)
    {
        var random = new Random(seed);
        var machine = new HostMachine();
        Caller caller = machine.StartProcess(new ProcessSpec("client"));
        Assert.Equal(
            Errno.OK,
            caller.Memory.Map(
                null,
                Pages * Page,
                MemoryKind.Anonymous,
                MemoryProtection.Read | MemoryProtection.Write,
                false,
                out ulong memory
            )
        );
        var context = new SequentialContext(machine, 1);
        var history = new ContextHistory();
        long tag = 0;
        uint[] spaces = [Id(new IoasAlloc()), Id(new IoasAlloc())];
        uint access = ((CreateAccess)Do(new CreateAccess(spaces[0], true), false).WriteBack!).OutAccessId;
        for (int i = 0; i < calls; i++)
        {
            Do(Any(random, spaces, access, memory), i == spoil);
        }

        return history;

        uint Id(IoasAlloc alloc) => ((IoasAlloc)Do(alloc, false).WriteBack!).OutIoasId;

        IoctlResult Do(IoctlCommand command, bool spoiled)
        {
            history.Make(++tag, command);
            IoctlResult result = context.Execute(caller, command);
            history.Answer(tag, spoiled ? Spoil(command, result) : result);
            return result;
        }
    }

    // Another answer than the right one.
    private static IoctlResult Spoil(IoctlCommand command, IoctlResult result) =>
        (command, result.IsOk) switch
        {
            (IoasUnmap unmap, true) => IoctlResult.Ok(
                ((IoasUnmap)result.WriteBack!) with
                {
                    Length = unmap.Length + Page,
                }
            ),
            (IoasMap or IoasCopy, true) => IoctlResult.Fail(Errno.EEXIST),
            (_, true) => IoctlResult.Fail(Errno.ENOENT),
            (IoasUnmap unmap, false) => IoctlResult.Ok(unmap),
            _ => IoctlResult.Ok(command),
        };

    private static IoctlCommand Any(Random random, uint[] spaces, uint access, ulong memory)
    {
        uint space = spaces[random.Next(2)];
        ulong iova = (ulong)random.Next(Pages) * Page;
        ulong length = (ulong)random.Next(1, 5) * Page;
        bool isFixed = random.Next(4) > 0;
        IoasMapFlags flags =
            (isFixed ? IoasMapFlags.FixedIova : 0)
            | IoasMapFlags.Readable
            | (random.Next(4) > 0 ? IoasMapFlags.Writeable : 0);
        return random.Next(9) switch
        {
            < 3 => new IoasMap
            {
                IoasId = space,
                Flags = flags,
                Iova = iova,
                Length = length,
                UserVa = memory + ((ulong)random.Next(Pages - 4) * Page),
            },
            3 => new IoasCopy
            {
                SrcIoasId = spaces[random.Next(2)],
                DstIoasId = space,
                Flags = flags,
                SrcIova = iova,
                DstIova = (ulong)random.Next(Pages) * Page,
                Length = length,
            },
            < 6 => new IoasUnmap
            {
                IoasId = space,
                Iova = iova,
                Length = length * (ulong)random.Next(1, 4),
            },
            6 when random.Next(8) == 0 => new IoasUnmap { IoasId = space, Length = ulong.MaxValue },
            7 => new ReadWriteAccess(access, iova, new byte[64], random.Next(2) == 0),
            _ => new PinAccessPages(access, iova, length, random.Next(2) == 0),
        };
    }
}
