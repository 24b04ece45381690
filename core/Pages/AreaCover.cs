using System.Buffers;
using Iommufd.Messages;

namespace Iommufd.Core.Pages;

/// <summary>
/// What a page set knows of an area that has domains: where the frames of its pages can be read. Between the start of a
/// fill and its commit (and again once the IOPTEs are about to go) that is a list held here; in between it is the
/// storage domain alone.
/// </summary>
internal sealed class AreaCover
{
    private const int PagesAtOnce = 128;

    private PfnRun _single;
    private PfnRun[]? _many;
    private int _held;

    /// <summary>The storage domain's IOPTEs; null while the frames are held here.</summary>
    public IPfnSource? Storage { get; set; }

    /// <summary>Whether the frames are held here.</summary>
    public bool HoldsFrames => _held > 0;

    /// <summary>Holds the frames of the whole cover: a list from an index on.</summary>
    public void Hold(List<PfnRun> runs, int from)
    {
        LetGo();
        _held = runs.Count - from;
        if (_held == 1)
        {
            _single = runs[from];
            return;
        }

        _many = ArrayPool<PfnRun>.Shared.Rent(_held);
        runs.CopyTo(from, _many, 0, _held);
    }

    /// <summary>Forgets the frames.</summary>
    public void LetGo()
    {
        if (_many is not null)
        {
            ArrayPool<PfnRun>.Shared.Return(_many);
            _many = null;
        }

        _held = 0;
    }

    /// <summary>
    /// Appends the frames of pages of the cover; false, with nothing appended, when the storage domain lacks one.
    /// </summary>
    /// <param name="coverFirst">First page of the cover.</param>
    /// <param name="first">First page wanted.</param>
    /// <param name="last">Last page wanted.</param>
    /// <param name="runs">Where the frames go.</param>
    /// <param name="from">Start of the list's part that may be merged with.</param>
    public bool TryRead(ulong coverFirst, ulong first, ulong last, List<PfnRun> runs, int from)
    {
        if (_held > 0)
        {
            ReadHeld(first - coverFirst, last - first + 1, runs, from);
            return true;
        }

        if (Storage is null)
        {
            return false;
        }

        int count = runs.Count;
        PfnRun before = count > from ? runs[^1] : default;
        Span<Pfn> pfns = stackalloc Pfn[PagesAtOnce];
        for (ulong index = first; index <= last; index += PagesAtOnce)
        {
            Span<Pfn> wanted = pfns[..(int)Math.Min(PagesAtOnce, last - index + 1)];
            if (Storage.ReadPfns(index, wanted) < wanted.Length)
            {
                runs.RemoveRange(count, runs.Count - count);
                if (count > from)
                {
                    runs[^1] = before;
                }

                return false;
            }

            foreach (Pfn pfn in wanted)
            {
                PfnRuns.Append(runs, from, new PfnRun(pfn, 1));
            }
        }

        return true;
    }

    private void ReadHeld(ulong skip, ulong pages, List<PfnRun> runs, int from)
    {
        for (int i = 0; pages > 0; i++)
        {
            PfnRun run = _many is null ? _single : _many[i];
            if (skip >= run.Count)
            {
                skip -= run.Count;
                continue;
            }

            ulong count = Math.Min(pages, run.Count - skip);
            PfnRuns.Append(runs, from, new PfnRun(new Pfn(run.First.Value + skip), count));
            pages -= count;
            skip = 0;
        }
    }
}
