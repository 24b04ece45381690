using System.Text.Json;

namespace Iommufd.Scenarios.Soak;

/// <summary>
/// Which runs of a soak are done, and what they found. Kept in a file: a soak that was killed loses at most what it did since the last
/// save, and does that again. Not thread-safe.
/// </summary>
internal sealed class SoakProgress
{
    private static readonly JsonSerializerOptions Written = new() { WriteIndented = true };

    private readonly SoakRequest _request;
    private readonly SortedSet<ulong> _doneEarly;
    private readonly SortedSet<ulong> _underWay = [];
    private ulong _next;

    private SoakProgress(SoakRequest request, ulong next, IEnumerable<ulong> doneEarly, SoakTotals totals)
    {
        (_request, _next, _doneEarly, Totals) = (request, next, [.. doneEarly], totals);
    }

    /// <summary>What the runs that are done found.</summary>
    public SoakTotals Totals { get; private set; }

    /// <summary>Whether every run is done.</summary>
    public bool IsComplete => _next >= _request.Count && _underWay.Count == 0;

    /// <summary>A soak that has not begun.</summary>
    public static SoakProgress Of(SoakRequest request) => new(request, 0, [], SoakTotals.None);

    /// <summary>Reads a soak's progress.</summary>
    /// <exception cref="SoakStateException">The file is another soak's, or damaged.</exception>
    public static SoakProgress Load(string file, SoakRequest request)
    {
        SavedSoak? saved;
        try
        {
            saved = JsonSerializer.Deserialize<SavedSoak>(File.ReadAllText(file));
        }
        catch (Exception damaged) when (damaged is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new SoakStateException(file, $"is not the state of a soak: {damaged.Message}");
        }

        if (saved is null || saved.Identity != request.Identity)
        {
            throw new SoakStateException(
                file,
                $"is the state of another soak ({saved?.Identity}); delete it, or name another file"
            );
        }

        return new SoakProgress(request, saved.Next, saved.DoneEarly, saved.Totals());
    }

    /// <summary>The next run that nobody does; null when there is none.</summary>
    public ulong? Take()
    {
        while (_next < _request.Count && _doneEarly.Contains(_next))
        {
            _next++;
        }

        if (_next >= _request.Count)
        {
            return null;
        }

        _underWay.Add(_next);
        return _next++;
    }

    /// <summary>A run is done.</summary>
    public void Done(ulong number, SeedResult result)
    {
        _underWay.Remove(number);
        Totals = Totals.Plus(SoakTotals.Of(result));
        if (_underWay.Count > 0 && _underWay.Min < number)
        {
            _doneEarly.Add(number);
        }

        // What is done before the oldest run under way need not be listed.
        ulong oldest = _underWay.Count > 0 ? _underWay.Min : _next;
        _doneEarly.RemoveWhere(n => n < oldest);
    }

    /// <summary>Writes the file, whole or not at all.</summary>
    public void Save(string file)
    {
        ulong oldest = _underWay.Count > 0 ? _underWay.Min : _next;
        string text = JsonSerializer.Serialize(SavedSoak.Of(_request.Identity, oldest, _doneEarly, Totals), Written);
        string half = file + ".new";
        File.WriteAllText(half, text);
        File.Move(half, file, overwrite: true);
    }

    /// <summary>The file's content.</summary>
    private sealed record SavedSoak(
        string Identity,
        ulong Next,
        IReadOnlyList<ulong> DoneEarly,
        long Runs,
        long Operations,
        long InvariantsChecked,
        IReadOnlyList<SeedFailure> Failures,
        IReadOnlyList<Faults.FaultCoverage> Coverage,
        IReadOnlyDictionary<string, long> Sometimes
    )
    {
        public static SavedSoak Of(string identity, ulong next, IEnumerable<ulong> doneEarly, SoakTotals totals) =>
            new(
                identity,
                next,
                [.. doneEarly],
                totals.Runs,
                totals.Operations,
                totals.InvariantsChecked,
                totals.Failures,
                totals.Coverage,
                totals.Sometimes
            );

        public SoakTotals Totals() =>
            new()
            {
                Runs = Runs,
                Operations = Operations,
                InvariantsChecked = InvariantsChecked,
                Failures = Failures,
                Coverage = Coverage,
                Sometimes = Sometimes,
            };
    }
}

/// <summary>A state file that this soak cannot go on from.</summary>
/// <param name="file">The file.</param>
/// <param name="message">Why, and what to do.</param>
public sealed class SoakStateException(string file, string message) : Exception(message)
{
    /// <summary>The file.</summary>
    public string File { get; } = file;
}
