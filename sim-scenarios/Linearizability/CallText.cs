using System.Globalization;
using Iommufd.Messages;
using Iommufd.Messages.Commands;

namespace Iommufd.Scenarios.Linearizability;

/// <summary>Calls as a counterexample shows them.</summary>
internal static class CallText
{
    /// <summary>When, what, and how it ended.</summary>
    public static string Of(IoasCall call) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"[{call.MadeAt, 6}..{(call.IsAnswered ? call.AnsweredAt : 0), 6}] {Words(call.Command)} -> {Ending(call)}"
        );

    private static string Words(IoctlCommand command) =>
        command switch
        {
            IoasAlloc => "IOAS_ALLOC",
            Destroy d => Text($"DESTROY {d.Id}"),
            IoasMap m when m.Flags.HasFlag(IoasMapFlags.FixedIova) => Text($"IOAS_MAP 0x{m.Iova:x} +0x{m.Length:x}"),
            IoasMap m => Text($"IOAS_MAP anywhere +0x{m.Length:x}"),
            IoasMapFile m when m.Flags.HasFlag(IoasMapFlags.FixedIova) => Text(
                $"IOAS_MAP_FILE 0x{m.Iova:x} +0x{m.Length:x}"
            ),
            IoasMapFile m => Text($"IOAS_MAP_FILE anywhere +0x{m.Length:x}"),
            IoasCopy c => Text($"IOAS_COPY {c.SrcIoasId}:0x{c.SrcIova:x} +0x{c.Length:x} to {c.DstIoasId}"),
            IoasUnmap { Iova: 0, Length: ulong.MaxValue } => "IOAS_UNMAP everything",
            IoasUnmap u => Text($"IOAS_UNMAP 0x{u.Iova:x} +0x{u.Length:x}"),
            PinAccessPages p => Text($"access {p.AccessId} pins 0x{p.Iova:x} +0x{p.Length:x}"),
            ReadWriteAccess a => Text(
                $"access {a.AccessId} {(a.Write ? "writes" : "reads")} 0x{a.Iova:x} +0x{a.Data.Length:x}"
            ),
            _ => command.GetType().Name,
        };

    private static string Ending(IoasCall call) =>
        (call.Errno, call.Action) switch
        {
            _ when !call.IsAnswered => "no answer yet",
            (Errno.OK, IoasAction.Insert) => Text($"OK, at 0x{call.Range.First:x}"),
            (Errno.OK, IoasAction.Remove) => Text($"OK, 0x{call.Length:x} bytes"),
            _ => call.Errno.ToString(),
        };

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
