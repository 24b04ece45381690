using Iommufd.Core.Context;
using Iommufd.Core.Dma;
using Iommufd.Core.Pages;
using Iommufd.Core.PageTables;
using Iommufd.Core.Sharing;
using Iommufd.Messages;
using Iommufd.Messages.Host;
using Xunit;

namespace Iommufd.Core.Tests.Sharing;

public sealed class SharedTableTests
{
    private const ulong Guest = 0x4000_0000;
    private const int Rounds = 20_000;

    [Fact]
    public void An_entry_is_reached_only_while_its_frame_is_lent()
    {
        var machine = new HostMachine();
        var memory = new ProcessMemory(1, new ProcessSpec("vm"), machine.Physical, new UserAccount());
        Assert.Equal(
            Errno.OK,
            memory.Map(
                null,
                HostPage.Size,
                MemoryKind.Anonymous,
                MemoryProtection.Read | MemoryProtection.Write,
                populate: true,
                out var address
            )
        );
        var table = new SharedTable(memory, IoPageTableFormat.AmdV1);
        Assert.Equal(Errno.OK, table.AddSlot(new GuestSlot(Guest, address, HostPage.Size, Writable: true)));
        var engine = new DmaEngine(new Iotlb(IotlbGeometry.Default), 1, machine.PinOracle);
        engine.Attach(table.Table);

        var over = false;
        var reached = 0;
        var device = new Thread(() =>
        {
            while (!Volatile.Read(ref over))
            {
                if (engine.TryTranslate(Guest, IoptePermissions.Write, out _))
                {
                    reached++;
                }
            }
        });
        device.Start();
        try
        {
            for (var round = 0; round < Rounds; round++)
            {
                Assert.Equal(Errno.OK, table.Fill(Guest, HostPage.Size, write: true));
                var begun = Assert.Single(table.Begin(address, address + HostPage.OffsetMask));
                engine.Iotlb.Invalidate(begun.Range);
                table.End(begun);
            }
        }
        finally
        {
            Volatile.Write(ref over, true);
            device.Join();
        }

        Assert.True(reached > 0, "the device reached the page at times");
        Assert.Equal(0ul, engine.Totals.Violations);
        Assert.Equal(0, machine.Physical.LentFrames);
        table.Release();
    }
}
