using Iommufd.Core.PageTables;
using Iommufd.Messages;

namespace Iommufd.Core.Tests.PageTables;

/// <summary>The questions that the walker asks its format between its steps.</summary>
internal enum StepPoint
{
    /// <summary>A pointer was read and is about to be followed.</summary>
    TableAddress,

    /// <summary>A pointer to a new table is being made.</summary>
    TableWord,

    /// <summary>A word was read and is being told apart: pointer or leaf.</summary>
    TableValue,

    /// <summary>A leaf was read and is about to be used.</summary>
    Permissions,

    /// <summary>A leaf was read and is being looked at for its mark.</summary>
    DirtyValue,

    /// <summary>A table is known, and its item is about to be found.</summary>
    GranuleShift,
}

/// <summary>What another thread would do at a step of this one: runs there, once.</summary>
internal static class Script
{
    [ThreadStatic]
    private static (StepPoint Point, int Skip, Action? Action) t_next;

    [ThreadStatic]
    private static ulong t_watched;

    /// <summary>A word that should never be followed as a pointer on this thread; 0 once it was.</summary>
    internal static ulong Watched
    {
        get => t_watched;
        set => t_watched = value;
    }

    /// <summary>Takes note that a word is followed.</summary>
    internal static void Follow(ulong word)
    {
        if (word == t_watched)
        {
            t_watched = 0;
        }
    }

    /// <summary>Runs an action at a point, after it was passed a number of times.</summary>
    internal static void At(StepPoint point, int skip, Action action) => t_next = (point, skip, action);

    internal static void Pass(StepPoint point)
    {
        if (t_next.Action is not { } action || t_next.Point != point)
        {
            return;
        }

        if (t_next.Skip > 0)
        {
            t_next.Skip--;
            return;
        }

        t_next = default;
        action();
    }
}

/// <summary>A format's bits, with an interleaving written down: see <see cref="Script"/>.</summary>
/// <typeparam name="TBase">The format.</typeparam>
/// <typeparam name="TFault">The ordering to take away.</typeparam>
internal readonly struct Scripted<TBase, TFault> : IIopteFormat
    where TBase : struct, IIopteFormat
    where TFault : struct, IFault
{
    static OrderingFault IIopteFormat.Weakened => TFault.Fault;

    public static IoPageTableFormat Format => TBase.Format;

    public static int GranuleShift
    {
        get
        {
            Script.Pass(StepPoint.GranuleShift);
            return TBase.GranuleShift;
        }
    }

    public static int StartTopLevel => TBase.StartTopLevel;
    public static int MaxTopLevel => TBase.MaxTopLevel;
    public static int InputBits => TBase.InputBits;
    public static bool SignExtends => TBase.SignExtends;
    public static int OutputBits => TBase.OutputBits;
    public static ulong PageSizes => TBase.PageSizes;
    public static IovaRange Aperture => TBase.Aperture;
    public static bool TracksDirty => TBase.TracksDirty;
    public static ulong DirtyMask => TBase.DirtyMask;

    public static ulong DirtyValue
    {
        get
        {
            Script.Pass(StepPoint.DirtyValue);
            return TBase.DirtyValue;
        }
    }

    public static ulong CleanValue => TBase.CleanValue;
    public static ulong AddressMask => TBase.AddressMask;
    public static ulong SizeCodeMask => TBase.SizeCodeMask;
    public static int AddressShift => TBase.AddressShift;
    public static ulong TableMask => TBase.TableMask;

    public static ulong ContiguousStep(int level) => TBase.ContiguousStep(level);

    public static Errno CheckPermissions(IoptePermissions permissions) => TBase.CheckPermissions(permissions);

    public static ulong TableWord(ulong address, int level)
    {
        Script.Pass(StepPoint.TableWord);
        return TBase.TableWord(address, level);
    }

    public static ulong TableValue(int level)
    {
        Script.Pass(StepPoint.TableValue);
        return TBase.TableValue(level);
    }

    public static ulong TableAddress(ulong word)
    {
        Script.Pass(StepPoint.TableAddress);
        Script.Follow(word);
        return TBase.TableAddress(word);
    }

    public static ulong LeafWord(ulong physical, int level, int shift, IoptePermissions permissions) =>
        TBase.LeafWord(physical, level, shift, permissions);

    public static int LeafShift(ulong word, int level) => TBase.LeafShift(word, level);

    public static IoptePermissions Permissions(ulong word)
    {
        Script.Pass(StepPoint.Permissions);
        return TBase.Permissions(word);
    }
}
