using System.Globalization;
using Akka.Actor;
using Iommufd.Core;
using Iommufd.Messages.Flows;

namespace Iommufd.Actors;

/// <summary>
/// The actors of a context's participants. By id, as ids are dense and an object has one participant at most: an array costs a word a
/// device, where a dictionary by kind and id cost five and a hash for every step. Only the context's actor touches it.
/// </summary>
internal sealed class ParticipantTable
{
    private IActorRef?[] _byId = [];
    private ParticipantKind[] _kinds = [];
    private uint _highest;

    /// <summary>How many participants there are.</summary>
    public int Count { get; private set; }

    /// <summary>The actor of a participant that is there.</summary>
    public IActorRef this[Participant participant] =>
        Find(participant)
        ?? throw new InvariantBrokenException($"there is no participant {participant.Kind} {participant.Id}");

    /// <summary>Whether an id may have had a participant before, whose actor may still be dying under its name.</summary>
    public bool MayHaveBeen(uint id) => id <= _highest;

    /// <summary>A participant comes into being.</summary>
    public void Add(Participant participant, IActorRef actor)
    {
        var id = (int)participant.Id;
        if (id >= _byId.Length)
        {
            var length = Math.Max(id + 1, _byId.Length + Math.Max(4, _byId.Length / 2));
            Array.Resize(ref _byId, length);
            Array.Resize(ref _kinds, length);
        }

        Invariant.Holds(_byId[id] is null, "an object has one participant");
        (_byId[id], _kinds[id]) = (actor, participant.Kind);
        _highest = Math.Max(_highest, participant.Id);
        Count++;
    }

    /// <summary>A participant has done its last step; null for one that is not there.</summary>
    public IActorRef? Remove(Participant participant)
    {
        var actor = Find(participant);
        if (actor is not null)
        {
            _byId[participant.Id] = null;
            Count--;
        }

        return actor;
    }

    private IActorRef? Find(Participant participant) =>
        participant.Id < (uint)_byId.Length && _kinds[participant.Id] == participant.Kind
            ? _byId[participant.Id]
            : null;
}

/// <summary>The names of participants' actors. Contexts number alike, so a few thousand names serve millions of actors. Any thread.</summary>
internal static class ParticipantNames
{
    private const uint Kept = 1024;
    private static readonly string?[][] Names = [.. Enum.GetValues<ParticipantKind>().Select(_ => new string?[Kept])];

    /// <summary>The name of a participant's actor.</summary>
    public static string Of(Participant participant) =>
        participant.Id < Kept
            // Two threads may render the same name: either string serves.
            ? Names[(int)participant.Kind][participant.Id] ??= Render(participant)
            : Render(participant);

    private static string Render(Participant participant) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{participant.Kind.ToString().ToLowerInvariant()}-{participant.Id}"
        );
}
