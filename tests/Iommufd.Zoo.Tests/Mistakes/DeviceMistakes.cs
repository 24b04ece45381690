using Iommufd.Core.Context;
using Iommufd.Core.Dma;
using Iommufd.Core.Flows;
using Iommufd.Core.PageTables;
using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Zoo.Tests.Mistakes;

/// <summary>What can go wrong between a device and the tables it goes through.</summary>
internal static class DeviceMistakes
{
    public static IEnumerable<Mistake> All =>
        [
            new(
                "iotlb-not-invalidated",
                "an invalidation completes without removing anything",
                "quarrel",
                o =>
                    o with
                    {
                        MakeEngine = (name, machine) => Engine(name, machine, new ForgetfulIotlb((_, _) => null)),
                    }
            ),
            new(
                "iotlb-last-page-kept",
                "an invalidation ends one page early",
                "quarrel",
                o => o with { MakeEngine = (name, machine) => Engine(name, machine, new ForgetfulIotlb(OnePageLess)) }
            ),
            new(
                "iotlb-kept-on-switch",
                "a switch to other tables leaves the IOTLB as it is",
                "moves",
                o => o with { MakeEngine = (name, machine) => Engine(name, machine, new ForgetfulIotlb(UnlessSwitch)) }
            ),
            new(
                "device-not-linked",
                "a HWPT does not know of its device and tells it nothing",
                "quarrel",
                Meddling.At(ParticipantKind.Hwpt, Meddling.Forget<LinkDevice>())
            ),
            new(
                "stale-walk-cache",
                "the IOMMU keeps what it walked when a table changes",
                "quarrel",
                o => o with { MakeEngine = (name, machine) => new FrontedEngine(name, machine, t => new WalkCache(t)) }
            ),
            new(
                "freed-table-reused",
                "a table is linked in two places after it was freed in one",
                "quarrel",
                o =>
                    o with
                    {
                        MakeEngine = (name, machine) => new FrontedEngine(name, machine, t => new DanglingTable(t)),
                    }
            ),
            new(
                "permission-ignored",
                "a write goes through a mapping that allows reads alone",
                "quarrel",
                o => o with { MakeEngine = (name, machine) => new FrontedEngine(name, machine, t => new OpenTable(t)) }
            ),
        ];

    private static DmaEngine Engine(string name, HostMachine machine, Iotlb iotlb) =>
        new(iotlb, SeedOf(name), machine.PinOracle);

    private static ulong SeedOf(string name) => (ulong)name.Length * 31 + name[^1];

    private static IovaRange? OnePageLess(IovaRange range, uint? pasid) =>
        range.Last - range.First < HostPage.Size ? null : new IovaRange(range.First, range.Last - HostPage.Size);

    private static IovaRange? UnlessSwitch(IovaRange range, uint? pasid) => range == IovaRange.All ? null : range;

    private sealed class ForgetfulIotlb(Func<IovaRange, uint?, IovaRange?> reach) : Iotlb(IotlbGeometry.Default)
    {
        protected override void Remove(IovaRange range, uint? pasid)
        {
            if (reach(range, pasid) is { } less)
            {
                base.Remove(less, pasid);
            }
        }
    }

    private sealed class FrontedEngine(string name, HostMachine machine, Func<IoPageTable, IoPageTable> front)
        : DmaEngine(new Iotlb(IotlbGeometry.Default), SeedOf(name), machine.PinOracle)
    {
        public override void Switch(DmaTranslation? translation, uint pasid = 0) =>
            base.Switch(
                translation is null
                    ? null
                    : new DmaTranslation(front(translation.Table), translation.SecondStage)
                    {
                        MarksDirty = translation.MarksDirty,
                    },
                pasid
            );
    }

    private sealed class WalkCache(IoPageTable inner) : TableFront(inner)
    {
        private readonly Dictionary<ulong, IopteTranslation> _walked = [];

        public override bool TryAccess(
            ulong iova,
            IoptePermissions access,
            bool markDirty,
            out IopteTranslation translation
        )
        {
            if (_walked.TryGetValue(iova >> HostPage.Shift, out translation))
            {
                return true;
            }

            if (!base.TryAccess(iova, access, markDirty, out translation))
            {
                return false;
            }

            _walked[iova >> HostPage.Shift] = translation;
            return true;
        }
    }

    private sealed class DanglingTable(IoPageTable inner) : TableFront(inner)
    {
        private readonly SortedSet<ulong> _seen = [];

        public override bool TryAccess(
            ulong iova,
            IoptePermissions access,
            bool markDirty,
            out IopteTranslation translation
        )
        {
            if (base.TryAccess(iova, access, markDirty, out translation))
            {
                _seen.Add(iova >> HostPage.Shift);
                return true;
            }

            // What was mapped here is gone, and its table serves another place now.
            if (!_seen.Contains(iova >> HostPage.Shift))
            {
                return false;
            }

            foreach (ulong other in _seen)
            {
                if (base.TryAccess(other << HostPage.Shift, access, markDirty, out translation))
                {
                    return true;
                }
            }

            return false;
        }
    }

    private sealed class OpenTable(IoPageTable inner) : TableFront(inner)
    {
        public override bool TryAccess(
            ulong iova,
            IoptePermissions access,
            bool markDirty,
            out IopteTranslation translation
        ) => TryTranslate(iova, out translation);
    }
}
