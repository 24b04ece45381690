using Iommufd.Messages;

namespace Iommufd.Scenarios.Runner;

/// <summary>
/// Operations over time, in at most 120 slices: when time runs over the last one, every two become one. Safe from any
/// thread.
/// </summary>
public sealed class Timeline
{
    private const int Slices = 120;
    private readonly Lock _gate = new();
    private readonly SortedDictionary<Errno, long>[] _slices = new SortedDictionary<Errno, long>[Slices];
    private long _start = long.MinValue;
    private long _width = 1_000_000;

    /// <summary>The slices up to the last one that holds something, in order; each with its errnos.</summary>
    /// <param name="width">Nanoseconds of one slice.</param>
    public IReadOnlyList<IReadOnlyDictionary<Errno, long>> Read(out long width)
    {
        lock (_gate)
        {
            width = _width;
            int used = Array.FindLastIndex(_slices, s => s is not null) + 1;
            return [.. _slices[..used].Select(s => s is null ? new SortedDictionary<Errno, long>() : new(s))];
        }
    }

    internal void Add(long now, Errno errno)
    {
        lock (_gate)
        {
            _start = _start == long.MinValue ? now : _start;
            while ((now - _start) / _width >= Slices)
            {
                Fold();
            }

            ref SortedDictionary<Errno, long>? slice = ref _slices[Math.Max(0, now - _start) / _width]!;
            slice ??= [];
            slice[errno] = slice.GetValueOrDefault(errno) + 1;
        }
    }

    private void Fold()
    {
        for (int i = 0; i < Slices; i++)
        {
            SortedDictionary<Errno, long>? both = null;
            for (int half = 2 * i; half < 2 * i + 2 && half < Slices; half++)
            {
                if (_slices[half] is not { } part)
                {
                    continue;
                }

                both ??= [];
                foreach ((Errno errno, long count) in part)
                {
                    both[errno] = both.GetValueOrDefault(errno) + count;
                }
            }

            _slices[i] = both!;
        }

        _width *= 2;
    }
}
