using Iommufd.Core.PageTables;

namespace Iommufd.Core.Tests.PageTables;

/// <summary>Names an ordering to take away, as a type.</summary>
internal interface IFault
{
    static abstract OrderingFault Fault { get; }
}

/// <summary>One type for each ordering.</summary>
internal static class Faults
{
    internal readonly struct None : IFault
    {
        public static OrderingFault Fault => OrderingFault.None;
    }

    internal readonly struct PlainDirtyMark : IFault
    {
        public static OrderingFault Fault => OrderingFault.PlainDirtyMark;
    }

    internal readonly struct PlainDirtyClear : IFault
    {
        public static OrderingFault Fault => OrderingFault.PlainDirtyClear;
    }

    internal readonly struct PlainLink : IFault
    {
        public static OrderingFault Fault => OrderingFault.PlainLink;
    }

    internal readonly struct LinkBeforeFill : IFault
    {
        public static OrderingFault Fault => OrderingFault.LinkBeforeFill;
    }

    internal readonly struct NoGracePeriod : IFault
    {
        public static OrderingFault Fault => OrderingFault.NoGracePeriod;
    }

    internal readonly struct ReadOutsideSection : IFault
    {
        public static OrderingFault Fault => OrderingFault.ReadOutsideSection;
    }

    internal readonly struct NoDetachCount : IFault
    {
        public static OrderingFault Fault => OrderingFault.NoDetachCount;
    }

    internal readonly struct CountBeforeUnlink : IFault
    {
        public static OrderingFault Fault => OrderingFault.CountBeforeUnlink;
    }

    internal readonly struct NoMergeWait : IFault
    {
        public static OrderingFault Fault => OrderingFault.NoMergeWait;
    }

    internal readonly struct PlainReplace : IFault
    {
        public static OrderingFault Fault => OrderingFault.PlainReplace;
    }

    internal readonly struct NoEpochCheck : IFault
    {
        public static OrderingFault Fault => OrderingFault.NoEpochCheck;
    }

    internal readonly struct LateEpochCheck : IFault
    {
        public static OrderingFault Fault => OrderingFault.LateEpochCheck;
    }

    internal readonly struct ForgetAfterRetire : IFault
    {
        public static OrderingFault Fault => OrderingFault.ForgetAfterRetire;
    }
}
