namespace Akka.Configuration.Hocon;

internal sealed partial class HoconParser
{
    /// <summary>Fills in substitutions; one that needs another waits for it, a circle is an error.</summary>
    private void Resolve()
    {
        var left = _pending.Count;
        for (var pass = 0; left > 0; pass++)
        {
            if (pass > _pending.Count)
                throw new FormatException("Substitutions refer to each other in a circle.");
            foreach (var pending in _pending.Where(p => !p.IsDone))
            {
                if (!TryResolve(pending))
                    continue;
                pending.IsDone = true;
                left--;
            }
        }
    }

    private bool TryResolve(Pending pending)
    {
        var pieces = new List<object>(pending.Pieces.Count);
        foreach (var piece in pending.Pieces)
        {
            if (piece is not Reference reference)
            {
                pieces.Add(piece);
                continue;
            }
            var found = ConfigPath.Find(_root, reference.Path);
            if (ReferenceEquals(found, pending.Value))
                found = pending.Before;
            else if (_pending.Any(p => !p.IsDone && ReferenceEquals(p.Value, found)))
                return false;
            found ??= Environment.GetEnvironmentVariable(reference.Path) is { } e ? HoconValue.OfText(e) : null;
            if (found is not null)
                pieces.Add(found);
            else if (!reference.IsOptional)
                throw new FormatException($"Unresolved substitution: ${{{reference.Path}}}");
        }
        TrimEnds(pieces);
        if (pieces.Count == 0)
        {
            if (pending.Slot is { } slot && ReferenceEquals(slot.Object.GetKey(slot.Key), pending.Value))
            {
                if (pending.Before is null)
                    slot.Object.Items.Remove(slot.Key);
                else
                    slot.Object.Items[slot.Key] = pending.Before;
            }
            return true;
        }
        var joined = Join(pieces);
        if (pending.Before is { AsObject: not null })
            joined = joined.MergedOver(pending.Before);
        pending.Value.AsObject = joined.AsObject;
        pending.Value.AsArray = joined.AsArray;
        pending.Value.Text = joined.Text;
        pending.Value.IsNull = joined.IsNull;
        return true;
    }
}
