using Iommufd.Core.PageTables;
using Iommufd.Core.PageTables.Formats;
using Iommufd.Messages;

namespace Iommufd.Core.Tests.PageTables;

/// <summary>
/// AMD v1 bits, with a thread that now and then dawdles between two steps of the walker: the walker asks its format between its
/// loads and stores, so every window of the protocol is stretched without a hook in the product.
/// </summary>
internal readonly struct JitteryAmdV1 : IIopteFormat
{
    [ThreadStatic]
    private static uint t_state;

    [ThreadStatic]
    private static uint t_asked;

    public static IoPageTableFormat Format => AmdV1.Format;

    /// <summary>Asked most often, so the thread dawdles more rarely here.</summary>
    public static int GranuleShift
    {
        get
        {
            if ((++t_asked & 0x3F) == 0)
            {
                Dawdle();
            }

            return AmdV1.GranuleShift;
        }
    }

    public static int StartTopLevel => AmdV1.StartTopLevel;
    public static int MaxTopLevel => AmdV1.MaxTopLevel;
    public static int InputBits => AmdV1.InputBits;
    public static int OutputBits => AmdV1.OutputBits;
    public static ulong PageSizes => AmdV1.PageSizes;
    public static IovaRange Aperture => AmdV1.Aperture;
    public static bool TracksDirty => true;
    public static ulong DirtyMask => AmdV1.DirtyMask;
    public static ulong DirtyValue => AmdV1.DirtyValue;
    public static ulong CleanValue => AmdV1.CleanValue;
    public static ulong AddressMask => AmdV1.AddressMask;
    public static ulong SizeCodeMask => AmdV1.SizeCodeMask;
    public static int AddressShift => AmdV1.AddressShift;
    public static ulong TableMask => AmdV1.TableMask;

    public static ulong ContiguousStep(int level) => AmdV1.ContiguousStep(level);

    public static Errno CheckPermissions(IoptePermissions permissions) => AmdV1.CheckPermissions(permissions);

    public static ulong TableWord(ulong address, int level)
    {
        Dawdle();
        return AmdV1.TableWord(address, level);
    }

    public static ulong TableValue(int level)
    {
        Dawdle();
        return AmdV1.TableValue(level);
    }

    public static ulong TableAddress(ulong word)
    {
        Dawdle();
        return AmdV1.TableAddress(word);
    }

    public static ulong LeafWord(ulong physical, int level, int shift, IoptePermissions permissions) =>
        AmdV1.LeafWord(physical, level, shift, permissions);

    public static int LeafShift(ulong word, int level) => AmdV1.LeafShift(word, level);

    public static IoptePermissions Permissions(ulong word)
    {
        Dawdle();
        return AmdV1.Permissions(word);
    }

    private static void Dawdle()
    {
        uint state = t_state == 0 ? (uint)Environment.CurrentManagedThreadId * 2654435761 | 1 : t_state;
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        t_state = state;
        if ((state & 0x3F) == 0)
        {
            Thread.SpinWait((int)(state >> 24));
        }
        else if ((state & 0x3FF) == 1)
        {
            Thread.Yield();
        }
    }
}
