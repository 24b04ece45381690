using Iommufd.Core.PageTables;
using Iommufd.Core.PageTables.Formats;
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
}

/// <summary>What another thread would do at a step of this one: runs there, once.</summary>
internal static class Script
{
    [ThreadStatic]
    private static (StepPoint Point, int Skip, Action? Action) t_next;

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

/// <summary>AMD v1 bits, with an interleaving written down: see <see cref="Script"/>.</summary>
/// <typeparam name="TFault">The ordering to take away.</typeparam>
internal readonly struct ScriptedAmdV1<TFault> : IIopteFormat
    where TFault : struct, IFault
{
    static OrderingFault IIopteFormat.Weakened => TFault.Fault;

    public static IoPageTableFormat Format => AmdV1.Format;
    public static int GranuleShift => AmdV1.GranuleShift;
    public static int StartTopLevel => AmdV1.StartTopLevel;
    public static int MaxTopLevel => AmdV1.MaxTopLevel;
    public static int InputBits => AmdV1.InputBits;
    public static int OutputBits => AmdV1.OutputBits;
    public static ulong PageSizes => AmdV1.PageSizes;
    public static IovaRange Aperture => AmdV1.Aperture;
    public static bool TracksDirty => true;
    public static ulong DirtyMask => AmdV1.DirtyMask;

    public static ulong DirtyValue
    {
        get
        {
            Script.Pass(StepPoint.DirtyValue);
            return AmdV1.DirtyValue;
        }
    }

    public static ulong CleanValue => AmdV1.CleanValue;
    public static ulong AddressMask => AmdV1.AddressMask;
    public static ulong SizeCodeMask => AmdV1.SizeCodeMask;
    public static int AddressShift => AmdV1.AddressShift;
    public static ulong TableMask => AmdV1.TableMask;

    public static ulong ContiguousStep(int level) => AmdV1.ContiguousStep(level);

    public static Errno CheckPermissions(IoptePermissions permissions) => AmdV1.CheckPermissions(permissions);

    public static ulong TableWord(ulong address, int level)
    {
        Script.Pass(StepPoint.TableWord);
        return AmdV1.TableWord(address, level);
    }

    public static ulong TableValue(int level)
    {
        Script.Pass(StepPoint.TableValue);
        return AmdV1.TableValue(level);
    }

    public static ulong TableAddress(ulong word)
    {
        Script.Pass(StepPoint.TableAddress);
        return AmdV1.TableAddress(word);
    }

    public static ulong LeafWord(ulong physical, int level, int shift, IoptePermissions permissions) =>
        AmdV1.LeafWord(physical, level, shift, permissions);

    public static int LeafShift(ulong word, int level) => AmdV1.LeafShift(word, level);

    public static IoptePermissions Permissions(ulong word)
    {
        Script.Pass(StepPoint.Permissions);
        return AmdV1.Permissions(word);
    }
}
