using Iommufd.Messages.Events;

namespace Iommufd.Persistence;

/// <summary>Listens to the events of one context and keeps what belongs to its story. Not thread-safe.</summary>
internal abstract class StoryTeller
{
    private readonly List<StoryLine> _lines = [];
    private JournaledEvent? _current;

    /// <summary>The story so far.</summary>
    public IReadOnlyList<StoryLine> Lines => _lines;

    /// <summary>The context as the events so far made it.</summary>
    protected StoryModel Model { get; } = new();

    /// <summary>Hears the next event.</summary>
    public void Hear(JournaledEvent journaled)
    {
        _current = journaled;
        Before(journaled.Event);
        Model.Apply(journaled.Event);
        After(journaled.Event);
    }

    /// <summary>How it stands after the last event.</summary>
    public abstract string Now();

    /// <summary>An event is heard; the model does not know it yet.</summary>
    protected abstract void Before(ContextEvent change);

    /// <summary>The model knows the event.</summary>
    protected abstract void After(ContextEvent change);

    /// <summary>Adds to the story.</summary>
    protected void Tell(string text) =>
        _lines.Add(new StoryLine(_current!.SequenceNr, _current.Ordering, _current.Event.GetType().Name, text));
}

/// <summary>The story of an object: every event that names it, with the objects that had the id before or after it.</summary>
/// <param name="id">Its id.</param>
internal sealed class ObjectTeller(uint id) : StoryTeller
{
    private string? _kind;
    private string? _last;

    /// <inheritdoc/>
    public override string Now() =>
        _kind is { } kind ? $"it is there: {kind}"
        : _last is { } last ? $"it is gone: the last was {last}"
        : "it is gone";

    /// <inheritdoc/>
    protected override void Before(ContextEvent change)
    {
        if (_kind is "automatic HWPT" && change is DeviceDetached or DeviceReplaced && Uses(change))
        {
            Tell(EventSentence.Of(change) + "; it used this HWPT");
        }
    }

    /// <inheritdoc/>
    protected override void After(ContextEvent change)
    {
        if (change is ContextClosed)
        {
            if (_kind is not null)
            {
                Tell("the context was closed, and this with it");
                Gone();
            }

            return;
        }

        if (!EventObjects.Of(change).Contains(id))
        {
            GoneWithLastUser(change);
            return;
        }

        var made = EventObjects.MadeBy(change).FirstOrDefault(m => m.Id == id).Kind ?? MadeByAttach(change);
        if (made is not null)
        {
            _kind = made;
        }

        Tell(EventSentence.Of(change));
        if (change is ObjectDestroyed or DeviceUnbound or AccessDestroyed)
        {
            Gone();
        }
    }

    private bool Uses(ContextEvent change) =>
        change switch
        {
            DeviceDetached e => Model.HwptOf(e.DeviceId, e.Pasid) == id,
            DeviceReplaced e => Model.HwptOf(e.DeviceId, e.Pasid) == id && e.HwptId != id,
            _ => false,
        };

    private string? MadeByAttach(ContextEvent change)
    {
        var hwpt = change switch
        {
            DeviceAttached e when e.PtId != e.HwptId => e.HwptId,
            DeviceReplaced e when e.PtId != e.HwptId => e.HwptId,
            MockDeviceMade e when e.PtId != e.HwptId => e.HwptId,
            _ => 0u,
        };
        return hwpt == id && _kind is null ? "automatic HWPT" : null;
    }

    private void GoneWithLastUser(ContextEvent change)
    {
        if (_kind is "automatic HWPT" && Model.IoasOf(id) is null)
        {
            Tell($"{EventSentence.Of(change)}: no device uses this HWPT any more, and it went");
            Gone();
        }
    }

    private void Gone()
    {
        _last = _kind;
        _kind = null;
    }
}

/// <summary>The story of an IOVA: areas that have it, tables that it is in, frames, pins, faults, dirty marks.</summary>
/// <param name="iova">The IOVA.</param>
/// <param name="ioas">The id of one IOAS; null for all.</param>
internal sealed class AddressTeller(ulong iova, uint? ioas) : StoryTeller
{
    private const ulong PageMask = 0xfff;
    private readonly HashSet<(uint Access, uint Pin)> _pins = [];
    private List<StoryArea> _before = [];
    private string _tablesBefore = string.Empty;
    private ulong? _frame;

    /// <inheritdoc/>
    public override string Now()
    {
        var areas = Covering();
        if (areas.Count == 0)
        {
            return "it is not mapped";
        }

        return string.Join(
            "; ",
            areas.Select(a =>
                FormattableString.Invariant($"IOAS {a.Ioas} has it in {EventSentence.Range(a.First, a.Last)}")
                + (Model.TablesOf(a.Ioas) is { Length: > 0 } tables ? ", in the tables of " + tables : ", in no table")
                + Frame()
            )
        );
    }

