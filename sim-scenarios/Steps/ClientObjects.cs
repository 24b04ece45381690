using System.Diagnostics.CodeAnalysis;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Steps;

/// <summary>Something that a client made and named.</summary>
public abstract record ClientObject;

/// <summary>An object of the context with an id that ioctls take.</summary>
/// <param name="Id">The id.</param>
public abstract record IdentifiedObject(uint Id) : ClientObject;

/// <summary>An IOAS.</summary>
/// <param name="Id">Its id.</param>
public sealed record IoasObject(uint Id) : IdentifiedObject(Id);

/// <summary>A HWPT that the client allocated.</summary>
/// <param name="Id">Its id.</param>
/// <param name="DataType">What the driver's data were; 0 for a paging one.</param>
public sealed record HwptObject(uint Id, uint DataType = 0) : IdentifiedObject(Id);

/// <summary>A bound device.</summary>
/// <param name="Id">The DEVICE id.</param>
/// <param name="MachineName">The physical device.</param>
public sealed record DeviceObject(uint Id, string MachineName) : IdentifiedObject(Id);

/// <summary>An access.</summary>
/// <param name="Id">Its id.</param>
public sealed record AccessObject(uint Id) : IdentifiedObject(Id);

/// <summary>Pages pinned through an access.</summary>
/// <param name="AccessId">The access.</param>
/// <param name="PinId">The pin's number in it.</param>
public sealed record PinObject(uint AccessId, uint PinId) : ClientObject;

/// <summary>Memory of the process.</summary>
/// <param name="Address">First address.</param>
/// <param name="Length">Bytes.</param>
public sealed record MemoryObject(ulong Address, ulong Length) : ClientObject;

/// <summary>A mapped area.</summary>
/// <param name="IoasId">The IOAS.</param>
/// <param name="Iova">First IOVA.</param>
/// <param name="Length">Bytes.</param>
public sealed record AreaObject(uint IoasId, ulong Iova, ulong Length) : ClientObject;

/// <summary>The objects of one client, by name. Used by the client's actor alone.</summary>
public sealed class ClientObjects
{
    private readonly Dictionary<Type, Dictionary<string, ClientObject>> _byKind = [];

    /// <summary>The descriptor of the client's iommufd.</summary>
    public int Iommufd { get; set; }

    /// <summary>Names an object; an older one of the same kind and name is forgotten.</summary>
    public void Name(string name, ClientObject made) => NamesOf(made.GetType())[name] = made;

    /// <summary>Forgets a name.</summary>
    public void Forget<T>(string name)
        where T : ClientObject => NamesOf(typeof(T)).Remove(name);

    /// <summary>Finds an object of a kind.</summary>
    public bool TryFind<T>(string name, [NotNullWhen(true)] out T? found)
        where T : ClientObject
    {
        found = _byKind.GetValueOrDefault(typeof(T))?.GetValueOrDefault(name) as T;
        return found is not null;
    }

    private Dictionary<string, ClientObject> NamesOf(Type kind)
    {
        if (!_byKind.TryGetValue(kind, out Dictionary<string, ClientObject>? names))
        {
            names = new Dictionary<string, ClientObject>(StringComparer.Ordinal);
            _byKind.Add(kind, names);
        }

        return names;
    }
}

/// <summary>A step uses an object that does not exist, because the step that makes it failed or has not run.</summary>
/// <param name="name">The name.</param>
/// <param name="kind">What it should be.</param>
public sealed class MissingObjectException(string name, ObjectKind kind) : Exception($"there is no {kind} '{name}'");
