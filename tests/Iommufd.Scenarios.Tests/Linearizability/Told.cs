using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Scenarios.Linearizability;

namespace Iommufd.Scenarios.Tests.Linearizability;

/// <summary>A history told by hand: calls and answers in the order in which a client would have seen them.</summary>
internal sealed class Told
{
    public const uint Space = 1;
    public const uint Access = 7;
    private const ulong Page = 4096;
    private readonly Dictionary<long, IoctlCommand> _made = [];
    private long _tag;

    /// <summary>An IOAS exists.</summary>
    public Told()
    {
        Ok(Make(new IoasAlloc()), new IoasAlloc { OutIoasId = Space });
    }

    public ContextHistory History { get; } = new();

    public string? Violation => History.Violation;

    public static IoasMap MapOf(ulong page, ulong pages = 1, uint space = Space) =>
        new()
        {
            IoasId = space,
            Flags = IoasMapFlags.FixedIova | IoasMapFlags.Readable | IoasMapFlags.Writeable,
            Iova = page * Page,
            Length = pages * Page,
        };

    public static IoasUnmap UnmapOf(ulong page, ulong pages = 1) =>
        new()
        {
            IoasId = Space,
            Iova = page * Page,
            Length = pages * Page,
        };

    public static PinAccessPages PinOf(ulong page, ulong pages = 1) => new(Access, page * Page, pages * Page, true);

    public long Make(IoctlCommand command)
    {
        _made.Add(++_tag, command);
        History.Make(_tag, command);
        return _tag;
    }

    public void Ok(long tag, IoctlCommand writeBack) => History.Answer(tag, IoctlResult.Ok(writeBack));

    /// <summary>A call is answered as it was asked.</summary>
    public void Ok(long tag) => Ok(tag, _made[tag]);

    public void OkBytes(long tag, ulong pages) => Ok(tag, (IoasUnmap)_made[tag] with { Length = pages * Page });

    public void Fails(long tag, Errno errno) => History.Answer(tag, IoctlResult.Fail(errno));

    public void Does(IoctlCommand command) => Ok(Make(command));

    public void Fails(IoctlCommand command, Errno errno) => Fails(Make(command), errno);

    public Told WithAccess()
    {
        Ok(Make(new CreateAccess(Space, true)), new CreateAccess(Space, true, Access));
        return this;
    }
}