    /// <inheritdoc/>
    protected override void Before(ContextEvent change)
    {
        _before = Covering();
        _tablesBefore = Tables(_before);
    }

    /// <inheritdoc/>
    protected override void After(ContextEvent change)
    {
        var now = Covering();
        FindFrame(change, [.. now, .. _before]);
        if (!now.SequenceEqual(_before))
        {
            TellAreas(change, now);
        }
        else if (now.Count > 0)
        {
            TellOthers(change, now);
        }
        else if (change is FaultReported fault && IsHere(fault.Address))
        {
            Tell(EventSentence.Of(change) + ": nothing was mapped there");
        }
    }

    private void TellAreas(ContextEvent change, List<StoryArea> now)
    {
        var text = EventSentence.Of(change);
        var added = now.Except(_before).ToList();
        if (added.Count > 0 && change is not AreaCutInTwo)
        {
            var tables = Tables(added);
            text += tables.Length > 0 ? $"; in the tables of {tables}{Frame()}" : "; in no table yet";
        }
        else if (now.Count == 0)
        {
            text += _tablesBefore.Length > 0 ? $"; gone from the tables of {_tablesBefore}" : string.Empty;
            _frame = null;
        }

        Tell(text);
    }

    private void TellOthers(ContextEvent change, List<StoryArea> now)
    {
        switch (change)
        {
            case AccessPinned e when now.Any(a => a.Ioas == Model.IoasOfAccess(e.AccessId)) && Has(e.Iova, e.Length):
                _pins.Add((e.AccessId, e.PinId));
                Tell(EventSentence.Of(change) + Frame());
                break;
            case AccessUnpinned e when _pins.Remove((e.AccessId, e.PinId)):
                Tell(EventSentence.Of(change) + ", which had it pinned");
                break;
            case FaultReported e when IsHere(e.Address):
                Tell(EventSentence.Of(change) + ": it was mapped then");
                break;
            case DirtyCleared e when IsTable(e.HwptId, now) && e.First <= iova && iova <= e.Last:
                Tell(EventSentence.Of(change));
                break;
            case PagesMarkedDirty e when IsTable(e.HwptId, now) && IsMarked(e):
                Tell(EventSentence.Of(change));
                break;
            case DmabufRevoked or ProcessChanged:
                Tell(EventSentence.Of(change));
                break;
            default:
                var tables = Tables(now);
                if (!string.Equals(tables, _tablesBefore, StringComparison.Ordinal))
                {
                    Tell(
                        EventSentence.Of(change)
                            + (
                                tables.Length > 0
                                    ? $"; it is in the tables of {tables}{Frame()}"
                                    : "; it is in no table now"
                            )
                    );
                }

                break;
        }
    }

    private bool Has(ulong first, ulong length) => first <= iova && iova - first < length;

    private bool IsHere(ulong address) => (address & ~PageMask) == (iova & ~PageMask);

    private bool IsTable(uint hwpt, List<StoryArea> areas) =>
        Model.IoasOf(hwpt) is not { } known || areas.Any(a => a.Ioas == known);

    private bool IsMarked(PagesMarkedDirty e)
    {
        if (iova < e.Iova || e.PageSize == 0)
        {
            return false;
        }

        var bit = (iova - e.Iova) / e.PageSize;
        return bit < e.Pages && bit / 8 < (ulong)e.Bits.Length && (e.Bits[bit / 8] >> (int)(bit % 8) & 1) != 0;
    }

    private List<StoryArea> Covering() =>
        [.. Model.Areas.Where(a => a.Covers(iova) && (ioas is null || a.Ioas == ioas))];

    private string Tables(List<StoryArea> areas) =>
        string.Join(" and ", areas.Select(a => Model.TablesOf(a.Ioas)).Where(t => t.Length > 0).Distinct());

    private string Frame() =>
        _frame is { } frame ? FormattableString.Invariant($"; frame pfn:{frame:x}") : string.Empty;

    private void FindFrame(ContextEvent change, List<StoryArea> areas)
    {
        var pinned = PinnedPages.Of(change);
        for (var i = 0; i + 3 < pinned.Length; i += 4)
        {
            foreach (var area in areas)
            {
                var page = area.PageOf(iova);
                if (area.PageSet == pinned[i] && page >= pinned[i + 1] && page - pinned[i + 1] < pinned[i + 3])
                {
                    _frame = pinned[i + 2] + (page - pinned[i + 1]);
                }
            }
        }
    }
}
